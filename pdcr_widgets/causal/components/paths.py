"""How much of a stage's effect goes through its skip connection, and how much through the rest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pdcr_widgets.causal.components.catalog import Catalog
from pdcr_widgets.causal.components.edits import edited
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
class SkipPaths:
    """Two-path decomposition of the effect of the stage before a skip connection.

    All effects are in points; negative: what is replaced supports the target.

    Attributes
    ----------
    skip : str
        Name of the edge, ``"from -> to"``.
    kind : str
        Name of the intervention on the stage's output.
    total : float
        Effect of replacing the stage's output for everything that reads it.
    through_skip : float
        Effect when only the skip connection carries the replaced value: the natural direct effect.
    through_next : float
        Effect when everything but the skip connection does: the path through the next stage.
    interaction : float
        ``total - through_skip - through_next``; 0 in a linear network.
    samples : int
        Number of draws.
    total_stderr, through_skip_stderr, through_next_stderr, interaction_stderr : float
        Standard errors over draws, points; the four quantities share their draws.
    """

    skip: str
    kind: str
    total: float
    through_skip: float
    through_next: float
    interaction: float
    samples: int
    total_stderr: float
    through_skip_stderr: float
    through_next_stderr: float
    interaction_stderr: float

    @property
    def share(self) -> float:
        """Part of the total effect that goes through the skip alone; NaN where there is none.

        Not bounded to 0..1: paths may oppose each other.
        """
        return self.through_skip / self.total if self.total else float("nan")


@dataclass(frozen=True)
class SkipPathTable(Barred):
    """Decompositions of several skip connections, in the order in which they are joined."""

    BARS = ("total", "through_skip", "through_next", "interaction")
    rows: tuple[SkipPaths, ...]
    base: float
    outcome: str
    seed: int

    def __iter__(self) -> Iterator[SkipPaths]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def _names(self) -> Iterator[str]:
        return (f"{row.skip.replace(' -> ', ' → ')}\n{row.kind}" for row in self.rows)

    def to_dataframe(self) -> Any:
        """Give the rows as a pandas data frame."""
        return as_dataframe([{**asdict(row), "share": row.share} for row in self.rows], SkipPaths)


def skip_paths(
    model: Any,
    image: Any,
    region: Any,
    truth: Any = None,
    *,
    skips: str | Sequence[str] = "skips",
    intervention: Kinds = "mean",
    samples: int = 8,
    **options: Any,
) -> SkipPathTable:
    """Split the effect of the stages in front of skip connections into its two paths.

    The output of the stage is replaced; then only the skip connection, and then everything but the
    skip connection, is let to see it, while the other keeps the values of the untouched run. With
    content ``c``, stage ``S`` and skip ``K`` this is, in the words of mediation analysis, the total
    effect ``Y(c, K(c)) - Y``, the natural direct effect along the skip and the natural indirect
    effect along the rest; what is left is their interaction.

    Parameters
    ----------
    model, image, region, truth
        As for `iter_layer_effects`.
    skips
        Names or globs of edges; ``"skips"`` for all skip connections.
    intervention, samples
        As for `iter_layer_effects`.
    **options
        ``donors``, ``where``, ``outcome``, ``empty``, ``seed``, ``engine``, ``batch`` of
        `iter_layer_effects`.

    Returns
    -------
    SkipPathTable

    Raises
    ------
    ValueError
        There is no such edge, or it starts at the image itself.

    References
    ----------
    .. [1] Pearl, Direct and Indirect Effects, UAI 2001, arXiv:1301.2300.
    .. [2] VanderWeele, A unification of mediation and interaction, Epidemiology 25, 2014.
    .. [3] Vig et al., Investigating Gender Bias in Language Models Using Causal Mediation Analysis,
       NeurIPS 2020, arXiv:2004.12265.
    """
    kinds = as_kinds(intervention)
    check_samples(samples)
    study = make_study(model, image, region, truth, layers=skips, jointly=True, **options)
    catalog = Catalog(study.target.segmenter, study.target.image)
    edges = study.sites
    sources = _sources(catalog, edges)
    if study.donors is not None:
        study.donors = study.donors.at([*edges, *sources], study.window)
    check_donors(study, kinds)
    rows = tuple(
        _decompose(study, Split(edge, source, catalog.hands_on(source, edge)), name, kind, samples)
        for edge, source in zip(edges, sources, strict=True)
        for name, kind in kinds.items()
    )
    return SkipPathTable(rows, study.target.base, study.target.outcome, study.seed)


@dataclass(frozen=True)
class Split:
    """A stage and the skip connection behind it.

    ``direct``: the skip carries the stage's output itself, and not something made from it.
    """

    edge: Site
    source: Site
    direct: bool


def _sources(catalog: Catalog, edges: Sequence[Site]) -> list[Site]:
    sources = []
    for edge in edges:
        name, arrow, _ = edge.name.partition(" -> ")
        if not arrow or name == "input":
            raise ValueError(
                f"{edge.name!r} does not start at a module, so it has no two paths; choose from "
                f"{[e.name for e in catalog.edges if e.kind == 'skip']}"
            )
        sources += catalog.find(name)
    return sources


def _decompose(
    study: Study, split: Split, name: str, kind: Intervention, samples: int
) -> SkipPaths:
    draws = list(range(draw_count(kind, samples, study.donors)))
    parts = []
    step = study.runner.batch
    for start in range(0, len(draws), step):
        with torch.inference_mode():
            content = kind(
                study.source(split.source, name == "dataset_mean"), draws[start : start + step]
            )
        parts.append(_three(study, split, content))
    found = np.concatenate(parts)
    found = np.concatenate([found, found[:, :1] - found[:, 1:2] - found[:, 2:3]], axis=1)
    mean, error = mean_and_error(found, kind.random)
    names = ("total", "through_skip", "through_next", "interaction")
    means = {n: float(value) for n, value in zip(names, mean, strict=True)}
    errors = {f"{n}_stderr": float(value) for n, value in zip(names, error, strict=True)}
    return SkipPaths(skip=split.edge.name, kind=name, samples=len(draws), **means, **errors)


def _three(study: Study, split: Split, content: Tensor) -> np.ndarray:
    """Total, through the skip, through the rest: ``(n, 3)`` points."""
    edge, source, target = split.edge, split.source, study.target
    carried = content
    if not split.direct:
        carried = edited(target.segmenter, target.image, [(source, content)], keep=[edge])[1][0]
    original = study.originals.values(edge).expand(carried.shape)
    plans = (
        [(source, content)],
        [(edge, carried)],
        [(source, content), (edge, original)],
    )
    return np.stack([study.effects(plan, edge.name)[:, 0] for plan in plans], axis=1)
