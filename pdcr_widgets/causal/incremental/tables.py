"""Activations as rows of channels, so that any window can be gathered from them.

A node's table holds the original activations of the part that matters, then the windows of the
interventions in flight, then one row per fill value. Gathering a tile is one ``index_select``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from pdcr_widgets.causal.incremental.axes import Ints
from pdcr_widgets.causal.incremental.windows import ABSENT, Group, Windows
from pdcr_widgets.causal.moving import sent


def inside(values: Tensor, window: tuple[slice, ...]) -> Tensor:
    """Part of ``(n, channels, *spatial)`` in a window of the spatial axes."""
    for axis, part in enumerate(window):
        values = values.narrow(axis + 2, part.start, part.stop - part.start)
    return values


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
        part = inside(base, crop)[0].movedim(0, -1)
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

    def reserve(self, rows: int) -> None:
        """Make room for the windows of a bucket; what was there is lost."""
        if rows > self.capacity:
            self.rows = self._allocated(self.base, rows)
            self.capacity = rows

    def store(self, values: Tensor, origin: int) -> None:
        """Keep windows ``(m, channels, *size)`` from a row on."""
        rows = values.movedim(1, -1).reshape(-1, self.channels)
        first = self.base_rows + origin
        self.rows[first : first + len(rows)] = rows

    def stored(self, group: Group) -> Tensor:
        """Windows of a group, ``(m, channels, *size)``."""
        first = self.base_rows + group.origin
        rows = self.rows[first : first + len(group.picked) * int(np.prod(group.size))]
        return rows.view(len(group.picked), *group.size, self.channels).movedim(-1, 1)


class Reader:
    """Reads tiles of a table through an operand's views.

    Parameters
    ----------
    table
        Where from.
    spatial
        Shape of the map behind it.
    views
        Per axis the position in the map shown at each position, -1 where the fill value is; None
        for the map as it is.
    fill
        Value seen where a view says so and outside the views.
    """

    def __init__(
        self,
        table: Table,
        spatial: tuple[int, ...],
        views: Sequence[Ints | None],
        fill: float,
    ) -> None:
        self.table = table
        self._fill = table.fills.index(fill)
        self._shown: list[Ints] = []
        self._rows: list[Ints] = []
        stride = int(np.prod(table.extent))
        for axis, extent in enumerate(table.extent):
            view, stride = views[axis], stride // extent
            shown = np.arange(spatial[axis]) if view is None else view
            shown = np.pad(shown, 1, constant_values=-1)
            rows = np.clip(shown - table.first[axis], 0, extent - 1) * stride
            rows[shown < 0] = -ABSENT
            self._shown.append(shown.astype(np.int32))
            self._rows.append(rows.astype(np.int32))

    def gather(
        self, reads: Sequence[tuple[Ints, int]], windows: Windows | None, picked: Ints
    ) -> Tensor:
        """Tiles of some interventions, ``(m, channels, *lengths)``.

        Parameters
        ----------
        reads
            Per axis where each tile starts, ``(m,)``, and its length; tiles may leave the map.
        windows
            Windows of the bucket in the table, or None to read original values only.
        picked
            ``(m,)`` which interventions of the bucket.
        """
        index = self._index(reads, windows, picked)
        table = self.table
        shape = (len(picked), *(length for _, length in reads), table.channels)
        return table.rows.index_select(0, index).view(shape).movedim(-1, 1)

    def _index(
        self, reads: Sequence[tuple[Ints, int]], windows: Windows | None, picked: Ints
    ) -> Tensor:
        """Row of every position of every tile, ``(m * prod(lengths),)`` int32.

        A row of a window lies behind all original rows, so the larger of the two row numbers is
        the right one; a position outside a window has a very negative row there. A position outside
        the map has a very large one, which is cut to the row of the fill value.
        """
        places = [start[:, None] + np.arange(1, length + 1) for start, length in reads]
        rows = [
            np.take(row, place, mode="clip") for row, place in zip(self._rows, places, strict=True)
        ]
        inside = [] if windows is None else self._inside(places, windows, picked)
        terms = _together([*rows, *inside], self.table.rows.device)
        index = _outer_sum(terms[: len(rows)])
        if windows is not None:
            torch.maximum(index, _outer_sum(terms[len(rows) :]), out=index)
        if any(row.max() == -ABSENT for row in rows):
            index.clamp_(max=self.table.base_rows + self.table.capacity + self._fill)
        return index.flatten()

    def _inside(self, places: Sequence[Ints], windows: Windows, picked: Ints) -> list[Ints]:
        """Per axis, the part of a window's row that a position adds."""
        starts, sizes = windows.starts[picked], windows.sizes[picked]
        stride = np.ones((len(picked), 1), dtype=np.int32)
        first = (windows.origins[picked] + self.table.base_rows).astype(np.int32)
        inside: list[Ints] = []
        for axis in reversed(range(len(places))):
            shown = np.take(self._shown[axis], places[axis], mode="clip")
            local = shown - starts[:, axis, None].astype(np.int32)
            size = sizes[:, axis, None].astype(np.int32)
            held = local.view(np.uint32) < size.view(np.uint32)
            inside.append(np.where(held, local * stride, np.int32(ABSENT)))
            stride = stride * size
        inside[-1] = inside[-1] + first[:, None]
        return inside[::-1]


def _together(arrays: Sequence[Ints], device: torch.device) -> list[Tensor]:
    """Arrays ``(m, length)`` on a device, sent at once."""
    if device.type == "cpu":
        return [torch.from_numpy(array) for array in arrays]
    held = sent(np.concatenate(arrays, axis=1), device)
    return list(held.split([array.shape[1] for array in arrays], dim=1))


def _outer_sum(terms: Sequence[Tensor]) -> Tensor:
    """Sum of per-axis ``(m, length)`` numbers at every position, ``(m, *lengths)``."""
    total = terms[-1]
    for term in terms[-2::-1]:
        total = term.view(*term.shape, *(1,) * (total.ndim - 1)) + total[:, None]
    return total
