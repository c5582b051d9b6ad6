"""Fewer and cheaper nodes for the same function.

Batch norms are folded into copies of the convolutions' weights, pointwise operators run on the
window that the operator before them has just computed, and a convolution of concatenated maps
becomes a sum of convolutions, so that a part that an intervention does not change is not computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from pdcr_widgets.causal.incremental.axes import look_through
from pdcr_widgets.causal.incremental.cones import reach
from pdcr_widgets.causal.incremental.graph import Graph, Node, Operand
from pdcr_widgets.causal.incremental.kinds import Resample, Stencil, Transposed
from pdcr_widgets.causal.incremental.phases import Phases, compose_upsampling
from pdcr_widgets.causal.incremental.program import Instruction, Slot, Temp, affine, joined

SIMILAR = 0.8


def simplified(graph: Graph, sources: Sequence[int] = (0,)) -> Graph:
    """Graph of the same function with fewer windows to compute; the given one is left alone.

    Parameters
    ----------
    sources
        Nodes whose values interventions will replace; they stay as they are.
    """
    graph = Graph([replace(node) for node in graph.nodes], graph.output, {})
    fold_batch_norms(graph, sources)
    split_concatenations(graph, reach(graph, sources))
    compose_upsampling(graph)
    merge_pointwise(graph, reach(graph, sources), sources)
    return graph


def fold_batch_norms(graph: Graph, sources: Sequence[int]) -> None:
    """Scale the weights of convolutions that only a batch norm reads."""
    users = graph.users()
    for i in graph.live():
        node = graph[i]
        if len(node.program) != 1 or node.program[0].op is not affine or node.kind is not None:
            continue
        before = node.operands[0].node
        conv = graph[before]
        if _is_plain(node.operands[0]) and users[before] == [i] and before not in sources:
            kind = _scaled(conv, *node.program[0].args[1:])
            if kind is not None:
                graph.nodes[i] = replace(node, kind=kind, operands=conv.operands, program=())


def _scaled(conv: Node, scale: Tensor, shift: Tensor) -> Any:
    kind = conv.kind
    if conv.program or not isinstance(kind, (Stencil, Transposed)):
        return None
    if not isinstance(kind.compute, partial) or "weight" not in kind.compute.keywords:
        return None
    options = dict(kind.compute.keywords)
    weight, bias = options["weight"], options["bias"]
    factor, offset = scale.flatten().double(), shift.flatten().double()
    if isinstance(kind, Stencil):
        spread = factor.view(-1, *(1,) * (weight.ndim - 1))
    else:
        groups = options["groups"]
        shape = (groups, 1, weight.shape[1], *(1,) * (weight.ndim - 2))
        spread = factor.view(shape).expand(-1, weight.shape[0] // groups, *shape[2:]).flatten(0, 1)
    if bias is not None:
        offset = offset + bias.double() * factor
    options["weight"] = (weight.double() * spread).to(weight.dtype)
    options["bias"] = offset.to(weight.dtype)
    return replace(kind, compute=partial(kind.compute.func, **options))


def split_concatenations(graph: Graph, extent: dict[int, float]) -> None:
    """Convolve concatenated maps one by one where interventions change unlike parts of them."""
    for i in graph.live():
        node = graph[i]
        joint = _concatenation(graph, node)
        if joint is None:
            continue
        groups: list[list[int]] = []
        for position, operand in enumerate(joint.operands):
            share = extent[operand.node]
            if graph[operand.node].channels == 0:  # a placeholder, as timm's encoders give
                continue
            for group in groups:
                other = extent[joint.operands[group[0]].node]
                if min(share, other) >= SIMILAR * max(share, other):
                    group.append(position)
                    break
            else:
                groups.append([position])
        if len(groups) > 1:
            graph.nodes[i] = _summed(graph, node, joint, groups)


def _concatenation(graph: Graph, node: Node) -> Node | None:
    kind = node.kind
    if not isinstance(kind, Stencil) or not isinstance(kind.compute, partial):
        return None
    options = kind.compute.keywords
    joint = graph[node.operands[0].node]
    is_cat = len(joint.program) == 1 and joint.program[0].op is torch.ops.aten.cat.default
    if "weight" not in options or options["groups"] != 1 or joint.kind is not None or not is_cat:
        return None
    if node.operands[0].filled() and any(o.filled() for o in joint.operands):
        return None
    return None if any(o.filled() and o.fill != 0 for o in joint.operands) else joint


def _summed(graph: Graph, node: Node, joint: Node, groups: list[list[int]]) -> Node:
    """Sum of the convolutions of groups of the concatenated maps."""
    kind, outer = node.kind, node.operands[0]
    assert isinstance(kind, Stencil)
    assert isinstance(kind.compute, partial)
    options = kind.compute.keywords
    channels = [graph[o.node].channels for o in joint.operands]
    columns = options["weight"].split(channels, dim=1)
    addends = []
    for number, group in enumerate(groups):
        source = _subset(graph, joint, [joint.operands[p] for p in group])
        views = tuple(look_through(o, v) for o, v in zip(outer.views, source.views, strict=True))
        fill = outer.fill if outer.filled() else source.fill
        weight = torch.cat([columns[p] for p in group], dim=1)
        changed = {"weight": weight, "bias": options["bias"] if number == 0 else None}
        part = replace(kind, compute=partial(kind.compute.func, **{**options, **changed}))
        reads = (Operand(source.node, views, fill),)
        graph.nodes.append(Node(part, reads, (), node.channels, node.spatial))
        addends.append(Operand(len(graph.nodes) - 1, (None,) * len(views)))
    steps = [Instruction(torch.ops.aten.add.Tensor, (Slot(0), Slot(1)))]
    for slot in range(2, len(groups)):
        steps.append(Instruction(torch.ops.aten.add.Tensor, (Temp(slot - 2), Slot(slot))))
    return replace(node, kind=None, operands=tuple(addends), program=tuple(steps))


def _subset(graph: Graph, joint: Node, operands: list[Operand]) -> Operand:
    if len(operands) == 1:
        return operands[0]
    slots = [Slot(k) for k in range(len(operands))]
    channels = sum(graph[o.node].channels for o in operands)
    step = Instruction(torch.ops.aten.cat.default, (slots, 1))
    graph.nodes.append(Node(None, tuple(operands), (step,), channels, joint.spatial))
    return Operand(len(graph.nodes) - 1, (None,) * len(joint.spatial))


def merge_pointwise(graph: Graph, extent: dict[int, float], sources: Sequence[int]) -> None:
    """Let what only a pointwise node reads be computed in that node's own window."""
    users = graph.users()
    for i in graph.live():
        while True:
            node = graph[i]
            if not node.program:
                break
            found = _mergeable(graph, i, users, extent, sources)
            if found is None:
                break
            graph.nodes[i] = _merged(graph, i, found)
            for operand in graph[found].operands:
                users[operand.node] = [i if u == found else u for u in users[operand.node]]


def _mergeable(
    graph: Graph,
    index: int,
    users: dict[int, list[int]],
    extent: dict[int, float],
    sources: Sequence[int],
) -> int | None:
    """Operand to merge into a node: of several, the one that changes most widely."""
    node = graph[index]
    found: list[tuple[float, int]] = []
    for position, operand in enumerate(node.operands):
        other, first = operand.node, graph[operand.node]
        if other in sources or set(users[other]) != {index} or not _is_plain(operand):
            continue
        if node.kind is not None and position == 0:
            continue
        if (first.kind is None and first.program) or (
            node.kind is None
            and isinstance(first.kind, (Stencil, Transposed, Resample, Phases))
            and extent[other] >= SIMILAR * extent[index]
        ):
            found.append((extent[other], other))
    return max(found)[1] if found else None


def _merged(graph: Graph, index: int, other: int) -> Node:
    node, first = graph[index], graph[other]
    operands = list(first.operands)
    slots: dict[int, Slot | Temp] = {}
    if node.kind is not None:
        return _merged_behind(node, first, other)
    for position, operand in enumerate(node.operands):
        if operand.node == other:
            slots[position] = Temp(len(first.program) - 1) if first.program else Slot(0)
        else:
            operands.append(operand)
            slots[position] = Slot(len(operands) - 1)
    program = joined(first.program, node.program, slots)
    return replace(node, kind=first.kind, operands=tuple(operands), program=program)


def _merged_behind(node: Node, first: Node, other: int) -> Node:
    """Merge a pointwise node into the further operands of a node that has a kind."""
    operands = [node.operands[0]]
    slots: dict[int, Slot | Temp] = {0: Slot(0)}
    for position, operand in enumerate(node.operands[1:], start=1):
        if operand.node == other:
            slots[position] = Temp(len(first.program) - 1)
        else:
            operands.append(operand)
            slots[position] = Slot(len(operands) - 1)
    begin = {k: Slot(len(operands) + k) for k in range(len(first.operands))}
    moved = joined((), first.program, dict(begin))
    program = joined(moved, node.program, slots)
    return replace(node, operands=(*operands, *first.operands), program=program)


def _is_plain(operand: Operand) -> bool:
    return all(view is None for view in operand.views)
