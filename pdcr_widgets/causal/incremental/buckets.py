"""Which interventions to evaluate together, so that equal windows waste little."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pdcr_widgets.causal.incremental.axes import Ints
from pdcr_widgets.causal.incremental.cones import Interval
from pdcr_widgets.causal.incremental.graph import Graph, Node
from pdcr_widgets.causal.incremental.kinds import Stencil, Transposed

Windows1D = dict[int, Interval]


def work(graph: Graph) -> dict[int, float]:
    """Multiplications per output position of each node, roughly."""
    return {i: _work(graph[i]) for i in graph.live()}


def _work(node: Node) -> float:
    kind = node.kind
    options = getattr(getattr(kind, "compute", None), "keywords", {})
    if "weight" not in options:
        return 4.0 * node.channels
    taps = options["weight"].numel()
    if isinstance(kind, Transposed):
        return float(taps / np.prod(kind.stride))
    assert isinstance(kind, Stencil)
    return float(taps)


def axis_costs(windows: Windows1D, cost: dict[int, float], spatial: dict[int, int]) -> Ints:
    """What each start along an axis costs, were the other axes alike."""
    total = np.zeros(len(next(iter(windows.values()))[0]))
    for index, (first, last) in windows.items():
        total += cost[index] * spatial[index] * (last - first + 1)
    return total


def arrange(starts: Ints, costs: Sequence[Ints], count: int) -> list[Ints]:
    """Split interventions into buckets of at most ``count`` that cost alike on every axis.

    Parameters
    ----------
    starts
        ``(n, dims)``.
    costs
        Per axis, the cost of every start.
    """
    buckets = -(-len(starts) // count)
    dims = starts.shape[1]
    bands = max(1, round(buckets ** (1 / dims)))
    keys = []
    for axis in range(dims):
        cost = costs[axis][starts[:, axis]]
        rank = np.unique(cost, return_inverse=True)[1].reshape(-1)
        order = np.argsort(rank, kind="stable")
        band = np.empty(len(starts), dtype=np.int64)
        band[order] = np.arange(len(starts)) * bands // len(starts)
        keys.append(band)
    order = np.lexsort(keys)
    return [np.sort(part) for part in np.array_split(order, buckets)]
