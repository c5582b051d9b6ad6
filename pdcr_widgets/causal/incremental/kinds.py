"""The windowed operations: what they read for a window of output, and how they compute it.

A kind knows, on each axis, the inclusive interval of input positions that every output reads
(``spans``), the input window that a window of output needs (``read``), and how to compute outputs
from such an input tile (``run``). Tiles and results are ``(n, channels, *window)``; where a tile
leaves the map it holds ``fill``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from pdcr_widgets.causal.moving import sent

Ints = np.ndarray
Shape = tuple[int, ...]

CONV = (torch.conv1d, torch.conv2d, torch.conv3d)
CONV_TRANSPOSE = (torch.conv_transpose1d, torch.conv_transpose2d, torch.conv_transpose3d)
MAX_POOL = (torch.max_pool1d, torch.max_pool2d, torch.max_pool3d)


class Kind(Protocol):
    """A windowed operation on one input."""

    @property
    def fill(self) -> float:
        """What it sees outside the map."""

    @property
    def outputs(self) -> Shape:
        """Extents of the result."""

    def align(self, axis: int) -> int:
        """Windows of output start at a multiple of this."""

    def spans(self, axis: int) -> tuple[Ints, Ints]:
        """First and last input position of every output; may lie outside the map."""

    def read(self, axis: int, start: Ints, size: int) -> tuple[Ints, int]:
        """Start and length of the tile for windows of output that start at ``start``."""

    def run(self, tile: Tensor, starts: Ints, tile_starts: Ints, size: Shape) -> Tensor:
        """Compute windows of output from a tile."""

    def whole(self, values: Tensor) -> Tensor | None:
        """Compute the whole output from the whole input; None to do so from a tile."""


@dataclass(frozen=True, eq=False)
class Stencil:
    """Outputs at ``stride`` read ``kernel`` positions ``dilation`` apart: convolution, pooling.

    ``compute`` works without padding unless it is told of one.
    """

    compute: Callable[..., Tensor]
    outputs: Shape
    kernel: Shape
    stride: Shape
    padding: Shape
    dilation: Shape
    fill: float = 0.0

    def align(self, axis: int) -> int:
        """Windows may start anywhere."""
        return 1

    def reach(self, axis: int) -> int:
        """Input positions from the first to the last that an output reads."""
        return self.dilation[axis] * (self.kernel[axis] - 1) + 1

    def spans(self, axis: int) -> tuple[Ints, Ints]:
        """See `Kind`."""
        first = np.arange(self.outputs[axis]) * self.stride[axis] - self.padding[axis]
        return first, first + self.reach(axis) - 1

    def read(self, axis: int, start: Ints, size: int) -> tuple[Ints, int]:
        """See `Kind`."""
        length = (size - 1) * self.stride[axis] + self.reach(axis)
        return start * self.stride[axis] - self.padding[axis], length

    def run(self, tile: Tensor, starts: Ints, tile_starts: Ints, size: Shape) -> Tensor:
        """See `Kind`."""
        return self.compute(tile)

    def whole(self, values: Tensor) -> Tensor | None:
        """See `Kind`: the operator's own padding saves a copy."""
        result = self.compute(values, padding=self.padding)
        return result if tuple(result.shape[2:]) == self.outputs else None


@dataclass(frozen=True, eq=False)
class Transposed:
    """Transposed convolution; ``compute`` works without padding unless it is told of one."""

    compute: Callable[..., Tensor]
    outputs: Shape
    kernel: Shape
    stride: Shape
    padding: Shape
    dilation: Shape
    fill: float = 0.0

    def align(self, axis: int) -> int:
        """Windows start where the same kernel row falls on the first output."""
        return self.stride[axis]

    def _first(self, axis: int, output: Any) -> Any:
        reach = self.dilation[axis] * (self.kernel[axis] - 1)
        return -((reach - output - self.padding[axis]) // self.stride[axis])

    def spans(self, axis: int) -> tuple[Ints, Ints]:
        """See `Kind`."""
        outputs = np.arange(self.outputs[axis])
        return self._first(axis, outputs), (outputs + self.padding[axis]) // self.stride[axis]

    def read(self, axis: int, start: Ints, size: int) -> tuple[Ints, int]:
        """See `Kind`."""
        first = self._first(axis, 0)
        last = (size - 1 + self.padding[axis]) // self.stride[axis]
        return start // self.stride[axis] + first, last - first + 1

    def run(self, tile: Tensor, starts: Ints, tile_starts: Ints, size: Shape) -> Tensor:
        """See `Kind`."""
        skipped = [
            p - s * self._first(axis, 0)
            for axis, (p, s) in enumerate(zip(self.padding, self.stride, strict=True))
        ]
        wanted = [k + n for k, n in zip(skipped, size, strict=True)]
        result = self.compute(tile, output_padding=self._missing(tile, wanted))
        for axis, n in enumerate(size):
            result = result.narrow(axis + 2, skipped[axis], n)
        return result

    def whole(self, values: Tensor) -> Tensor | None:
        """See `Kind`."""
        cropped = [n + 2 * p for n, p in zip(self.outputs, self.padding, strict=True)]
        more = self._missing(values, cropped)
        return self.compute(values, padding=self.padding, output_padding=more)

    def _missing(self, tile: Tensor, wanted: Sequence[int]) -> tuple[int, ...]:
        """Outputs at the end of each axis that no input reaches: there is the bias alone."""
        missing = []
        for axis, n in enumerate(wanted):
            last = (tile.shape[axis + 2] - 1) * self.stride[axis]
            missing.append(max(0, n - last - self.dilation[axis] * (self.kernel[axis] - 1) - 1))
        return tuple(missing)


@dataclass(frozen=True, eq=False)
class Resample:
    """A weighted sum on each axis: linear interpolation, average pooling.

    Parameters
    ----------
    matrices
        ``(outputs, inputs)`` weights of each axis.
    native
        The operator itself, for whole maps.
    """

    matrices: tuple[Tensor, ...]
    intervals: tuple[tuple[Ints, Ints], ...]
    outputs: Shape
    native: Callable[[Tensor], Tensor] | None = None
    fill: float = 0.0

    @classmethod
    def of(
        cls, matrices: tuple[Tensor, ...], native: Callable[[Tensor], Tensor] | None = None
    ) -> Resample:
        """Find the inputs that each output reads."""
        intervals = []
        for matrix in matrices:
            used = (matrix != 0).cpu().numpy()
            first = used.argmax(1)
            last = used.shape[1] - 1 - used[:, ::-1].argmax(1)
            intervals.append((first, np.where(used.any(1), last, first - 1)))
        return cls(matrices, tuple(intervals), tuple(len(m) for m in matrices), native)

    def align(self, axis: int) -> int:
        """Windows may start anywhere."""
        return 1

    def spans(self, axis: int) -> tuple[Ints, Ints]:
        """See `Kind`."""
        return self.intervals[axis]

    def read(self, axis: int, start: Ints, size: int) -> tuple[Ints, int]:
        """See `Kind`."""
        first, last = self.intervals[axis]
        end = np.minimum(start + size, len(first)) - 1
        begin = first[np.minimum(start, end)]
        return begin, int((last[end] - begin).max()) + 1

    def run(self, tile: Tensor, starts: Ints, tile_starts: Ints, size: Shape) -> Tensor:
        """See `Kind`."""
        for axis, matrix in enumerate(self.matrices):
            weights = _windows(
                matrix, starts[:, axis], size[axis], tile_starts[:, axis], tile.shape[axis + 2]
            )
            rows = tile.movedim(axis + 2, 1).flatten(2)
            shape = (tile.shape[0], size[axis], *_without(tile.shape[1:], axis + 1))
            tile = torch.bmm(weights, rows).view(shape).movedim(1, axis + 2)
        return tile

    def whole(self, values: Tensor) -> Tensor | None:
        """See `Kind`."""
        return None if self.native is None else self.native(values)


def _windows(matrix: Tensor, rows: Ints, height: int, columns: Ints, width: int) -> Tensor:
    outputs, inputs = matrix.shape
    i = rows[:, None] + np.arange(height)
    j = columns[:, None] + np.arange(width)
    index = np.minimum(i, outputs - 1)[:, :, None] * inputs + np.minimum(j, inputs - 1)[:, None, :]
    inside = (i < outputs)[:, :, None] & (j < inputs)[:, None, :]
    flat = torch.cat([matrix.flatten(), matrix.new_zeros(1)])
    where = sent(np.where(inside, index, outputs * inputs), matrix.device)
    return flat[where]


def _without(shape: Shape, position: int) -> Shape:
    return (*shape[:position], *shape[position + 1 :])


@dataclass(frozen=True, eq=False)
class Mean:
    """Mean over the whole map: one position of output."""

    outputs: Shape
    inputs: Shape


@dataclass(frozen=True, eq=False)
class Whole:
    """Anything else: computed on whole maps by the recorded operation.

    ``is_map`` says whether the result is ``(batch, channels, *spatial)``; ``repeats`` whether its
    first axis is the batch, so that an unchanged value may simply be expanded. ``values`` is the
    number of values of the result and ``work`` that of multiplications, for one image.
    """

    outputs: Shape
    is_map: bool
    repeats: bool
    values: int
    work: float
