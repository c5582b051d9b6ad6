"""Making a sweep: every patch intervened on, the whole prediction recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
import torch

from pdcr_widgets.causal.arrays import as_whole
from pdcr_widgets.causal.baseline import Baseline, as_baseline
from pdcr_widgets.causal.draws import draw
from pdcr_widgets.causal.engines import whole_engine
from pdcr_widgets.causal.experiment import interventions
from pdcr_widgets.causal.ingredients import ingredients
from pdcr_widgets.causal.plan import PatchGrid
from pdcr_widgets.causal.recipe import RECIPE
from pdcr_widgets.causal.segmenter import Segmenter, check_finite, segmenter
from pdcr_widgets.causal.sweep import SMALLEST, STEPS, Sweep

LIMIT_BYTES = 512 * 2**20


@dataclass(frozen=True, eq=False)
class SweepUpdate:
    """A state of a running sweep: usable from the first one on.

    Parameters
    ----------
    make
        Gives the sweep as it was then.
    done, total
        Interventions made, and to be made in all.
    patches
        Interventions that make a round: one of every patch.
    nbytes
        Memory that the sweep takes, bytes.
    """

    make: Callable[[], Sweep]
    done: int
    total: int
    patches: int
    nbytes: int

    @property
    def rounds(self) -> int:
        """Draws that every patch has had."""
        return self.done // self.patches

    @cached_property
    def sweep(self) -> Sweep:
        """The sweep as it was then; put together when it is asked for."""
        return self.make()


def iter_sweep(
    model: Any,
    image: Any,
    *,
    patch_size: int = 8,
    baseline: Any = 0.0,
    samples: int = 4,
    soft: bool = False,
    seed: int = 0,
    engine: str = "auto",
    limit_bytes: int = LIMIT_BYTES,
) -> Iterator[SweepUpdate]:
    """Intervene on every patch once, then again, keeping what happens to the whole prediction.

    Parameters
    ----------
    samples
        Draws per patch (one where the baseline is deterministic).
    soft
        Keep changes of probability too, for soft outcomes; several times the memory.
    limit_bytes
        The sweep ends early, whole rounds kept or not, before it takes more than this.

    Other parameters are those of `pdcr_widgets.ate_map`.

    Yields
    ------
    SweepUpdate
        After each batch of interventions.

    Raises
    ------
    TypeError, ValueError
        As `pdcr_widgets.ate_map`; not even the first interventions fit into ``limit_bytes``.
    """
    held = segmenter(model).prepare(image)
    wrapped = segmenter(model).resolve(held)
    samples, seed = as_whole(samples, "samples", 1), as_whole(seed, "seed", 0)
    grid = PatchGrid(tuple(held.shape[1:]), patch_size, np.zeros(held.shape[1:], dtype=bool))
    source = as_baseline(baseline, held, grid.size)
    predictor = whole_engine(wrapped, held, engine)
    scores = wrapped.scores(held[None])
    recorder = _Recorder(check_finite(wrapped.probability(scores)[0]), wrapped.threshold, soft)
    rounds = 1 if source.deterministic else samples
    recipe = _recipe(wrapped, held, source, predictor.name) | {
        "patch_size": grid.patch_size,
        "samples": rounds,
        "seed": seed,
        "soft": soft,
        "limit_bytes": limit_bytes,
        "classes": scores.shape[1],
    }
    each = len(grid.cells)
    for part, choices in _rounds(grid, source, rounds, seed, predictor.batch):
        starts, content = interventions(grid, source, held, part, choices)
        if not recorder.add(part, predictor.probabilities(starts, content), limit_bytes):
            break
        yield recorder.update(recipe, rounds * each, each)
    yield recorder.update(recipe, recorder.done, each)


def _recipe(
    wrapped: Segmenter, image: torch.Tensor, source: Baseline, engine: str
) -> dict[str, Any]:
    return {
        "kind": "sweep",
        "recipe": RECIPE,
        **ingredients(wrapped, image),
        "baseline": source.name,
        **source.details,
        "deterministic": source.deterministic,
        "engine": engine,
    }


def _rounds(
    grid: PatchGrid, source: Baseline, rounds: int, seed: int, batch: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for sample in range(rounds):
        for start in range(0, len(grid.cells), batch):
            part = grid.cells[start : start + batch]
            yield part, draw(seed, part, np.full(len(part), sample), source.choices)


class _Recorder:
    """Keeps what changed in each prediction."""

    def __init__(self, base: torch.Tensor, threshold: float, soft: bool) -> None:
        self._base, self._threshold, self._soft = base.clone(), threshold, soft
        self._cells: list[np.ndarray] = []
        self._counts: list[np.ndarray] = []
        self._pixels: list[np.ndarray] = []
        self._change: list[np.ndarray] = []
        self.done, self.nbytes = 0, 4 * base.numel() + 8

    def add(self, cells: np.ndarray, probability: torch.Tensor, limit: int) -> bool:
        """Keep what a batch changed, unless that would take more than ``limit`` bytes."""
        change = probability - self._base
        flipped = (probability > self._threshold) != (self._base > self._threshold)
        different = flipped | (change.abs() > SMALLEST) if self._soft else flipped
        flat = different.flatten(1)
        at = flat.nonzero()
        owner, where = at.T.cpu().numpy()
        where = where.astype(np.uint32)
        needed = 12 * len(cells) + where.nbytes + (2 * len(where) if self._soft else 0)
        if self.nbytes + needed > limit:
            if not self.done:
                raise ValueError(
                    f"a sweep of this image needs more than limit_bytes={limit} for its first "
                    f"{len(cells)} interventions; allow more or use larger patches"
                )
            return False
        self._cells.append(cells.astype(np.int32))
        self._counts.append(np.bincount(owner, minlength=len(cells)))
        self._pixels.append(where)
        if self._soft:
            moved, crossed = (values.flatten(1)[at[:, 0], at[:, 1]] for values in (change, flipped))
            steps = 2 * torch.round(moved * STEPS) + crossed
            self._change.append(steps.to(torch.int16).cpu().numpy())
        self.done += len(cells)
        self.nbytes += needed
        return True

    def update(self, recipe: dict[str, Any], total: int, patches: int) -> SweepUpdate:
        """Tell what there is now."""
        make = partial(self.sweep, recipe, len(self._cells))
        return SweepUpdate(make, self.done, total, patches, self.nbytes)

    def sweep(self, recipe: dict[str, Any], parts: int) -> Sweep:
        """Put the first ``parts`` batches together."""
        counts = np.concatenate([np.zeros(1, dtype=np.int64), *self._counts[:parts]])
        return Sweep(
            probability=self._base.float().cpu().numpy(),
            threshold=self._threshold,
            patch_size=recipe["patch_size"],
            cells=np.concatenate(self._cells[:parts]),
            offsets=np.cumsum(counts),
            pixels=np.concatenate(self._pixels[:parts]),
            change=np.concatenate([np.zeros(0, dtype=np.int16), *self._change[:parts]]),
            recipe=recipe,
        )
