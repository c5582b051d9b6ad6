"""In which order patches are replaced."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pdcr_widgets.causal.plan import PatchGrid
from pdcr_widgets.causal.results import ATEMap

RANKINGS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "supporting": lambda effect: -effect,
    "harming": lambda effect: effect,
    "random": np.zeros_like,
}
"""Priority of a patch from its effect in points: replaced first where it is highest."""


def ranked(scores: Any, grid: PatchGrid, rank: str, seed: int) -> np.ndarray:
    """Order the patches outside the region.

    Parameters
    ----------
    scores
        A map of effects (`ATEMap`), an array of the grid's shape, or one per pixel, which is
        averaged over each patch. Arrays have the sign of effects: negative supports the target.
    grid
        The patches.
    rank
        A key of `RANKINGS`.
    seed
        Of the random order, which also breaks ties: position must not.

    Returns
    -------
    ndarray
        Cells of the grid, first the one that is replaced first.

    Raises
    ------
    ValueError
        An unknown ranking, or scores of another shape, or NaN outside the region.
    """
    if rank not in RANKINGS:
        raise ValueError(f"rank must be one of {list(RANKINGS)}, got {rank!r}")
    cells = np.sort(grid.cells)
    values = per_patch(scores, grid).reshape(-1)[cells]
    if not np.isfinite(values).all():
        raise ValueError(
            f"scores are NaN or infinite on {int((~np.isfinite(values)).sum())} patches outside "
            f"the region; was the map made for another region?"
        )
    shuffled = np.random.default_rng(seed).permutation(len(cells))
    priority = RANKINGS[rank](values)[shuffled]
    return cells[shuffled[np.argsort(-priority, kind="stable")]]


def per_patch(scores: Any, grid: PatchGrid) -> np.ndarray:
    """One score per patch, of the grid's shape; NaN where a patch has none.

    Raises
    ------
    ValueError
        Scores that fit neither the grid nor the image.
    """
    if isinstance(scores, ATEMap):
        if scores.patch_size != grid.patch_size or scores.spatial != grid.spatial:
            raise ValueError(
                f"the map has patches of {scores.patch_size} pixels on an image of "
                f"{scores.spatial}, here are {grid.patch_size} on {tuple(grid.spatial)}"
            )
        scores = scores.effect
    values = np.asarray(scores, dtype=np.float64)
    if values.shape == grid.shape:
        return values
    if values.shape != tuple(grid.spatial):
        raise ValueError(
            f"scores have shape {values.shape}; give one per patch {grid.shape} or one per pixel "
            f"{tuple(grid.spatial)}"
        )
    for axis, extent in enumerate(grid.spatial):
        first = np.arange(0, extent, grid.patch_size)
        counts = np.diff([*first, extent]).reshape(
            [-1 if a == axis else 1 for a in range(values.ndim)]
        )
        values = np.add.reduceat(values, first, axis=axis) / counts
    return values
