"""The same machinery with the source moved from the input to places in the middle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod

import numpy as np
from torch import Tensor

from pdcr_widgets.causal.incremental.capture import Recording
from pdcr_widgets.causal.incremental.cones import Cones
from pdcr_widgets.causal.incremental.cost import work
from pdcr_widgets.causal.incremental.executor import Executor
from pdcr_widgets.causal.incremental.folding import simplified
from pdcr_widgets.causal.incremental.graph import Graph, Node, Operand
from pdcr_widgets.causal.incremental.kinds import Whole
from pdcr_widgets.causal.incremental.pace import pace
from pdcr_widgets.causal.incremental.program import Instruction, Slot
from pdcr_widgets.causal.incremental.windows import Plan, planned, same_everywhere


@dataclass(frozen=True)
class Place:
    """A value of the graph, for everybody who reads it or for one reader.

    Attributes
    ----------
    node : int
        Whose value it is.
    reader, position : int
        The node that reads it, and as which operand; -1 for everybody.
    """

    node: int
    reader: int = -1
    position: int = -1


class Suffix:
    """What follows some places, as a graph of its own.

    Everything that does not follow from them is read from the recording.

    Parameters
    ----------
    graph
        As recorded.
    recording
        Of the original image.
    places
        Whose values are replaced, all at once.
    window
        Part of the output that is read.
    """

    def __init__(
        self,
        graph: Graph,
        recording: Recording,
        places: Sequence[Place],
        window: tuple[slice, ...],
    ) -> None:
        graph, nodes = _with_readers(graph, places)
        after = _after(graph, recording, nodes)
        live = set(after.live())  # without what lies behind another place only
        after = simplified(after, [node for node in nodes if node in live])
        self.cones = Cones(after, window)
        self._work, self._call = work(after), pace(recording.values[0].device).call
        self.executor = Executor(after, self.cones, recording.values)
        reached = [(p, n) for p, n in zip(places, nodes, strict=True) if self.cones.follows(n)]
        self.nodes = dict(reached)
        self.crops = {place: self.cones.crop(node) for place, node in reached}
        self.plain = sum(_plain_size(after[i], recording) for i in self.cones.order)

    def plan(self, count: int) -> Plan:
        """Windows of everything that changes, for a number of interventions."""
        boxes = {n: same_everywhere(self.crops[p], count) for p, n in self.nodes.items()}
        windows = []
        for axis in range(self.cones.dims):
            parts = {n: self.crops[p][axis] for p, n in self.nodes.items()}
            sources = {n: (np.array([s.start]), np.array([s.stop - 1])) for n, s in parts.items()}
            windows.append(self.cones.windows(axis, sources))
        pick = np.zeros((count, self.cones.dims), np.int64)
        return planned(self.cones, windows, boxes, pick, self._work, self._call)

    def run(self, contents: Mapping[Place, Tensor], count: int) -> Tensor:
        """Output window for values of the places that it depends on, in their crops."""
        given = {self.nodes[place]: content for place, content in contents.items()}
        return self.executor.run(given, self.plan(count))


def _with_readers(graph: Graph, places: Sequence[Place]) -> tuple[Graph, list[int]]:
    """Graph in which what one reader reads is a node of its own, and the nodes of all places."""
    nodes, found = list(graph.nodes), []
    for place in places:
        if place.reader < 0:
            found.append(place.node)
            continue
        source, reader = nodes[place.node], nodes[place.reader]
        operands = list(reader.operands)
        kind = source.kind if isinstance(source.kind, Whole) else None
        operand, copied = operands[place.position], Instruction(_itself, (Slot(0),))
        nodes.append(replace(source, kind=kind, operands=(operand,), program=(copied,)))
        operands[place.position] = Operand(len(nodes) - 1, operand.views)
        nodes[place.reader] = replace(reader, operands=tuple(operands))
        found.append(len(nodes) - 1)
    return Graph(nodes, graph.output, {}), found


def _after(graph: Graph, recording: Recording, sources: Sequence[int]) -> Graph:
    """Graph in which recorded nodes that do not follow from the sources are given."""
    follows = set(sources)
    nodes: list[Node] = list(graph.nodes)
    for i in graph.live():
        if any(operand.node in follows for operand in graph[i].operands):
            follows.add(i)
    for i in graph.live():
        node = graph[i]
        known = node.value is not None and isinstance(recording.values[node.value], Tensor)
        whole = isinstance(node.kind, Whole)
        batched = not isinstance(node.kind, Whole) or node.kind.repeats or node.kind.is_map
        if i in sources or (i not in follows and known and batched):
            kind = node.kind if whole else None
            nodes[i] = replace(node, kind=kind, operands=(), program=())
    return Graph(nodes, graph.output, {})


def _plain_size(node: Node, recording: Recording) -> int:
    """Number of values of a node that is no map, per image."""
    if not isinstance(node.kind, Whole) or node.kind.is_map or node.value is None:
        return 0
    return prod(recording.calls[node.value].shape)


def _itself(values: Tensor) -> Tensor:
    return values
