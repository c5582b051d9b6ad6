"""The first picture, and what it rules out: groups of patches replaced at once."""

from __future__ import annotations

from collections.abc import Generator, Iterator

import numpy as np

from pdcr_widgets.causal.draws import draw, key
from pdcr_widgets.causal.sampling.progress import Progress, Settings, chunks
from pdcr_widgets.causal.state import Estimates

FACTOR = 4
FEW = 24
WIDEST = 32


def first_picture(
    estimates: Estimates, reached: np.ndarray, factor: int = FACTOR
) -> Iterator[Progress]:
    """Sketch the whole map from one intervention per group of patches.

    Every patch of a group gets content of its own. Grids too small to gain from it are left alone.
    """
    if len(reached) > FEW:
        cells, corners = reached_groups(estimates, factor, reached)
        yield from _test(estimates, cells, corners, 0, np.zeros(len(cells)), "first picture")


def prune(
    estimates: Estimates, settings: Settings, reached: np.ndarray
) -> Generator[Progress, None, np.ndarray]:
    """Leave at 0 the patches of groups that two contrasting interventions show to be irrelevant.

    Groups of up to 32 pixels a side, then halves of them, are replaced at once: first with content
    from the darker half of the bank, then from the brighter (see `Design.half`), each patch with
    its own. Where both change the outcome by less than the threshold, the group is ruled out.

    Returns
    -------
    ndarray
        The patches that are left, nearest to the region first.
    """
    left = reached
    factors = [f for f in (8, 4, 2) if f * estimates.experiment.grid.patch_size <= WIDEST]
    if not factors:
        yield from first_picture(estimates, left)
    for factor in factors if len(reached) > FEW else []:
        cells, corners = reached_groups(estimates, factor, left)
        largest = np.zeros(len(cells))
        for sample in (0, 1):
            yield from _test(estimates, cells, corners, sample, largest, "ruling out")
        kept = cells[largest >= settings.threshold]
        left = left[np.isin(left, kept)]
        estimates.dismiss(reached[~np.isin(reached, left)])
    return left


def reached_groups(
    estimates: Estimates, factor: int, reached: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Groups that hold a patch of ``reached``; other members are left as they are."""
    cells, corners = estimates.experiment.grid.groups(factor)
    cells = np.where(np.isin(cells, reached), cells, -1)
    kept = (cells >= 0).any(axis=1)
    return cells[kept], corners[kept]


def _test(
    estimates: Estimates, cells: np.ndarray, corners: np.ndarray, sample: int,
    largest: np.ndarray, stage: str,
) -> Iterator[Progress]:  # fmt: skip
    """Replace each group once; note its largest effect so far and sketch it."""
    experiment = estimates.experiment
    total = experiment.evaluations + len(cells)
    for part in chunks(np.arange(len(cells)), experiment.engine.batch):
        choices = _choices(estimates, cells[part], sample)
        effect = experiment.group_effects(cells[part], corners[part], choices)
        bigger = np.abs(effect) > largest[part]
        largest[part] = np.maximum(largest[part], np.abs(effect))
        estimates.sketch(cells[part][bigger], effect[bigger])
        yield Progress(total, stage)


def _choices(estimates: Estimates, cells: np.ndarray, sample: int) -> np.ndarray:
    """Independent content for every member of every group, keyed by patch and group size."""
    experiment = estimates.experiment
    flat = cells.reshape(-1).clip(0)
    seed = key(experiment.seed, cells.shape[1])
    bank = experiment.baseline.bank
    if bank is None or bank.nearest is not None or len(bank) < 2:
        samples = np.full(len(flat), sample)
        return draw(seed, flat, samples, experiment.baseline.choices).reshape(cells.shape)
    half = bank.design.half(sample)
    return half[draw(seed, flat, np.full(len(flat), sample), len(half))].reshape(cells.shape)
