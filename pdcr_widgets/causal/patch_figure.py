"""Patches side by side, for a look at a bank."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from pdcr_widgets.causal.figure import PAGE
from pdcr_widgets.causal.needs import needs
from pdcr_widgets.causal.pictured import Pictured

PER_ROW = 12
SHOWN = 48  # patches
GAP = 1  # pixels between patches


class PatchSheet(Pictured):
    """Patches that show themselves side by side."""

    patches: Tensor

    def _draw(self, figure: Any, **_options: Any) -> None:
        figure.set_size_inches(PAGE, 0.25 * PAGE)
        plot_patches(self.patches, SHOWN, figure.add_subplot())


def sheet(patches: Tensor, count: int) -> np.ndarray:
    """Some patches on one picture, ``(height, width)`` or ``(height, width, 3)``; NaN between.

    Parameters
    ----------
    patches
        ``(n, channels, *patch)``; three channels are colours, of others the first is shown. Of a
        cube its middle slice.
    count
        Patches at most, evenly chosen.
    """
    if count < 1:
        raise ValueError(f"count must be at least 1, got {count}")
    numbers = torch.linspace(0, len(patches) - 1, min(count, len(patches))).round().long()
    shown = patches[numbers].float().cpu()
    if shown.ndim == 5:
        shown = shown[:, :, shown.shape[2] // 2]
    shown = shown if shown.shape[1] == 3 else shown[:, :1]
    _, channels, height, width = shown.shape
    rows, columns = -(-len(shown) // PER_ROW), min(PER_ROW, len(shown))
    whole = np.full(
        (rows * (height + GAP) - GAP, columns * (width + GAP) - GAP, channels), np.nan, np.float32
    )
    for number, patch in enumerate(shown.movedim(1, -1).numpy()):
        top, left = number // PER_ROW * (height + GAP), number % PER_ROW * (width + GAP)
        whole[top : top + height, left : left + width] = patch
    return whole if channels == 3 else whole[..., 0]


def plot_patches(patches: Tensor, count: int, ax: Any = None) -> Any:
    """Draw a sheet of patches, black at the lowest value and white at the highest."""
    if ax is None:
        pyplot = needs("matplotlib.pyplot", "plot")
        _, ax = pyplot.subplots(layout="constrained")
    whole = sheet(patches, count)
    low, high = np.nanmin(whole), np.nanmax(whole)
    scaled = (whole - low) / max(float(high - low), 1e-9)
    ax.imshow(np.nan_to_num(scaled, nan=1.0), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    sides = " x ".join(str(side) for side in patches.shape[2:])
    ax.set_title(f"{len(patches)} patches of {sides} pixels, {low:.3g} to {high:.3g}", fontsize=9)
    ax.set_axis_off()
    return ax
