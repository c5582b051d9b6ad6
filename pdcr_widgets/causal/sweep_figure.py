"""A sweep as a picture: how much of the prediction each patch moves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pdcr_widgets.causal.figure import SMALL
from pdcr_widgets.causal.plan import PatchGrid

if TYPE_CHECKING:
    from pdcr_widgets.causal.sweep import Sweep


def changed_pixels(sweep: Sweep) -> np.ndarray:
    """Pixels of the prediction that change per intervention on each patch, mean over draws.

    Returns
    -------
    ndarray
        Of the patch grid's shape; 0 for patches without interventions.
    """
    shape = PatchGrid(sweep.spatial, sweep.patch_size, np.zeros(sweep.spatial, dtype=bool)).shape
    draws = np.bincount(sweep.cells, minlength=int(np.prod(shape)))
    pixels = np.bincount(sweep.cells, np.diff(sweep.offsets), minlength=int(np.prod(shape)))
    return (pixels / np.maximum(draws, 1)).reshape(shape)


def plot_sweep(sweep: Sweep, ax: Any) -> Any:
    """Draw on matplotlib axes how many pixels each patch moves, over the prediction's outline."""
    side = sweep.patch_size
    shown = changed_pixels(sweep).repeat(side, 0).repeat(side, 1)
    rows, columns = sweep.spatial
    image = ax.imshow(shown[:rows, :columns], cmap="magma", interpolation="nearest")
    if (sweep.probability > sweep.threshold).any():
        ax.contour(sweep.probability > sweep.threshold, [0.5], colors="#22d3ee", linewidths=1)
    ax.set_axis_off()
    bar = ax.figure.colorbar(image, ax=ax, shrink=0.85, aspect=25, pad=0.02)
    bar.set_label("pixels that change per intervention", fontsize=SMALL)
    bar.ax.tick_params(labelsize=SMALL)
    return ax
