"""The same machinery with the source moved from the input to a layer's output."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from torch import Tensor

from pdcr_widgets.causal.incremental.capture import Recording
from pdcr_widgets.causal.incremental.cones import Cones
from pdcr_widgets.causal.incremental.cost import work
from pdcr_widgets.causal.incremental.executor import Executor
from pdcr_widgets.causal.incremental.folding import simplified
from pdcr_widgets.causal.incremental.graph import Graph, Node, Operand
from pdcr_widgets.causal.incremental.kinds import Whole
from pdcr_widgets.causal.incremental.windows import Plan, planned, same_everywhere


class LayerSource:
    """What follows one layer, as a graph of its own.

    Everything that does not follow from the layer is read from the recording.

    Parameters
    ----------
    graph
        As recorded.
    recording
        Of the original image.
    node
        Whose value is replaced.
    window
        Part of the output that is read.
    """

    def __init__(
        self, graph: Graph, recording: Recording, node: int, window: tuple[slice, ...]
    ) -> None:
        self.node = node
        after = simplified(_after(graph, recording, node), node)
        self.cones = Cones(after, window)
        self._work = work(after)
        self.executor = Executor(after, self.cones, recording.values)
        self.reaches = self.cones.follows(node)
        self.window = self.cones.crop(node) if self.reaches else ()

    def plan(self, count: int) -> Plan:
        """Windows of everything that changes, for a number of interventions."""
        box = same_everywhere(self.window, count)
        windows = [
            self.cones.windows(axis, self.node, (np.array([s.start]), np.array([s.stop - 1])))
            for axis, s in enumerate(self.window)
        ]
        return planned(self.cones, windows, self.node, np.zeros_like(box.starts), box, self._work)

    def run(self, content: Tensor) -> Tensor:
        """Output window for values ``(n, channels, *window)`` of the layer."""
        return self.executor.run(self.node, content, self.plan(len(content)))


def usable_layers(graph: Graph) -> dict[str, int]:
    """Modules whose output is a map of the graph that the output depends on, and its node."""
    live = set(graph.live())
    return {
        name: operand.node
        for name, operand in graph.layers.items()
        if operand.node in live and _is_plain(operand)
    }


def _is_plain(operand: Operand) -> bool:
    return all(view is None for view in operand.views)


def _after(graph: Graph, recording: Recording, source: int) -> Graph:
    """Graph in which recorded nodes that do not follow from the source are given."""
    follows = {source}
    nodes: list[Node] = list(graph.nodes)
    for i in graph.live():
        if any(operand.node in follows for operand in graph[i].operands):
            follows.add(i)
    for i in graph.live():
        node = graph[i]
        known = node.value is not None and isinstance(recording.values[node.value], Tensor)
        whole = isinstance(node.kind, Whole)
        batched = not isinstance(node.kind, Whole) or node.kind.repeats or node.kind.is_map
        if i == source or (i not in follows and known and batched):
            kind = node.kind if whole else None
            nodes[i] = replace(node, kind=kind, operands=(), program=())
    return Graph(nodes, graph.output, {})
