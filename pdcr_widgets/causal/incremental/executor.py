"""Runs a graph on windows: the interventions of a bucket together, node by node."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from pdcr_widgets.causal.incremental.axes import Ints
from pdcr_widgets.causal.incremental.cones import Cones, Interval
from pdcr_widgets.causal.incremental.graph import Graph, Node, Operand
from pdcr_widgets.causal.incremental.kinds import Mean, Whole
from pdcr_widgets.causal.incremental.program import run
from pdcr_widgets.causal.incremental.tables import Table, Windows

Plan = dict[int, Windows]


class Executor:
    """Tables of one image, and the evaluation of buckets of interventions on it.

    Not to be shared between threads: a bucket's windows live in the tables.

    Parameters
    ----------
    graph
        Simplified graph.
    cones
        Its cones for the output window that is read.
    values
        Per recorded call, the value on the original image.
    """

    def __init__(self, graph: Graph, cones: Cones, values: Sequence[Tensor | None]) -> None:
        self.graph, self.cones = graph, cones
        self._recorded = values
        self._tables: dict[int, Table] = {}
        self._plain: dict[int, Tensor] = {}
        self._fills = _fills(graph)
        self._like = next(v for v in values if v is not None)

    def release(self) -> None:
        """Give back the memory of all windows."""
        self._plain.clear()
        self._tables.clear()

    def table(self, index: int) -> Table:
        """Table of a node's map, made when first asked for."""
        if index not in self._tables:
            crop = self.cones.crop(index)
            base = self._original(index)
            if base is None:
                part = self._recomputed(index, crop)
                table = Table(part, tuple(slice(0, n) for n in part.shape[2:]), self._fills[index])
                table.first = tuple(s.start for s in crop)
            else:
                table = Table(base, crop, self._fills[index])
            self._tables[index] = table
        return self._tables[index]

    def _recomputed(self, index: int, crop: tuple[slice, ...]) -> Tensor:
        """Original values that the recording does not have."""
        node = self.graph[index]
        if isinstance(node.kind, Whole):
            return self._whole(node, {}, 1)[(slice(None), slice(None), *crop)]
        if not node.operands:  # a layer overwritten in place; its window replaces all that is read
            size = _box(crop)[1]
            return self._like.new_zeros((1, node.channels, *size))
        return self._computed(index, *_box(crop), {})

    def _original(self, index: int) -> Tensor | None:
        node = self.graph[index]
        if node.constant is not None:
            return node.constant
        return None if node.value is None else self._recorded[node.value]

    def run(self, source: int, content: Tensor, plan: Plan) -> Tensor:
        """Output window after replacing windows of a source node.

        Parameters
        ----------
        source
            Node whose values are replaced.
        content
            ``(n, channels, *size)`` values for the source's windows in the plan.
        plan
            Windows of every node that changes, as `planned` gives them.

        Returns
        -------
        Tensor
            ``(n, classes, *window)``.
        """
        self._plain.clear()
        self.table(source).store(content)
        for index in self.cones.order:
            if index in plan and index != source:
                self._step(index, plan)
        window = self.cones.window
        starts = np.array([[s.start for s in window]] * len(content))
        positions = [
            starts[:, axis, None] + np.arange(s.stop - s.start) for axis, s in enumerate(window)
        ]
        output = self.graph.output.node
        return self.table(output).gather(positions, 0.0, plan.get(output))

    def _step(self, index: int, plan: Plan) -> None:
        node, windows = self.graph[index], plan[index]
        if isinstance(node.kind, Whole):
            result = self._whole(node, plan, len(windows.starts))
            if not node.kind.is_map:
                self._plain[index] = result
                return
            result = result[(slice(None), slice(None), *self.cones.crop(index))]
        else:
            result = self._computed(index, windows.starts, windows.size, plan)
        self.table(index).store(result)

    def _computed(self, index: int, starts: Ints, size: tuple[int, ...], plan: Plan) -> Tensor:
        """Windows of a node from the tables of its operands."""
        node = self.graph[index]
        if isinstance(node.kind, Mean):
            return self._mean(node, plan, len(starts))
        tiles = []
        for position, operand in enumerate(node.operands):
            if node.kind is not None and position == 0:
                reads = [node.kind.read(a, starts[:, a], n) for a, n in enumerate(size)]
                fill = node.kind.fill if not operand.filled() else operand.fill
                tile = self._gather(operand, reads, fill, plan)
                tile_starts = np.stack([start for start, _ in reads], axis=1)
                tiles.append(node.kind.run(tile, starts, tile_starts, size))
            else:
                reads = [(starts[:, a], n) for a, n in enumerate(size)]
                tiles.append(self._gather(operand, reads, operand.fill, plan))
        return run(node.program, tiles, len(starts)) if node.program else tiles[0]

    def _gather(
        self, operand: Operand, reads: Sequence[tuple[Ints, int]], fill: float, plan: Plan
    ) -> Tensor:
        spatial = self.graph[operand.node].spatial
        positions = []
        for (start, length), view, extent in zip(reads, operand.views, spatial, strict=True):
            seen = start[:, None] + np.arange(length)
            shown = extent if view is None else len(view)
            inside = (seen >= 0) & (seen < shown)
            if view is not None:
                seen = view[np.clip(seen, 0, shown - 1)]
            positions.append(np.where(inside, seen, -1))
        return self.table(operand.node).gather(positions, fill, plan.get(operand.node))

    def _mean(self, node: Node, plan: Plan, count: int) -> Tensor:
        """Mean over the map: the original one plus what the windows changed."""
        source = node.operands[0].node
        table, windows = self.table(source), plan.get(source)
        rows = int(np.prod(self.graph[source].spatial))
        dims = len(self.graph[source].spatial)
        original = table.base.mean(0).view(1, -1, *(1,) * dims).expand(count, *(-1,) * (dims + 1))
        if windows is None:
            return original
        positions = [windows.starts[:, a, None] + np.arange(n) for a, n in enumerate(windows.size)]
        before = table.gather(positions, 0.0, None)
        held = windows.changed.reshape(-1, *(1,) * dims)
        for axis, seen in enumerate(positions):
            shape = [count, *(1,) * dims]
            shape[axis + 1] = -1
            held = held & (seen < self.graph[source].spatial[axis]).reshape(shape)
        mask = torch.from_numpy(held).to(before.device)[:, None]
        change = (table.window_rows(windows).movedim(-1, 1) - before).where(mask, 0)
        return original + change.sum(tuple(range(2, dims + 2)), keepdim=True) / rows

    def _whole(self, node: Node, plan: Plan, count: int) -> Tensor:
        """Run a recorded operation on whole values."""
        operands = [self._full(operand, plan, count) for operand in node.operands]
        return run(node.program, operands, count)  # type: ignore[no-any-return]

    def _full(self, operand: Operand, plan: Plan, count: int) -> Tensor:
        index = operand.node
        node = self.graph[index]
        if not isinstance(node.kind, Whole) or node.kind.is_map:
            extents = [
                n if v is None else len(v) for n, v in zip(node.spatial, operand.views, strict=True)
            ]
            reads = [(np.zeros(count, np.int64), n) for n in extents]
            return self._gather(operand, reads, operand.fill, plan)
        if index not in self._plain:
            original = self._recorded[node.value] if node.value is not None else None
            if isinstance(original, Tensor) and node.kind.repeats:
                self._plain[index] = original.expand(count, *original.shape[1:])
            else:
                self._plain[index] = self._whole(node, plan, count)
        return self._plain[index]


def planned(
    cones: Cones, windows: Sequence[dict[int, Interval]], source: int, pick: Ints, box: Windows
) -> Plan:
    """Windows of one bucket, equal in size for all its interventions.

    Parameters
    ----------
    windows
        Per axis, of every node the interval of each start.
    pick
        ``(n, dims)`` which start of each axis an intervention has.
    box
        Windows of the source.
    """
    plan = {source: box}
    for index in cones.order:
        if index == source:
            continue
        first = np.stack([w[index][0][pick[:, a]] for a, w in enumerate(windows)], axis=1)
        last = np.stack([w[index][1][pick[:, a]] for a, w in enumerate(windows)], axis=1)
        changed = (last >= first).all(axis=1)
        if changed.any():
            plan[index] = _equal(cones, index, first, last, changed)
    return plan


def _equal(cones: Cones, index: int, first: Ints, last: Ints, changed: Ints) -> Windows:
    kind = cones.graph[index].kind
    if isinstance(kind, Whole):
        starts, size = (
            _box(cones.crop(index))
            if kind.is_map
            else (np.zeros((1, cones.dims), int), (1,) * cones.dims)
        )
        return Windows(np.repeat(starts, len(first), axis=0), size, changed)
    align = [1] * cones.dims
    if kind is not None and not isinstance(kind, Mean):
        align = [kind.align(axis) for axis in range(cones.dims)]
    starts = np.where(changed[:, None], first, 0) // align * align
    size = (last - starts + 1)[changed].max(axis=0)
    return Windows(starts, tuple(int(n) for n in size), changed)


def _box(crop: tuple[slice, ...]) -> tuple[Ints, tuple[int, ...]]:
    return np.array([[s.start for s in crop]]), tuple(s.stop - s.start for s in crop)


def _fills(graph: Graph) -> dict[int, tuple[float, ...]]:
    fills: dict[int, set[float]] = {i: set() for i in graph.live()}
    for i in graph.live():
        node = graph[i]
        for position, operand in enumerate(node.operands):
            first = position == 0 and node.kind is not None
            if first and not isinstance(node.kind, (Mean, Whole)) and not operand.filled():
                fills[operand.node].add(node.kind.fill)  # type: ignore[union-attr]
            else:
                fills[operand.node].add(operand.fill)
    fills[graph.output.node].add(0.0)
    return {i: tuple(sorted(values)) for i, values in fills.items()}
