"""The first picture, and what it rules out: groups of patches replaced at once."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass

import numpy as np

from pdcr_widgets.causal.draws import draw, key
from pdcr_widgets.causal.sampling.progress import Progress, Settings, chunks
from pdcr_widgets.causal.state import Estimates

FACTOR = 4
FEW = 24
WIDEST = 32
NEAR = 0.5


@dataclass(frozen=True, eq=False)
class Groups:
    """Blocks of patches that are replaced together, and what that has shown.

    Parameters
    ----------
    cells
        ``(n, factor ** d)`` members, -1 for a place that stays as it is.
    corners
        ``(n, d)`` first cell of each block on each axis.
    largest
        ``(n,)`` largest effect of a test, points; -1 before the first.
    nearest
        ``(n,)`` how near a test has brought a pixel of the region to the threshold: 1 is a flip.
    """

    cells: np.ndarray
    corners: np.ndarray
    largest: np.ndarray
    nearest: np.ndarray

    @classmethod
    def of(cls, estimates: Estimates, factor: int, members: np.ndarray) -> Groups:
        """Blocks of ``factor`` patches a side that hold one of ``members``, nearest first."""
        return cls._holding(*estimates.experiment.grid.groups(factor), members)

    def only(self, members: np.ndarray) -> Groups:
        """The blocks that hold one of ``members``, which have been tested already."""
        held = np.isin(self.cells, members).any(axis=1)
        return Groups(*(a[held] for a in (self.cells, self.corners, self.largest, self.nearest)))

    @classmethod
    def _holding(cls, cells: np.ndarray, corners: np.ndarray, members: np.ndarray) -> Groups:
        cells = np.where(np.isin(cells, members), cells, -1)
        kept = (cells >= 0).any(axis=1)
        count = int(kept.sum())
        return cls(cells[kept], corners[kept], np.full(count, -1.0), np.zeros(count))


def first_picture(estimates: Estimates) -> Generator[Progress, None, Groups | None]:
    """Sketch the whole map from one intervention per group of patches.

    Every patch of a group gets content of its own. Grids too small to gain from it are left alone.

    Returns
    -------
    Groups or None
        The groups that were tested.
    """
    cells = estimates.experiment.grid.cells
    groups = Groups.of(estimates, FACTOR, cells) if len(cells) > FEW else None
    if groups is not None:
        yield from _test(estimates, groups, 0, "first picture")
    return groups


def prune(
    estimates: Estimates, settings: Settings, reached: np.ndarray, seen: Groups | None
) -> Generator[Progress, None, np.ndarray]:
    """Rule out the patches of groups that two contrasting interventions show to be irrelevant.

    Groups of up to 32 pixels a side, then halves of them, are replaced at once: first with content
    from one half of the bank, then from the other (see `Design.half`), each patch with its own.
    Where both change the outcome by less than the threshold, and bring no pixel of the region more
    than half of its way to a flip (effects of opposite sign may cancel, changes of probability
    hardly do), the group's patches are taken to have no effect, with the threshold as their
    standard error.

    Parameters
    ----------
    reached
        Patches that can change the region.
    seen
        What `first_picture` gave: its groups have one of the two tests behind them.

    Returns
    -------
    ndarray
        The patches that are left, nearest to the region first.
    """
    left = reached
    factors = [f for f in (8, 4, 2) if f * estimates.experiment.grid.patch_size <= WIDEST]
    for factor in factors if len(reached) > FEW else []:
        known = seen if factor == FACTOR and factor == factors[0] else None
        groups = known.only(left) if known else Groups.of(estimates, factor, left)
        for sample in (1,) if known else (0, 1):
            yield from _test(estimates, groups, sample, "ruling out")
        matter = (groups.largest >= settings.threshold) | (groups.nearest >= NEAR)
        left = left[np.isin(left, groups.cells[matter])]
        estimates.dismiss(reached[~np.isin(reached, left)], settings.threshold)
    return left


def _test(estimates: Estimates, groups: Groups, sample: int, stage: str) -> Iterator[Progress]:
    """Replace each group once; note its largest effect so far and sketch it."""
    experiment = estimates.experiment
    total = experiment.evaluations + len(groups.cells)
    for part in chunks(np.arange(len(groups.cells)), experiment.engine.batch):
        choices = _choices(estimates, groups.cells[part], sample)
        tested = groups.cells[part], groups.corners[part], choices
        effect, nearness = experiment.group_effects(*tested)
        bigger = np.abs(effect) > groups.largest[part]
        groups.largest[part[bigger]] = np.abs(effect[bigger])
        groups.nearest[part] = np.maximum(groups.nearest[part], nearness)
        estimates.sketch(groups.cells[part[bigger]], effect[bigger])
        yield Progress(total, stage)


def _choices(estimates: Estimates, cells: np.ndarray, sample: int) -> np.ndarray:
    """Independent content for every member of every group, keyed by patch and group size."""
    experiment = estimates.experiment
    flat = cells.reshape(-1).clip(0)
    seed = key(experiment.seed, cells.shape[1])
    samples = np.full(len(flat), sample)
    bank = experiment.baseline.bank
    if bank is None or bank.nearest is not None or len(bank) < 2:
        return draw(seed, flat, samples, experiment.baseline.choices).reshape(cells.shape)
    half = bank.design.half(sample)
    return half[draw(seed, flat, samples, len(half))].reshape(cells.shape)
