"""The model as windowed nodes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from pdcr_widgets.causal.incremental.axes import Ints
from pdcr_widgets.causal.incremental.capture import Call
from pdcr_widgets.causal.incremental.kinds import Kind, Mean, Shape, Whole
from pdcr_widgets.causal.incremental.program import Program

Views = tuple["Ints | None", ...]


@dataclass(frozen=True, eq=False)
class Operand:
    """What a node reads: another node, seen through one view per axis (None: as it is).

    A view gives the position in ``node`` shown at each position, -1 where ``fill`` is shown.
    """

    node: int
    views: Views
    fill: float = 0.0

    def filled(self) -> bool:
        """Whether a fill value is shown anywhere."""
        return any(view is not None and bool((view < 0).any()) for view in self.views)


@dataclass(eq=False)
class Node:
    """A map ``(batch, channels, *spatial)`` and how it is computed.

    Attributes
    ----------
    kind
        Windowed operation on the first operand, or None when the program does it all. A node with
        neither is the input or a constant.
    operands
        The first is read as the kind says; the others, at the output's own positions.
    program
        What follows the kind: slot 0 is its result. Without a kind slot k is operand k.
    value
        Call that has the node's value on the recorded image; None: to be computed.
    constant
        Value of a constant.
    """

    kind: Kind | Mean | Whole | None
    operands: tuple[Operand, ...]
    program: Program
    channels: int
    spatial: Shape
    value: int | None = None
    constant: Tensor | None = None


@dataclass
class Graph:
    """Nodes, of which 0 is the input, and what shows the output and each layer."""

    nodes: list[Node]
    output: Operand
    layers: dict[str, Operand] = field(default_factory=dict)

    def live(self) -> list[int]:
        """Indices of the nodes that the output depends on, operands first; the input always."""
        order: list[int] = []
        placed = {0}
        pending = [self.output.node]
        while pending:
            i = pending[-1]
            missing = [o.node for o in self[i].operands if o.node not in placed]
            if i in placed or not missing:
                pending.pop()
                if i not in placed:
                    placed.add(i)
                    order.append(i)
            else:
                pending.extend(missing)
        return [0, *order]

    def __getitem__(self, index: int) -> Node:
        return self.nodes[index]

    def users(self) -> dict[int, list[int]]:
        """Nodes that read each node."""
        users: dict[int, list[int]] = {i: [] for i in self.live()}
        for i in self.live():
            for operand in self[i].operands:
                users[operand.node].append(i)
        return users


def operator_name(call: Call) -> str:
    """Name of a recorded operator without namespace and overload."""
    return str(call.op._schema.name).removeprefix("aten::")  # type: ignore[union-attr]


def arguments(call: Call) -> dict[str, Any]:
    """Arguments of a recorded operator by name, defaults filled in."""
    declared = call.op._schema.arguments  # type: ignore[union-attr]
    given = {a.name: a.default_value for a in declared if a.has_default_value()}
    given.update(zip((a.name for a in declared), call.args, strict=False))
    given.update(call.kwargs)
    return given
