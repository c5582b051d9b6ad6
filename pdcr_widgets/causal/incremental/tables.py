"""Activations as rows of channels, so that any window can be gathered from them.

A node's table holds the original activations of the part that matters, then the windows of the
interventions in flight, then one row per fill value. Gathering a tile is one ``index_select``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pdcr_widgets.causal.incremental.axes import Ints

FAR = 1 << 28


@dataclass(frozen=True, eq=False)
class Windows:
    """Where the windows of a node lie, for every intervention of a bucket.

    Attributes
    ----------
    starts
        ``(n, dims)`` first position, per axis.
    size
        Extent on every axis, the same for all interventions.
    changed
        ``(n,)`` whether the node changes at all; where not, the window holds nothing of use.
    """

    starts: Ints
    size: tuple[int, ...]
    changed: Ints

    @property
    def rows(self) -> int:
        """Positions in one window."""
        return int(np.prod(self.size))


class Table:
    """Rows of one node's activations.

    Parameters
    ----------
    base
        ``(1, channels, *spatial)`` original activations.
    crop
        Part of them that is ever read.
    fills
        Values that operators see outside the map.
    """

    def __init__(self, base: Tensor, crop: tuple[slice, ...], fills: Sequence[float]) -> None:
        part = base[(0, slice(None), *crop)].movedim(0, -1)
        self.first = tuple(s.start for s in crop)
        self.extent = tuple(s.stop - s.start for s in crop)
        self.channels = part.shape[-1]
        self.base_rows = int(np.prod(self.extent))
        self.fills = tuple(fills)
        self.capacity = 0
        self.rows = self._allocated(part.reshape(self.base_rows, self.channels), 0)

    def _allocated(self, base: Tensor, capacity: int) -> Tensor:
        rows = base.new_empty(self.base_rows + capacity + len(self.fills), self.channels)
        rows[: self.base_rows] = base
        for number, fill in enumerate(self.fills):
            rows[self.base_rows + capacity + number] = fill
        return rows

    @property
    def base(self) -> Tensor:
        """Original rows."""
        return self.rows[: self.base_rows]

    def store(self, values: Tensor) -> None:
        """Keep the windows ``(n, channels, *size)`` of a bucket."""
        rows = values.movedim(1, -1).reshape(-1, self.channels)
        if len(rows) > self.capacity:
            self.rows = self._allocated(self.base, len(rows))
            self.capacity = len(rows)
        self.rows[self.base_rows : self.base_rows + len(rows)] = rows

    def window_rows(self, windows: Windows) -> Tensor:
        """Windows of a bucket, ``(n, *size, channels)``."""
        count = len(windows.starts) * windows.rows
        rows = self.rows[self.base_rows : self.base_rows + count]
        return rows.view(len(windows.starts), *windows.size, self.channels)

    def gather(self, positions: Sequence[Ints], fill: float, windows: Windows | None) -> Tensor:
        """Tile of every intervention, ``(n, channels, *lengths)``.

        Parameters
        ----------
        positions
            Per axis ``(n, length)`` positions in the map, negative where ``fill`` is seen.
        windows
            Windows stored last, or None to read original values only.
        """
        index = self.index(positions, fill, windows)
        shape = (len(positions[0]), *(p.shape[1] for p in positions), self.channels)
        return self.rows.index_select(0, index).view(shape).movedim(-1, 1)

    def index(self, positions: Sequence[Ints], fill: float, windows: Windows | None) -> Tensor:
        """Row of every position of every tile, ``(n * prod(lengths),)`` int32."""
        base, inside, holes = [], [], False
        stride, window_stride = 1, 1
        for axis in reversed(range(len(positions))):
            seen = positions[axis]
            outside = seen < 0
            row = np.clip(seen - self.first[axis], 0, self.extent[axis] - 1) * stride
            if outside.any():
                row[outside], holes = FAR, True
            base.append(row)
            stride *= self.extent[axis]
            if windows is not None:
                inside.append(_window_row(seen, windows, axis, window_stride))
                window_stride *= windows.size[axis]
        index = _outer_sum(base, self.rows.device)
        if windows is not None:
            first = self.base_rows + windows.rows * np.arange(len(windows.starts))
            inside[-1] += np.where(windows.changed, first, -FAR)[:, None]
            torch.maximum(index, _outer_sum(inside, self.rows.device), out=index)
        if holes:
            row = self.base_rows + self.capacity + self.fills.index(fill)
            index.clamp_(max=row)
        return index.flatten()


def _window_row(seen: Ints, windows: Windows, axis: int, stride: int) -> Ints:
    local = seen - windows.starts[:, axis, None]
    held = (local >= 0) & (local < windows.size[axis]) & (seen >= 0)
    return np.where(held, local * stride, -FAR)


def _outer_sum(rows: Sequence[Ints], device: torch.device) -> Tensor:
    """Sum of per-axis ``(n, length)`` numbers, last axis first, ``(n, *lengths)``."""
    total: Tensor | None = None
    for row in rows:
        term = torch.from_numpy(row.astype(np.int32)).to(device)
        if total is None:
            total = term
        else:
            total = term.view(*term.shape, *(1,) * (total.ndim - 1)) + total[:, None]
    assert total is not None
    return total
