"""A convolution of an upsampled map, computed on the map before it was upsampled.

After upsampling by ``s``, outputs that lie at the same place within a cell (a phase) read the
coarse map in the same pattern, so each phase is a small convolution of its own: two taps per axis
instead of three for the usual kernel and factor. Where the upsampling is a transposed convolution
without overlap, its weights are multiplied into the convolution's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product

import numpy as np
import torch
from torch import Tensor

from pdcr_widgets.causal.boxes import boxes
from pdcr_widgets.causal.incremental.graph import Graph, Node, Operand
from pdcr_widgets.causal.incremental.kinds import CONV, Ints, Shape, Stencil, Transposed
from pdcr_widgets.causal.moving import sent

GAIN = 0.9


@dataclass(frozen=True, eq=False)
class Phases:
    """Convolutions of a coarse map, one per phase of the fine output.

    Attributes
    ----------
    weights
        By phase, one number per axis.
    first
        Per axis, the first coarse position that each phase reads, relative to its cell.
    bias
        Per channel, away from the border.
    border
        ``(channels, *outputs)`` what to add near the border, where fewer biases of the upsampling
        are read; None for nothing.
    """

    weights: dict[Shape, Tensor]
    first: tuple[Ints, ...]
    bias: Tensor | None
    border: Tensor | None
    kernel: Shape
    factor: Shape
    padding: Shape
    outputs: Shape
    fill: float = 0.0

    def align(self, axis: int) -> int:
        """Windows start with a cell."""
        return self.factor[axis]

    def spans(self, axis: int) -> tuple[Ints, Ints]:
        """See `Kind`."""
        fine = np.arange(self.outputs[axis]) - self.padding[axis]
        factor = self.factor[axis]
        return fine // factor, (fine + self.kernel[axis] - 1) // factor

    def read(self, axis: int, start: Ints, size: int) -> tuple[Ints, int]:
        """See `Kind`."""
        cells = -(-size // self.factor[axis])
        first, last = self._reach(axis)
        return start // self.factor[axis] + first, cells + last - first

    def _reach(self, axis: int) -> tuple[int, int]:
        """First and last coarse position that a cell reads, relative to it."""
        last = self.factor[axis] - 1 - self.padding[axis] + self.kernel[axis] - 1
        return -self.padding[axis] // self.factor[axis], last // self.factor[axis]

    def run(self, tile: Tensor, starts: Ints, tile_starts: Ints, size: Shape) -> Tensor:
        """See `Kind`."""
        dims = len(size)
        cells = [-(-n // s) for n, s in zip(size, self.factor, strict=True)]
        channels = next(iter(self.weights.values())).shape[0]
        shape = [k for pair in zip(cells, self.factor, strict=True) for k in pair]
        fine = tile.new_empty(len(tile), *shape, channels)
        for phase, weight in self.weights.items():
            part = tile
            for axis in range(dims):
                first = int(self.first[axis][phase[axis]]) - self._reach(axis)[0]
                part = part.narrow(axis + 2, first, cells[axis] + weight.shape[axis + 2] - 1)
            place = fine
            for axis, p in enumerate(phase):
                place = place.select(axis + 2, p)
            place.copy_(CONV[dims - 1](part, weight, self.bias).movedim(1, -1))
        flat = [n * s for n, s in zip(cells, self.factor, strict=True)]
        result = fine.view(len(tile), *flat, channels).movedim(-1, 1)
        for axis, n in enumerate(size):
            result = result.narrow(axis + 2, 0, n)
        return result if self.border is None else self._bordered(result, starts, size)

    def whole(self, values: Tensor) -> Tensor | None:
        """See `Kind`."""
        del values
        return None

    def _bordered(self, result: Tensor, starts: Ints, size: Shape) -> Tensor:
        assert self.border is not None
        margin = np.array(self.kernel) + np.array(self.padding)
        far = (starts >= margin) & (starts + size <= np.array(self.outputs) - margin)
        near = np.flatnonzero(~far.all(axis=1))
        if not len(near):
            return result
        more = boxes(self.border, starts[near], size).to(result.dtype)
        return result.index_add_(0, sent(near, result.device), more)


def compose_upsampling(graph: Graph) -> None:
    """Let convolutions read the coarse map where they read an upsampled one."""
    users = graph.users()
    for i in graph.live():
        node = graph[i]
        options = _convolution(node)
        if options is None:
            continue
        operand = node.operands[0]
        source = graph[operand.node]
        factor = _repeated(operand, source.spatial)
        if factor is not None:
            coarse = Operand(operand.node, (None,) * len(factor))
            _replace(graph, i, coarse, factor, None)
        elif users[operand.node] == [i] and _is_cellwise(source, operand):
            assert isinstance(source.kind, Transposed)
            _replace(graph, i, source.operands[0], source.kind.stride, source)


def _convolution(node: Node) -> dict[str, Tensor] | None:
    kind = node.kind
    if not isinstance(kind, Stencil) or not isinstance(kind.compute, partial):
        return None
    options = kind.compute.keywords
    plain = "weight" in options and options["groups"] == 1
    return options if plain and set(kind.stride) | set(kind.dilation) == {1} else None


def _repeated(operand: Operand, spatial: Shape) -> Shape | None:
    """Factors of an upsampling that repeats positions, or None for another view."""
    factor = []
    for view, n in zip(operand.views, spatial, strict=True):
        if view is None or len(view) % n or len(view) == n:
            return None
        factor.append(len(view) // n)
        if not np.array_equal(view, np.repeat(np.arange(n), factor[-1])):
            return None
    return tuple(factor)


def _is_cellwise(node: Node, operand: Operand) -> bool:
    """Whether a node is a transposed convolution without overlap, read as it is."""
    kind = node.kind
    if not isinstance(kind, Transposed) or node.program or not isinstance(kind.compute, partial):
        return False
    whole = all(view is None for view in (*operand.views, *node.operands[0].views))
    cells = kind.kernel == kind.stride and not any(kind.padding) and min(kind.stride) > 1
    coarse = tuple(n // s for n, s in zip(node.spatial, kind.stride, strict=True))
    exact = tuple(n * s for n, s in zip(coarse, kind.stride, strict=True)) == node.spatial
    return whole and cells and exact and kind.compute.keywords["groups"] == 1


def _replace(
    graph: Graph, index: int, coarse: Operand, factor: Shape, transposed: Node | None
) -> None:
    node = graph[index]
    kind = node.kind
    assert isinstance(kind, Stencil)
    assert isinstance(kind.compute, partial)
    weight, bias = kind.compute.keywords["weight"], kind.compute.keywords["bias"]
    up = None if transposed is None else transposed.kind.compute.keywords  # type: ignore[union-attr]
    first = tuple((np.arange(s) - p) // s for s, p in zip(factor, kind.padding, strict=True))
    weights = {
        phase: _of_phase(weight, None if up is None else up["weight"], phase, factor, kind.padding)
        for phase in product(*(range(s) for s in factor))
    }
    before = float(weight[0].numel())
    if up is not None:
        before += up["weight"].shape[0] * up["weight"].shape[1] / weight.shape[0]
    after = sum(w[0].numel() for w in weights.values()) / len(weights)
    if after > GAIN * before:
        return
    border = None
    if up is not None and up["bias"] is not None:
        bias, border = _biases(weight, bias, up["bias"], kind)
    phases = Phases(
        weights, first, bias, border, kind.kernel, factor, kind.padding, kind.outputs
    )  # fmt: skip
    graph.nodes[index] = Node(
        phases, (coarse,), node.program, node.channels, node.spatial, node.value
    )


def _of_phase(
    weight: Tensor, up: Tensor | None, phase: Shape, factor: Shape, padding: Shape
) -> Tensor:
    """Weights ``(out, coarse channels, *taps)`` of one phase."""
    places = [
        divmod(f - p + np.arange(k), s)
        for f, p, k, s in zip(phase, padding, weight.shape[2:], factor, strict=True)
    ]
    taps = [int(cell[-1] - cell[0]) + 1 for cell, _ in places]
    channels = weight.shape[1] if up is None else up.shape[0]
    total = weight.new_zeros((weight.shape[0], channels, *taps), dtype=torch.float64)
    for j in product(*(range(k) for k in weight.shape[2:])):
        tap = tuple(int(cell[a] - cell[0]) for a, (cell, _) in zip(j, places, strict=True))
        part = _tap(weight, j).double()
        if up is not None:
            within = tuple(int(rest[a]) for a, (_, rest) in zip(j, places, strict=True))
            part = part @ _tap(up, within).double().T
        _tap(total, tap).add_(part)
    result = total.to(weight.dtype)
    formats = {4: torch.channels_last, 5: torch.channels_last_3d}
    return result.contiguous(memory_format=formats.get(result.ndim, torch.contiguous_format))


def _tap(weight: Tensor, place: Shape) -> Tensor:
    """Matrix of one position of a kernel."""
    for k in reversed(place):
        weight = weight.select(-1, k)
    return weight


def _biases(
    weight: Tensor, bias: Tensor | None, up: Tensor, kind: Stencil
) -> tuple[Tensor, Tensor]:
    """Bias away from the border, and what differs near it."""
    extents: Sequence[int] = [
        n + k - 1 - 2 * p for n, k, p in zip(kind.outputs, kind.kernel, kind.padding, strict=True)
    ]
    taps = torch.einsum("oc...,c->o...", weight.double(), up.double())
    everywhere = taps.new_ones((1, 1, *extents))
    found = CONV[len(extents) - 1](everywhere, taps[:, None], padding=kind.padding)[0]
    inside = taps.flatten(1).sum(dim=1)
    border = found - inside.view(-1, *(1,) * len(extents))
    total = inside if bias is None else inside + bias.double()
    return total.to(weight.dtype), border.to(weight.dtype)
