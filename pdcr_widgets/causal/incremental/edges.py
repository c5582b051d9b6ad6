"""The same machinery with the source moved to one edge of the graph: one reader of a map."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from pdcr_widgets.causal.incremental.capture import Ref, Unsupported
from pdcr_widgets.causal.incremental.engine import IncrementalEngine
from pdcr_widgets.causal.incremental.graph import Graph, Node, Operand, operator_name
from pdcr_widgets.causal.incremental.layers import LayerSource
from pdcr_widgets.causal.incremental.program import Instruction, Slot


class EdgeSource:
    """Exact predictions after replacing what one operation reads of another.

    Everybody else who reads the same map goes on reading the original.

    Parameters
    ----------
    engine
        For the image and the window that is read.
    operator
        Name of the reading operation, such as ``"cat"``.
    number
        Which of the operations of this name that depend on the image, 0 first.
    path
        Place in its arguments.

    Raises
    ------
    Unsupported
        The operation is not a window of the graph, or does not read a map there.
    """

    def __init__(
        self, engine: IncrementalEngine, operator: str, number: int, path: tuple[int, ...]
    ) -> None:
        self._engine = engine
        graph, node = _with_copy(engine, operator, number, path)
        self._source = LayerSource(graph, engine._recording, node, engine._window)
        self.shape = (graph[node].channels, *graph[node].spatial)
        self.window = self._source.window

    @torch.no_grad()
    def probabilities(self, values: Tensor) -> Tensor:
        """Predict: ``(n, channels, *window)`` replacements -> ``(n, *window)`` in 0..1."""
        engine = self._engine
        scores = engine.original_scores.expand(len(values), *engine.original_scores.shape)
        if self._source.reaches:
            each = engine._bytes(self._source.plan(1), self._source.cones.graph)
            count = max(1, engine._memory // each)
            parts = values.to(scores).split(count)
            scores = torch.cat([self._source.run(part) for part in parts])
        return engine._segmenter.probability(scores)


def _with_copy(
    engine: IncrementalEngine, operator: str, number: int, path: tuple[int, ...]
) -> tuple[Graph, int]:
    """Graph in which the edge has a node of its own, and that node."""
    graph, calls = engine._graph, engine._recording.calls
    found = [
        i for i, call in enumerate(calls) if call.live and _named(call) and _name(call) == operator
    ]
    if number >= len(found):
        raise Unsupported(f"the recorded graph has {len(found)} operations {operator!r}")
    read: Any = calls[found[number]].args
    for place in path:
        read = read[place]
    readers = [i for i in graph.live() if graph[i].value == found[number]]
    if not readers or not isinstance(read, Ref):
        raise Unsupported(f"operation {operator!r} is not a window of the graph")
    (reader,) = readers
    node = graph[reader]
    places = [p for p, o in enumerate(node.operands) if graph[o.node].value == read.index]
    if len(places) != 1 or any(v is not None for v in node.operands[places[0]].views):
        raise Unsupported(f"operation {operator!r} reads a view of a map")
    source = graph[node.operands[places[0]].node]
    step = (Instruction(_itself, (Slot(0),)),)
    copy = Node(
        None, (node.operands[places[0]],), step, source.channels, source.spatial, source.value
    )
    operands = list(node.operands)
    operands[places[0]] = Operand(len(graph.nodes), operands[places[0]].views)
    nodes = [*graph.nodes, copy]
    nodes[reader] = Node(
        node.kind, tuple(operands), node.program, node.channels, node.spatial, node.value
    )
    return Graph(nodes, graph.output, {}), len(nodes) - 1


def _named(call: object) -> bool:
    return hasattr(getattr(call, "op", None), "_schema")


def _name(call: object) -> str:
    return operator_name(call)  # type: ignore[arg-type]


def _itself(values: Tensor) -> Tensor:
    return values
