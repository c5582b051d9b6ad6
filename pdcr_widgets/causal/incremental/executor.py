"""Runs a graph on windows: the interventions of a bucket together, node by node."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from torch import Tensor

from pdcr_widgets.causal.incremental.axes import Ints
from pdcr_widgets.causal.incremental.common import Common, joined
from pdcr_widgets.causal.incremental.cones import Cones
from pdcr_widgets.causal.incremental.cost import footprints
from pdcr_widgets.causal.incremental.graph import Graph, Node, Operand
from pdcr_widgets.causal.incremental.kinds import Kind, Mean, Whole
from pdcr_widgets.causal.incremental.pace import pace
from pdcr_widgets.causal.incremental.program import run
from pdcr_widgets.causal.incremental.tables import Reader, Table, inside
from pdcr_widgets.causal.incremental.windows import Group, Plan, Windows, chunks
from pdcr_widgets.causal.moving import sent
from pdcr_widgets.causal.precision import full_precision


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
        self._common: dict[int, Common] = {}
        self._stored: set[int] = set()
        self._footprints = footprints(graph)
        self._readers: dict[tuple[int, float], Reader] = {}
        self._fills = _fills(graph)
        self._like = next(v for v in values if v is not None)
        self._most = pace(self._like.device).part

    def release(self) -> None:
        """Give back the memory of all windows."""
        self._plain.clear()
        self._tables.clear()
        self._readers.clear()

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
        if not node.operands:  # a layer overwritten in place; its window replaces all that is read
            size = _box(crop)[1]
            return self._like.new_zeros((1, node.channels, *size))
        if isinstance(node.kind, Whole):
            return inside(self._whole(node, {}, 1), crop)
        align = getattr(node.kind, "align", lambda _axis: 1)
        ahead = [s.start % align(axis) for axis, s in enumerate(crop)]
        wide = tuple(slice(s.start - n, s.stop) for s, n in zip(crop, ahead, strict=True))
        starts, size = _box(wide)
        values = self._computed(index, starts, size, {}, np.zeros(1, np.int64))
        return values[(slice(None), slice(None), *(slice(n, None) for n in ahead))]

    def _original(self, index: int) -> Tensor | None:
        node = self.graph[index]
        if node.constant is not None:
            return node.constant
        return None if node.value is None else self._recorded[node.value]

    def run(self, contents: Mapping[int, Tensor], plan: Plan) -> Tensor:
        """Output window after replacing windows of some nodes, all of them at once.

        Parameters
        ----------
        contents
            By node, ``(n, channels, *size)`` values for its windows in the plan; of a node that is
            no map, whole values with the images along the first axis.
        plan
            Windows of every node that changes, as `planned` gives them.

        Returns
        -------
        Tensor
            ``(n, classes, *window)``.
        """
        count = len(plan[next(iter(contents))].starts)
        with full_precision(self._like.device):
            return self._run(contents, plan, count)

    def _run(self, contents: Mapping[int, Tensor], plan: Plan, count: int) -> Tensor:
        try:
            for source, content in contents.items():
                self._give(source, content, plan)
            for index in self.cones.order:
                if index in plan and index not in contents:
                    self._step(index, plan, count)
            reads = [(np.full(count, s.start), s.stop - s.start) for s in self.cones.window]
            return self._gather(self.graph.output, reads, 0.0, plan, np.arange(count))
        finally:
            for held in (self._plain, self._common, self._stored):
                held.clear()

    def _give(self, source: int, content: Tensor, plan: Plan) -> None:
        kind = self.graph[source].kind
        if isinstance(kind, Whole) and not kind.is_map:
            self._plain[source] = content
        else:
            self._keep(source, plan[source], content)

    def _keep(self, index: int, windows: Windows, values: Tensor) -> None:
        """Keep the windows of a node that all lie in one group."""
        if windows.in_common:
            start = tuple(int(n) for n in windows.starts[0])
            self._common[index] = Common(values, start, self.graph[index].spatial)
        else:
            self.table(index).reserve(windows.rows)
            self.table(index).store(values, 0)

    def _store(self, index: int, windows: Windows) -> None:
        """Put windows that lie in common into the table, too, where readers differ in place."""
        if index in self._common and index not in self._stored:
            self.table(index).reserve(windows.rows)
            self.table(index).store(self._common[index].values, 0)
            self._stored.add(index)

    def _step(self, index: int, plan: Plan, count: int) -> None:
        node, windows = self.graph[index], plan[index]
        if isinstance(node.kind, Whole):
            result = self._whole(node, plan, count)
            if node.kind.is_map:
                self._keep(index, windows, inside(result, self.cones.crop(index)))
            else:
                self._plain[index] = result
        elif isinstance(node.kind, Mean):
            self._keep(index, windows, self._mean(node, plan, windows.groups[0].picked))
        elif windows.in_common:
            parts = self._parts(index, windows.groups[0], plan)
            self._keep(index, windows, joined([(v, n) for v, _, n in parts], count))
        else:
            table = self.table(index)
            table.reserve(windows.rows)
            for group in windows.groups:
                for values, origin, used in self._parts(index, group, plan):
                    table.store(values[:used], origin)

    def _parts(self, index: int, group: Group, plan: Plan) -> Iterator[tuple[Tensor, int, int]]:
        """Windows of a group, part by part: values, first row, and how many count."""
        for part, used in chunks(group, self._footprints[index], self._most):
            starts = plan[index].starts[part.picked]
            values = self._computed(index, starts, group.size, plan, part.picked)
            yield values, part.origin, used

    def _computed(
        self, index: int, starts: Ints, size: tuple[int, ...], plan: Plan, picked: Ints
    ) -> Tensor:
        """Windows of a node from the tables of its operands."""
        node, kind = self.graph[index], self.graph[index].kind
        if isinstance(kind, Mean):
            return self._mean(node, plan, picked)
        assert not isinstance(kind, Whole)
        tiles: list[Tensor] = []
        for position, operand in enumerate(node.operands):
            if kind is not None and position == 0:
                whole = self._natively(node, kind, size, plan, picked)
                if whole is not None:
                    tiles.append(whole)
                    continue
                reads = [kind.read(a, starts[:, a], n) for a, n in enumerate(size)]
                fill = kind.fill if not operand.filled() else operand.fill
                tile = self._gather(operand, reads, fill, plan, picked)
                tile_starts = np.stack([start for start, _ in reads], axis=1)
                tiles.append(kind.run(tile, starts, tile_starts, size))
            else:
                reads = [(starts[:, a], n) for a, n in enumerate(size)]
                tiles.append(self._gather(operand, reads, operand.fill, plan, picked))
        return run(node.program, tiles, len(starts)) if node.program else tiles[0]

    def _natively(
        self, node: Node, kind: Kind, size: tuple[int, ...], plan: Plan, picked: Ints
    ) -> Tensor | None:
        """Whole output from a whole input that all interventions change; None for other windows."""
        operand = node.operands[0]
        common = self._common.get(operand.node) if operand.node in plan else None
        plain = all(view is None for view in operand.views)
        if common is None or not plain or not common.is_whole or size != node.spatial:
            return None
        return kind.whole(common.rows(picked))

    def _gather(
        self,
        operand: Operand,
        reads: Sequence[tuple[Ints, int]],
        fill: float,
        plan: Plan,
        picked: Ints,
    ) -> Tensor:
        index = operand.node
        if index in plan and index in self._common:
            plain = all(view is None for view in operand.views)
            tile = self._common[index].tile(reads, fill, picked) if plain else None
            if tile is not None:
                return tile
            self._store(index, plan[index])
        key = (id(operand), fill)
        if key not in self._readers:
            spatial = self.graph[index].spatial
            self._readers[key] = Reader(self.table(index), spatial, operand.views, fill)
        return self._readers[key].gather(reads, plan.get(index), picked)

    def _mean(self, node: Node, plan: Plan, picked: Ints) -> Tensor:
        """Mean over the map: the original one plus what the windows changed."""
        source = node.operands[0].node
        if source in self._common and self._common[source].is_whole:
            values = self._common[source].rows(picked)
            return values.mean(tuple(range(2, values.ndim)), keepdim=True)
        table, windows = self.table(source), plan.get(source)
        spatial = self.graph[source].spatial
        count = 1 if windows is None else len(windows.origins)
        total = table.base.sum(0).repeat(count, 1)
        if windows is not None:
            self._store(source, windows)
        for group in windows.groups if windows is not None else ():
            starts = windows.starts[group.picked]  # type: ignore[union-attr]
            reads = [(starts[:, a], n) for a, n in enumerate(group.size)]
            operand = node.operands[0]
            before = self._gather(operand, reads, operand.fill, {}, group.picked)
            change = table.stored(group) - before
            for axis, (start, length) in enumerate(reads):
                seen = start[:, None] + np.arange(length)
                held = sent(seen < spatial[axis], change.device)
                shape = [1] * change.ndim
                shape[0], shape[axis + 2] = held.shape
                change = change.where(held.view(shape), 0)
            where = sent(group.picked, change.device)
            total[where] += change.flatten(2).sum(2)
        result = total[sent(picked, total.device)] / float(np.prod(spatial))
        return result.view(*result.shape, *(1,) * len(spatial))

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
            return self._gather(operand, reads, operand.fill, plan, np.arange(count))
        if index not in self._plain:
            original = self._recorded[node.value] if node.value is not None else None
            if isinstance(original, Tensor) and node.kind.repeats:
                self._plain[index] = original.expand(count, *original.shape[1:])
            else:
                self._plain[index] = self._whole(node, plan, count)
        return self._plain[index]


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
