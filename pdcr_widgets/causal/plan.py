"""Where interventions are made: the grid of patches, and coarser groups of them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from pdcr_widgets.causal.arrays import as_whole
from pdcr_widgets.causal.boxes import boxes
from pdcr_widgets.causal.moving import sent


@dataclass(frozen=True, eq=False)
class PatchGrid:
    """Patches of one side on a grid anchored at the image's origin.

    The last patch of an axis is cropped to the image. Cells are numbered in row-major order.

    Parameters
    ----------
    spatial
        Shape of the image, pixels.
    patch_size
        Side, pixels; the same on every axis.
    region
        Boolean array of the shape ``spatial``; cells that touch it are left alone.

    Raises
    ------
    TypeError, ValueError
        A side that is no whole number of at least 1, or is larger than the image; no cell left
        outside the region.
    """

    spatial: tuple[int, ...]
    patch_size: int
    region: np.ndarray

    def __post_init__(self) -> None:
        object.__setattr__(self, "patch_size", as_whole(self.patch_size, "patch_size", 1))
        if self.patch_size > min(self.spatial):
            raise ValueError(
                f"patch_size must be 1..{min(self.spatial)} pixels on an image of "
                f"{tuple(self.spatial)}, got {self.patch_size}"
            )
        if len(self.cells) == 0:
            raise ValueError(
                f"no {self.patch_size}-pixel patch lies outside the region on an image of "
                f"{tuple(self.spatial)}; use smaller patches or a smaller region"
            )

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of cells on each axis."""
        return tuple(-(-n // self.patch_size) for n in self.spatial)

    @property
    def size(self) -> tuple[int, ...]:
        """Side of a whole patch on each axis, pixels."""
        return (self.patch_size,) * len(self.spatial)

    @cached_property
    def touching(self) -> np.ndarray:
        """Boolean array of the grid's shape: cells with a pixel of the region."""
        hit = np.zeros(self.shape, dtype=bool)
        hit[tuple(np.argwhere(self.region).T // self.patch_size)] = True
        return hit

    @cached_property
    def cells(self) -> np.ndarray:
        """Cells outside the region, nearest to it first."""
        cells = np.flatnonzero(~self.touching)
        return cells[np.argsort(self.distance(cells), kind="stable")]

    def starts(self, cells: np.ndarray) -> np.ndarray:
        """First pixel of each cell, ``(n, d)``."""
        return np.stack(np.unravel_index(cells, self.shape), axis=1) * self.patch_size

    def distance(self, cells: np.ndarray) -> np.ndarray:
        """Distance in pixels of each cell's centre to the region's bounding box.

        Where the region is empty, to the centre of the image.
        """
        centre = self.starts(cells) + self.patch_size / 2
        where = np.argwhere(self.region)
        if len(where):
            low, high = where.min(axis=0), where.max(axis=0) + 1
        else:
            low = high = np.array(self.spatial) / 2
        gap = np.maximum(np.maximum(low - centre, centre - high), 0)
        return np.sqrt((gap**2).sum(axis=1))

    def groups(self, factor: int) -> tuple[np.ndarray, np.ndarray]:
        """Blocks of ``factor`` cells a side.

        Returns
        -------
        cells : ndarray
            ``(n, factor ** d)`` cells of each block, -1 where there is none or one that touches
            the region.
        corner : ndarray
            ``(n, d)`` first cell of each block on each axis. Nearest to the region first; blocks
            without a cell are left out.
        """
        coarse = [range(0, n, factor) for n in self.shape]
        corners = np.array(list(itertools.product(*coarse)))
        offsets = np.array(list(itertools.product(range(factor), repeat=len(self.shape))))
        places = corners[:, None] + offsets
        exists = (places < self.shape).all(axis=2)
        clipped = np.minimum(places, np.array(self.shape) - 1)
        flat = np.ravel_multi_index(tuple(np.moveaxis(clipped, 2, 0)), self.shape)
        exists &= ~self.touching.reshape(-1)[flat]
        flat = np.where(exists, flat, -1)
        kept = np.flatnonzero(exists.any(axis=1))
        gaps = np.where(exists, self.distance(flat.clip(0).reshape(-1)).reshape(flat.shape), np.inf)
        kept = kept[np.argsort(gaps.min(axis=1)[kept], kind="stable")]
        return flat[kept], corners[kept]


def fit(
    image: Tensor, starts: np.ndarray, content: Tensor, keep: np.ndarray | None = None
) -> tuple[np.ndarray, Tensor]:
    """Move boxes that leave the image back inside, with the image's own pixels in the gap.

    Parameters
    ----------
    image
        ``(channels, *spatial)``.
    starts
        ``(n, d)`` nominal first pixels; boxes may leave the image at the far edge.
    content
        ``(n, channels, *size)``.
    keep
        Optional ``(n, *size)``: True where the image's own pixel stays.

    Returns
    -------
    starts, content
        Boxes of the same size inside the image (cropped to it if they are larger).
    """
    spatial = np.array(image.shape[1:])
    size = np.array(content.shape[2:])
    inside = np.minimum(size, spatial)
    moved = np.minimum(starts, spatial - inside)
    shift = starts - moved
    if keep is not None:
        own = boxes(image, starts, size.tolist())
        content = torch.where(sent(keep, image.device)[:, None], own, content)
    if not (shift.any() or (inside < size).any()):
        return starts, content
    fitted = boxes(image, moved, inside.tolist())
    for row, offset in enumerate(shift.tolist()):
        into = tuple(slice(a, n) for a, n in zip(offset, inside.tolist(), strict=True))
        part = tuple(slice(0, n - a) for a, n in zip(offset, inside.tolist(), strict=True))
        fitted[row][(slice(None), *into)] = content[row][(slice(None), *part)]
    return moved, fitted


def tile(contents: Tensor, factor: int, dims: Sequence[int]) -> Tensor:
    """Lay ``factor ** d`` contents out as one block.

    ``(n, factor ** d, channels, *patch) -> (n, channels, *(factor * patch))``.
    """
    d = len(dims)
    n, _, channels = contents.shape[:3]
    split = contents.reshape(n, *[factor] * d, channels, *dims)
    order = [0, d + 1]
    for axis in range(d):
        order += [1 + axis, d + 2 + axis]
    return split.permute(order).reshape(n, channels, *[factor * p for p in dims])
