"""Windows of a layer's positions: tokens of a transformer, or places of a map."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from math import prod

from pdcr_widgets.causal.components.sites import Site
from pdcr_widgets.causal.components.where import grid_of

MOST = 8
NAME = re.compile(r"(?P<layer>.+)\.window\[(?P<which>[^\]]*)\]")
RANGE = re.compile(r"(\d+):(\d+)")


def window_sites(layer: Site, spatial: tuple[int, ...], which: str = "*") -> list[Site]:
    """Give windows of a layer's positions as sites.

    Parameters
    ----------
    layer
        Of a whole output.
    spatial
        Spatial shape of the image.
    which
        ``"r0:r1,c0:c1"``: that window of the grid of positions, ends excluded. ``"*"``: a grid of
        windows, at most 8 per axis. Where the network itself merges windows into the batch
        (shifted-window attention): ``"5"`` for one of them, ``"*"`` for each.

    Raises
    ------
    ValueError
        There is no such window, or the positions are no grid over the image.
    """
    if layer.merges:
        return [_merged(layer, number) for number in _numbers(layer, which)]
    grid = grid_of(spatial, layer)
    if which == "*":
        ranges = [cuts(n, -(-n // MOST)) for n in grid]
        return [_on_grid(layer, grid, chosen) for chosen in product(*ranges)]
    found = [RANGE.fullmatch(part.strip()) for part in which.split(",")]
    chosen = [(int(part[1]), int(part[2])) for part in found if part is not None]
    fits = len(chosen) == len(found) == len(grid)
    if not fits or any(not 0 <= a < b <= n for (a, b), n in zip(chosen, grid, strict=True)):
        example = ",".join(f"0:{n}" for n in grid)
        raise ValueError(
            f"layer {layer.name!r} has a grid of {' x '.join(map(str, grid))} positions, of which "
            f"[{example}] is all; there is no window [{which}]"
        )
    return [_on_grid(layer, grid, chosen)]


def sized_windows(layer: Site, spatial: tuple[int, ...], size: int) -> list[Site]:
    """Give a grid of windows of ``size`` positions per axis; the last ones may be smaller."""
    grid = grid_of(spatial, layer)
    return [_on_grid(layer, grid, chosen) for chosen in product(*(cuts(n, size) for n in grid))]


def cuts(extent: int, size: int) -> list[tuple[int, int]]:
    """Cut an axis into ranges of a size."""
    return [(start, min(start + size, extent)) for start in range(0, extent, size)]


def _on_grid(layer: Site, grid: tuple[int, ...], chosen: Sequence[tuple[int, int]]) -> Site:
    text = ",".join(f"{start}:{stop}" for start, stop in chosen)
    shape = list(layer.shape)
    axes = [axis for axis in range(len(shape)) if axis != layer.channel]
    sizes = [stop - start for start, stop in chosen]
    is_row = len(axes) < len(grid)
    if is_row:
        shape[axes[0]] = prod(sizes)
        axes = list(range(len(grid)))
    else:
        for axis, size in zip(axes, sizes, strict=True):
            shape[axis] = size
    parts = tuple((axis, *range_) for axis, range_ in zip(axes, chosen, strict=True))
    return replace(
        layer, name=f"{layer.name}.window[{text}]", kind="window", shape=tuple(shape), parts=parts,
        whole=layer.shape, grid=grid if is_row else (),
    )  # fmt: skip


def _merged(layer: Site, number: int) -> Site:
    return replace(
        layer, name=f"{layer.name}.window[{number}]", kind="window", shape=(1, *layer.shape[1:]),
        parts=((0, number, number + 1),), whole=layer.shape,
    )  # fmt: skip


def _numbers(layer: Site, which: str) -> list[int]:
    count = layer.shape[0]
    if which == "*":
        return list(range(count))
    if not which.isdecimal() or int(which) >= count:
        raise ValueError(
            f"layer {layer.name!r} has windows 0 to {count - 1}; there is no window [{which}]"
        )
    return [int(which)]
