"""Whether two components do together what they do apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np
import torch

from pdcr_widgets.causal.components.effects import (
    Kinds,
    as_kinds,
    check_donors,
    check_samples,
    make_study,
)
from pdcr_widgets.causal.components.figure import Barred
from pdcr_widgets.causal.components.interventions import Intervention
from pdcr_widgets.causal.components.layer_results import as_dataframe
from pdcr_widgets.causal.components.sites import Site
from pdcr_widgets.causal.components.study import Study, draw_count, mean_and_error


@dataclass(frozen=True)
class PairEffect:
    """Effect of replacing two components at once, points.

    Attributes
    ----------
    first, second : str
        Names of the components, in the order in which they run.
    kind : str
        Name of the intervention.
    effect : float
        Effect of replacing both.
    first_effect, second_effect : float
        Effects of replacing each alone, with the same draws.
    interaction : float
        ``effect - first_effect - second_effect``. 0: the effects add. For components that support
        the target: negative where each stands in for the other, so that only losing both hurts;
        positive where they do the same work in a row, so that losing one is as bad as losing both.
    stderr : float
        Standard error of ``interaction`` over draws; 0 where the kind is deterministic.
    samples : int
        Number of draws.
    """

    first: str
    second: str
    kind: str
    effect: float
    first_effect: float
    second_effect: float
    interaction: float
    stderr: float
    samples: int


@dataclass(frozen=True)
class PairEffects(Barred):
    """Effects of pairs of components."""

    BARS = ("effect", "first_effect", "second_effect", "interaction")
    rows: tuple[PairEffect, ...]
    base: float
    outcome: str
    seed: int

    def __iter__(self) -> Iterator[PairEffect]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def _names(self) -> Iterator[str]:
        return (f"{row.first} and\n{row.second}, {row.kind}" for row in self.rows)

    def to_dataframe(self) -> Any:
        """Give the rows as a pandas data frame."""
        return as_dataframe([asdict(row) for row in self.rows], PairEffect)


def pair_effects(
    model: Any,
    image: Any,
    region: Any,
    truth: Any = None,
    *,
    layers: str | Site | Sequence[str | Site],
    intervention: Kinds = "mean",
    samples: int = 8,
    **options: Any,
) -> PairEffects:
    """Measure every pair of the given components, and each component alone.

    Parameters
    ----------
    model, image, region, truth
        As for `iter_layer_effects`.
    layers
        Two components or more, as for `iter_layer_effects`; all pairs of them are taken.
    intervention, samples
        As for `iter_layer_effects`.
    **options
        ``donors``, ``where``, ``outcome``, ``empty``, ``seed``, ``engine``, ``batch`` of
        `iter_layer_effects`.

    Returns
    -------
    PairEffects

    Raises
    ------
    ValueError
        Fewer than two components.
    """
    kinds = as_kinds(intervention)
    check_samples(samples)
    study = make_study(model, image, region, truth, layers=layers, jointly=True, **options)
    check_donors(study, kinds)
    if len(study.sites) < 2:
        raise ValueError(f"a pair needs two components, got {[s.name for s in study.sites]}")
    rows: list[PairEffect] = []
    for name, kind in kinds.items():
        alone = {s.name: _draws(study, [s], name, kind, samples) for s in study.sites}
        for a, b in combinations(study.sites, 2):
            both = _draws(study, [a, b], name, kind, samples)
            rows.append(_row(a, b, name, kind, [both, alone[a.name], alone[b.name]]))
    return PairEffects(tuple(rows), study.target.base, study.target.outcome, study.seed)


def _draws(
    study: Study, sites: Sequence[Site], name: str, kind: Intervention, samples: int
) -> np.ndarray:
    draws = list(range(draw_count(kind, samples, study.donors)))
    parts = []
    step = study.runner.batch
    for start in range(0, len(draws), step):
        part = draws[start : start + step]
        with torch.inference_mode():
            edits = [(s, kind(study.source(s, name == "dataset_mean"), part)) for s in sites]
        parts.append(study.effects(edits, " and ".join(repr(s.name) for s in sites))[:, 0])
    return np.concatenate(parts)


def _row(a: Site, b: Site, name: str, kind: Intervention, found: list[np.ndarray]) -> PairEffect:
    both, first, second = found
    columns = np.stack([both, first, second, both - first - second], axis=1)
    mean, error = mean_and_error(columns, kind.random)
    return PairEffect(
        a.name, b.name, name, float(mean[0]), float(mean[1]), float(mean[2]), float(mean[3]),
        float(error[3]), len(both),
    )  # fmt: skip
