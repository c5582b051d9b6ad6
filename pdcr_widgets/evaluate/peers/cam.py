"""Class activation maps for segmentation: what a layer's gradient says of the image."""

from __future__ import annotations

from collections.abc import Callable, Generator

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from pdcr_widgets.causal.arrays import as_whole
from pdcr_widgets.causal.experiment import Target
from pdcr_widgets.evaluate.peers.gradients import activation

Steps = Generator[tuple[int, int], None, np.ndarray]
"""Yields (done, total) and returns the map."""

POOLS: dict[str, Callable[[Tensor, list[int]], Tensor]] = {
    "mean": lambda windows, axes: windows.nanmean(dim=axes),
    "max": lambda windows, axes: windows.nan_to_num(nan=-torch.inf).amax(dim=axes),
}


def seg_grad_cam(target: Target, *, layer: str | None = None) -> Steps:
    """Seg-Grad-CAM: channels weighted by the mean of their gradient.

    ``y`` is the sum of the class's logits over the target's pixels, here those of the region that
    are predicted as the target; ``alpha_k`` the mean of ``dy / dA^k`` over positions; the map is
    ``ReLU(sum_k alpha_k A^k)``, enlarged linearly and divided by its maximum. It shows what
    supports the target only, at the resolution of the layer.

    Parameters
    ----------
    target
        What is explained.
    layer
        Name of the layer; None takes the bottleneck: the last stage at the lowest resolution.

    References
    ----------
    Vinogradova, Dibrov, Myers: Towards interpretable semantic segmentation via gradient-weighted
    class activation mapping, AAAI 2020, arXiv 2002.11434.
    """
    yield 0, 1
    held = activation(target, layer)
    axes = list(range(1, held.slope.ndim))
    return _enlarged((held.slope.mean(dim=axes, keepdim=True) * held.values).sum(dim=0), target)


def seg_hires_grad_cam(target: Target, *, layer: str | None = None) -> Steps:
    """Seg-HiRes-Grad-CAM: gradient times activation at every position, without pooling.

    Parameters and score are those of `seg_grad_cam`.

    References
    ----------
    Draelos and Carin: Use HiResCAM instead of Grad-CAM, arXiv 2011.08891, on the score of
    Seg-Grad-CAM.
    """
    yield 0, 1
    held = activation(target, layer)
    return _enlarged((held.slope * held.values).sum(dim=0), target)


def seg_xres_cam(
    target: Target, *, layer: str | None = None, window: int = 2, pool: str = "mean"
) -> Steps:
    """Seg-XRes-CAM: the gradient is pooled in windows, between the two others.

    A window of 1 gives `seg_hires_grad_cam`, one as large as the layer `seg_grad_cam` (with the
    mean). Windows at the far edge are cropped.

    Parameters
    ----------
    target, layer
        As for `seg_grad_cam`.
    window
        Side of a window, positions of the layer.
    pool
        ``"mean"`` or ``"max"``.

    References
    ----------
    Hasany, Petitjean, Mériaudeau: Seg-XRes-CAM, CVPR Workshops 2023.
    """
    if pool not in POOLS:
        raise ValueError(f"pool must be one of {list(POOLS)}, got {pool!r}")
    window = as_whole(window, "window", 1)
    yield 0, 1
    held = activation(target, layer)
    pooled = _pooled(held.slope, window, POOLS[pool])
    return _enlarged((pooled * held.values).sum(dim=0), target)


def _pooled(values: Tensor, window: int, pool: Callable[[Tensor, list[int]], Tensor]) -> Tensor:
    """Replace each window of ``(channels, *positions)`` by its mean or maximum."""
    sides = values.shape[1:]
    missing = [-n % window for n in sides]
    padding = [amount for n in reversed(missing) for amount in (0, n)]
    whole = F.pad(values, padding, value=torch.nan)
    split = [part for n in whole.shape[1:] for part in (n // window, window)]
    inner = list(range(2, 2 * len(sides) + 1, 2))
    found = pool(whole.reshape(len(values), *split), inner)
    for axis, extent in enumerate(sides, start=1):
        found = found.repeat_interleave(window, dim=axis).narrow(axis, 0, extent)
    return found


def _enlarged(coarse: Tensor, target: Target) -> np.ndarray:
    spatial = tuple(target.image.shape[1:])
    mode = "bilinear" if len(spatial) == 2 else "trilinear"
    shown = F.interpolate(
        torch.relu(coarse.float())[None, None], size=spatial, mode=mode, align_corners=False
    )[0, 0]
    largest = shown.max()
    return (shown / largest if largest > 0 else shown).cpu().numpy()
