"""An intervention kept to a part of the image."""

from __future__ import annotations

from math import isqrt, prod
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pdcr_widgets.causal.arrays import as_region
from pdcr_widgets.causal.components.sites import Site


def as_mask(where: Any, region: np.ndarray) -> np.ndarray | None:
    """Give the drawn area as a boolean array of the image's shape, or None for everywhere.

    Parameters
    ----------
    where
        None, ``"inside"`` or ``"outside"`` (of the region), or an area as `as_region` takes it.
    region
        Boolean array of the image's spatial shape.
    """
    if where is None:
        return None
    if isinstance(where, str):
        if where not in ("inside", "outside"):
            raise ValueError(
                f"where must be None, 'inside', 'outside' or a boolean array, got {where!r}"
            )
        return region if where == "inside" else ~region
    return as_region(where, region.shape)


def mask_at(mask: np.ndarray, site: Site) -> Tensor:
    """Bring a pixel mask to a layer's positions, of size 1 on its channels.

    A position belongs to the area when at least half of the pixels it stands for do (its cell when
    the image is divided evenly), or when it is the only one that holds a small area's centre.

    Raises
    ------
    ValueError
        The layer's positions are not a grid over the image.
    """
    grid = _grid(mask.shape, site)
    share = _cell_means(mask.astype(np.float64), grid)
    chosen = share >= min(0.5, share.max())
    shape = [1 if a == site.channel else n for a, n in enumerate(site.shape)]
    return torch.from_numpy(chosen.reshape(shape))


def _grid(spatial: tuple[int, ...], site: Site) -> tuple[int, ...]:
    sizes = tuple(n for axis, n in enumerate(site.shape) if axis != site.channel)
    if len(sizes) == len(spatial):
        return sizes
    if len(sizes) == 1:
        step = round((prod(spatial) / sizes[0]) ** (1 / len(spatial)))
        grid = tuple(n // max(step, 1) for n in spatial)
        if prod(grid) == sizes[0]:
            return grid
        side = isqrt(sizes[0])
        if len(spatial) == 2 and side * side == sizes[0] and spatial[0] == spatial[1]:
            return side, side
    raise ValueError(
        f"layer {site.name!r} has positions {sizes}, which are no grid over the "
        f"{' x '.join(map(str, spatial))} image, so `where` cannot be applied to it"
    )


def _cell_means(values: np.ndarray, grid: tuple[int, ...]) -> np.ndarray:
    for axis, (n, extent) in enumerate(zip(grid, values.shape, strict=True)):
        start = np.arange(n) * extent // n
        stop = np.maximum(-(-(np.arange(n) + 1) * extent // n), start + 1)
        total = np.concatenate([np.zeros_like(np.take(values, [0], axis)), values], axis)
        total = total.cumsum(axis)
        width = (stop - start).reshape([-1 if a == axis else 1 for a in range(values.ndim)])
        values = (np.take(total, stop, axis) - np.take(total, start, axis)) / width
    return values
