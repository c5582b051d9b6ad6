"""Groups of patches replaced at once: the first picture, and what they rule out."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass

import numpy as np

from pdcr_widgets.causal.draws import draw, key
from pdcr_widgets.causal.sampling.progress import Progress, chunks
from pdcr_widgets.causal.state import Estimates

FACTORS = (8, 4, 2)
FEW = 24
WIDEST = 32
NEAR = 0.5
TESTS = 2


@dataclass(frozen=True, eq=False)
class Groups:
    """Blocks of patches that are replaced together, and what that has shown.

    Parameters
    ----------
    cells
        ``(n, factor ** d)`` members, -1 for a place that stays as it is.
    corners
        ``(n, d)`` first cell of each block on each axis.
    effects
        ``(n, 2)`` effects of the tests, points; NaN before they are made.
    nearest
        ``(n,)`` how near a test has brought a pixel of the region to the threshold: 1 is a flip.
    """

    cells: np.ndarray
    corners: np.ndarray
    effects: np.ndarray
    nearest: np.ndarray

    @classmethod
    def of(cls, estimates: Estimates, factor: int, members: np.ndarray) -> Groups:
        """Blocks of ``factor`` patches a side that hold one of ``members``, nearest first."""
        cells, corners = estimates.experiment.grid.groups(factor)
        cells = np.where(np.isin(cells, members), cells, -1)
        held = (cells >= 0).any(axis=1)
        count = int(held.sum())
        return cls(cells[held], corners[held], np.full((count, TESTS), np.nan), np.zeros(count))

    @property
    def tests(self) -> np.ndarray:
        """Number of tests of each group."""
        return np.isfinite(self.effects).sum(axis=1)

    @property
    def members(self) -> np.ndarray:
        """Number of patches of each group."""
        return (self.cells >= 0).sum(axis=1)

    @property
    def largest(self) -> np.ndarray:
        """Largest size of an effect seen, points; 0 before the first test."""
        return np.abs(np.nan_to_num(self.effects)).max(axis=1)

    def quiet(self, threshold: float) -> np.ndarray:
        """Which groups have brought no pixel of the region near to a change so far."""
        return (self.largest < threshold) & (self.nearest < NEAR)

    def test(
        self, estimates: Estimates, rows: np.ndarray, content: np.ndarray, stage: str
    ) -> Iterator[Progress]:
        """Replace some groups, each with one (0 or 1) of its two contrasting contents."""
        experiment = estimates.experiment
        total = experiment.evaluations + len(rows)
        for part in chunks(np.arange(len(rows)), experiment.engine.batch):
            tested, which = rows[part], content[part]
            choices = _choices(estimates, self.cells[tested], which)
            boxes = self.cells[tested], self.corners[tested], choices
            self.effects[tested, which], nearness = experiment.group_effects(*boxes)
            self.nearest[tested] = np.maximum(self.nearest[tested], nearness)
            estimates.sketch(self.cells[tested], np.nanmean(self.effects[tested], axis=1))
            yield Progress(total, stage)


def widest(estimates: Estimates) -> int:
    """Patches a side of the largest groups that are replaced at once."""
    size = estimates.experiment.grid.patch_size
    return next((f for f in FACTORS if f * size <= WIDEST), FACTORS[-1])


def first_picture(
    estimates: Estimates, reached: np.ndarray
) -> Generator[Progress, None, Groups | None]:
    """Sketch the whole map from one intervention per group of patches.

    Every patch of a group gets content of its own. Grids too small to gain from it are left alone.

    Returns
    -------
    Groups or None
        The groups that were tested.
    """
    if len(reached) <= FEW:
        return None
    groups = Groups.of(estimates, widest(estimates), reached)
    rows = np.arange(len(groups.cells))
    yield from groups.test(estimates, rows, np.zeros_like(rows), "first picture")
    return groups


def _choices(estimates: Estimates, cells: np.ndarray, content: np.ndarray) -> np.ndarray:
    """Independent content for every member of every group, keyed by patch and group size."""
    experiment = estimates.experiment
    flat = cells.reshape(-1).clip(0)
    seed = key(experiment.seed, cells.shape[1])
    samples = np.repeat(content, cells.shape[1])
    bank = experiment.baseline.bank
    if bank is None or bank.nearest is not None or len(bank) < TESTS:
        return draw(seed, flat, samples, experiment.baseline.choices).reshape(cells.shape)
    chosen = np.empty(len(flat), dtype=np.int64)
    for side in range(TESTS):
        half, at = bank.representatives.half(side), samples == side
        chosen[at] = half[draw(seed, flat[at], samples[at], len(half))]
    return chosen.reshape(cells.shape)
