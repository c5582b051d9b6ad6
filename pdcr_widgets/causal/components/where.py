"""An intervention kept to a part of the image."""

from __future__ import annotations

from math import isqrt, prod
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pdcr_widgets.causal.arrays import as_region
from pdcr_widgets.causal.components.sites import Site

LEADING = (0, 1, 2, 5)  # tokens in front of the grid: none, a class token, two, one with registers


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
    Tokens in front of the grid (a class token) belong to no area.

    Raises
    ------
    ValueError
        The layer's positions are not a grid over the image.
    """
    whole = site.entire()
    grid = grid_of(mask.shape, whole)
    share = _cell_means(mask.astype(np.float64), grid)
    chosen = torch.from_numpy(share >= min(0.5, share.max()))
    sizes = [1 if axis == site.channel else n for axis, n in enumerate(whole.shape)]
    if len(sizes) == 2:
        flat = chosen.flatten()
        chosen = torch.cat([flat.new_zeros(prod(sizes) - len(flat)), flat])
    at = chosen.reshape(sizes)
    return at if all(axis == site.channel for axis, _, _ in site.parts) else site.cut(at[None])[0]


def grid_of(spatial: tuple[int, ...], site: Site) -> tuple[int, ...]:
    """Give the grid over the image that a layer's positions are.

    Raises
    ------
    ValueError
        They are no such grid.
    """
    sizes = tuple(n for axis, n in enumerate(site.shape) if axis != site.channel)
    is_grid = not site.merges and site.kind != "head"
    if is_grid and len(sizes) == len(spatial):
        return sizes
    if is_grid and len(sizes) == 1:
        for count in (sizes[0] - lead for lead in LEADING if lead < sizes[0]):
            step = round((prod(spatial) / count) ** (1 / len(spatial)))
            grid = tuple(n // max(step, 1) for n in spatial)
            if prod(grid) == count:
                return grid
            side = isqrt(count)
            if len(set(spatial)) == 1 and len(spatial) == 2 and side * side == count:
                return side, side
    raise ValueError(
        f"layer {site.name!r} has positions {sizes}, which are no grid over the "
        f"{' x '.join(map(str, spatial))} image; whole outputs of it can be replaced only"
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
