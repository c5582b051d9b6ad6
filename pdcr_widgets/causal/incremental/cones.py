"""Which part of every node an intervention changes and the region reads.

An intervention reaches a forward cone of every map; the region's prediction depends on a backward
cone. Only their intersection has to be computed again. Everything is separable, so the cones are
intervals per axis, and an axis is planned once for all starts on it.

A window may always be computed larger than its intersection: a value outside the forward cone comes
out as the original one, and a value outside the backward cone is read by nothing that matters. So
windows of different interventions can be given one size.

References
----------
Nakandala, Kumar, Papakonstantinou: Incremental and Approximate Inference for Faster
Occlusion-Based Deep CNN Explanations, SIGMOD 2019 (the forward half, for classification).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from pdcr_widgets.causal.incremental.axes import Dependence, Ints, compose, hull, meet
from pdcr_widgets.causal.incremental.graph import Graph
from pdcr_widgets.causal.incremental.kinds import Mean, Whole

Interval = tuple[Ints, Ints]


class Cones:
    """Forward and backward cones of a graph.

    Parameters
    ----------
    graph
        Its nodes' maps are described axis by axis.
    window
        Part of the output that is read.
    """

    def __init__(self, graph: Graph, window: tuple[slice, ...]) -> None:
        self.graph = graph
        self.order = graph.live()
        self.dims = len(window)
        self.window = window
        self._reads = {i: _dependences(graph, i) for i in self.order}
        self.needed = [self._needed(axis) for axis in range(self.dims)]

    def crop(self, node: int) -> tuple[slice, ...]:
        """Part of a node's map that the output window depends on."""
        return tuple(
            slice(int(first[0]), int(last[0]) + 1)
            for first, last in (self.needed[axis][node] for axis in range(self.dims))
        )

    def follows(self, source: int) -> bool:
        """Whether the output depends on a node."""
        if source not in self.order:
            return False
        first, last = self.needed[0][source]
        return bool(last[0] >= first[0])

    def _needed(self, axis: int) -> dict[int, Interval]:
        needed = {i: (np.array([0]), np.array([-1])) for i in self.order}
        part = self.window[axis]
        needed[self.graph.output.node] = (np.array([part.start]), np.array([part.stop - 1]))
        for i in reversed(self.order):
            for operand, reads in zip(self.graph[i].operands, self._reads[i], strict=True):
                source = operand.node
                needed[source] = hull(needed[source], reads[axis].backward(*needed[i]))
        return needed

    def forward(self, axis: int, sources: Mapping[int, Interval]) -> dict[int, Interval]:
        """Part of every node that may change when these parts of the sources change.

        Starts are along the first axis of both arrays of an interval.
        """
        cones = dict(sources)
        count = len(next(iter(cones.values()))[0])
        nothing = (np.zeros(count, np.int64), np.full(count, -1))
        for i in self.order:
            if i in sources:
                continue
            cones[i] = nothing
            for operand, reads in zip(self.graph[i].operands, self._reads[i], strict=True):
                cones[i] = hull(cones[i], reads[axis].forward(*cones[operand.node]))
        return cones

    def windows(self, axis: int, sources: Mapping[int, Interval]) -> dict[int, Interval]:
        """Part of every node that may change and that the output window depends on."""
        cones = self.forward(axis, sources)
        count = len(next(iter(cones.values()))[0])
        nothing = (np.zeros(count, np.int64), np.full(count, -1))
        needed = dict.fromkeys(self.order, nothing)
        part = self.window[axis]
        needed[self.graph.output.node] = (
            np.full(count, part.start),
            np.full(count, part.stop - 1),
        )
        windows = {}
        for i in reversed(self.order):
            windows[i] = meet(needed[i], cones[i])
            if i in sources:
                continue
            for operand, reads in zip(self.graph[i].operands, self._reads[i], strict=True):
                back = reads[axis].backward(*windows[i])
                needed[operand.node] = hull(needed[operand.node], back)
        return windows


def _dependences(graph: Graph, index: int) -> list[list[Dependence]]:
    """Dependence of a node on each operand, per axis."""
    node = graph.nodes[index]
    reads = []
    for position, operand in enumerate(node.operands):
        source = graph.nodes[operand.node]
        axes = []
        for axis, extent in enumerate(source.spatial):
            view = operand.views[axis]
            if isinstance(node.kind, (Mean, Whole)):
                outputs = node.spatial[axis]
                last = (extent if view is None else len(view)) - 1
                spans = np.zeros(outputs, np.int64), np.full(outputs, last)
            elif node.kind is not None and position == 0:
                spans = node.kind.spans(axis)
            else:
                spans = np.arange(node.spatial[axis]), np.arange(node.spatial[axis])
            axes.append(compose(*spans, view, extent))
        reads.append(axes)
    return reads


def reach(graph: Graph, sources: Sequence[int]) -> dict[int, float]:
    """Share of each node's map that an intervention in the middle of the sources changes.

    On the input that is one pixel, on any other node the whole map.
    """
    cones = Cones(graph, tuple(slice(0, n) for n in graph[graph.output.node].spatial))
    shares = dict.fromkeys(cones.order, 1.0)
    for axis in range(cones.dims):
        changed = cones.forward(axis, {i: _middle(graph, i, axis) for i in sources})
        for i, (start, stop) in changed.items():
            shares[i] *= float(stop[0] - start[0] + 1)
    return shares


def _middle(graph: Graph, source: int, axis: int) -> Interval:
    extent = graph[source].spatial[axis]
    first, last = (extent // 2, extent // 2) if source == 0 else (0, extent - 1)
    return np.array([first]), np.array([last])
