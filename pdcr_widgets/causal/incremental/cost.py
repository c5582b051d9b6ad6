"""How much there is to compute."""

from __future__ import annotations

import numpy as np

from pdcr_widgets.causal.incremental.graph import Graph, Node
from pdcr_widgets.causal.incremental.kinds import Stencil, Transposed, Whole
from pdcr_widgets.causal.incremental.phases import Phases
from pdcr_widgets.causal.incremental.windows import Plan


def work(graph: Graph) -> dict[int, float]:
    """Multiplications per output position of each node, roughly."""
    return {i: _work(graph[i]) for i in graph.live()}


def _work(node: Node) -> float:
    kind = node.kind
    if isinstance(kind, Whole):
        return kind.work / float(np.prod(kind.outputs))
    if isinstance(kind, Phases):
        return sum(w.numel() for w in kind.weights.values()) / len(kind.weights)
    options = getattr(getattr(kind, "compute", None), "keywords", {})
    if "weight" not in options:
        return 4.0 * node.channels
    taps = options["weight"].numel()
    if isinstance(kind, Transposed):
        return float(taps / np.prod(kind.stride))
    assert isinstance(kind, Stencil)
    return float(taps)


def spent(graph: Graph, plan: Plan) -> float:
    """Multiplications that a plan takes, roughly."""
    cost = work(graph)
    return sum(cost[i] * windows.rows for i, windows in plan.items())


def whole(graph: Graph) -> float:
    """Multiplications of a plain forward pass, roughly."""
    cost = work(graph)
    return sum(cost[i] * float(np.prod(graph[i].spatial)) for i in graph.live())


def in_common(graph: Graph, plan: Plan) -> tuple[float, int]:
    """Share of the work on windows that all interventions have in the same place; the largest.

    Returns
    -------
    share : float
        0..1.
    largest : int
        Values of the largest such window, per intervention.
    """
    cost, total, largest = work(graph), 0.0, 0
    for i, windows in plan.items():
        if windows.in_common:
            total += cost[i] * windows.rows
            kind = graph[i].kind
            inside = int(windows.sizes[0].prod()) * graph[i].channels
            largest = max(largest, kind.values if isinstance(kind, Whole) else inside)
    return total / max(spent(graph, plan), 1.0), largest


def footprints(graph: Graph) -> dict[int, float]:
    """Values read or written per output position of each node, the larger of both."""
    result = {}
    for i in graph.live():
        node = graph[i]
        most = float(max(node.channels, 1))
        for operand in node.operands:
            source = graph[operand.node]
            ratio = np.prod(source.spatial) / np.prod(node.spatial)
            most = max(most, source.channels * max(1.0, float(ratio)))
        result[i] = most
    return result
