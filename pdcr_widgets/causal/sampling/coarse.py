"""The first picture: groups of patches replaced at once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pdcr_widgets.causal.draws import draw, key
from pdcr_widgets.causal.sampling.progress import Progress, chunks
from pdcr_widgets.causal.state import Estimates

FACTOR = 4
FEW = 24


def first_picture(estimates: Estimates, reached: np.ndarray) -> Iterator[Progress]:
    """Sketch the whole map from one intervention per group of patches.

    Every patch of a group gets content of its own. Grids too small to gain from it are left alone.
    """
    experiment = estimates.experiment
    if len(reached) <= FEW:
        return
    cells, corners = reached_groups(estimates, FACTOR, reached)
    total = experiment.evaluations + len(cells)
    for part in chunks(np.arange(len(cells)), experiment.engine.batch):
        choices = group_choices(estimates, cells[part], 0)
        effect = experiment.group_effects(cells[part], corners[part], choices)
        estimates.sketch(cells[part], effect)
        if part[-1] + 1 < len(cells):
            yield Progress(total, "first picture")
    yield Progress(total, "first picture")


def reached_groups(
    estimates: Estimates, factor: int, reached: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Groups that hold a patch of ``reached``; other members are left as they are."""
    cells, corners = estimates.experiment.grid.groups(factor)
    cells = np.where(np.isin(cells, reached), cells, -1)
    kept = (cells >= 0).any(axis=1)
    return cells[kept], corners[kept]


def group_choices(estimates: Estimates, cells: np.ndarray, sample: int) -> np.ndarray:
    """Independent content for every member of every group, keyed by patch and group size."""
    experiment = estimates.experiment
    flat = cells.reshape(-1).clip(0)
    samples = np.full(len(flat), sample)
    seed = key(experiment.seed, cells.shape[1])
    return draw(seed, flat, samples, experiment.baseline.choices).reshape(cells.shape)
