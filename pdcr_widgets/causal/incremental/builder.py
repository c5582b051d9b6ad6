"""Recorded calls brought to the form of windowed nodes."""

from __future__ import annotations

import operator
from collections.abc import Callable
from contextlib import suppress
from math import prod
from typing import Any

import torch
from torch import Tensor

from pdcr_widgets.causal.incremental.axes import look_through
from pdcr_widgets.causal.incremental.capture import Call, Recording, Unsupported
from pdcr_widgets.causal.incremental.graph import (
    Graph,
    Node,
    Operand,
    Views,
    arguments,
    operator_name,
)
from pdcr_widgets.causal.incremental.kinds import Shape, Whole
from pdcr_widgets.causal.incremental.program import Instruction, Repeated, Slot
from pdcr_widgets.causal.incremental.trees import Ref, map_leaves, references

PRODUCTS = {"linear": 0, "matmul": 0, "mm": 0, "bmm": 0, "addmm": 1, "baddbmm": 1}
"""Operators that sum products along the last axis of one of their tensors."""


class Opaque(Exception):
    """A call that no rule covers; it is computed on whole maps."""


class Builder:
    """Turns recorded calls into nodes, one at a time."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.calls, self.values = recording.calls, recording.values
        self.spatial_dims = len(self.calls[0].shape) - 2
        self.nodes: list[Node] = []
        self.reads: dict[int, Operand] = {}
        self.flat: set[int] = set()
        self._squeezed: dict[int, Operand] = {}
        self.read_input()

    def read_input(self) -> None:
        """Start with the image."""
        shape = self.calls[0].shape
        self.add(0, Node(None, (), (), shape[1], shape[2:], 0))

    @property
    def identity(self) -> Views:
        """Views that show a node as it is."""
        return (None,) * self.spatial_dims

    def is_map(self, index: int) -> bool:
        """Whether a call's result is ``(1, channels, *spatial)``."""
        shape = self.calls[index].shape
        return len(shape) == self.spatial_dims + 2 and shape[0] == 1 and 0 not in shape

    def spatial(self, index: int) -> Shape:
        """Spatial shape of a call's result."""
        return tuple(self.calls[index].shape[2:])

    def add(self, index: int, node: Node) -> Operand:
        """Append a node that shows a call's result."""
        self.nodes.append(node)
        operand = Operand(len(self.nodes) - 1, self.identity)
        self.reads[index] = operand
        return operand

    def operand(self, ref: Any) -> Operand:
        """What shows the map that a call computed; constants become nodes."""
        if not isinstance(ref, Ref) or not self.is_map(ref.index):
            raise Opaque
        if ref.index not in self.reads:
            if self.calls[ref.index].live:
                raise Opaque
            return self.constant_map(self.values[ref.index])
        return self.reads[ref.index]

    def constant_map(self, value: Tensor) -> Operand:
        """Node for a constant that varies in space, ``(1, channels, *spatial)``."""
        node = Node(None, (), (), value.shape[1], tuple(value.shape[2:]), constant=value)
        self.nodes.append(node)
        return Operand(len(self.nodes) - 1, self.identity)

    def constant(self, ref: Any) -> Any:
        """Value of an argument that must not depend on the image."""
        if not isinstance(ref, Ref):
            return ref
        if self.calls[ref.index].live:
            raise Opaque
        return self.values[ref.index]

    def solid(self, operand: Operand, fill: float = 0.0) -> Operand:
        """Same map without fill values other than ``fill``: a node of its own if need be."""
        if not operand.filled() or operand.fill == fill:
            return Operand(operand.node, operand.views, fill)
        return self.copied(operand)

    def copied(self, operand: Operand) -> Operand:
        """Node that holds what a view shows."""
        source = self.nodes[operand.node]
        spatial = tuple(
            n if view is None else len(view)
            for n, view in zip(source.spatial, operand.views, strict=True)
        )
        copy = (Instruction(_itself, (Slot(0),)),)
        self.nodes.append(Node(None, (operand,), copy, source.channels, spatial))
        return Operand(len(self.nodes) - 1, self.identity)

    def view(self, operand: Operand, views: Views, fill: float = 0.0) -> Operand:
        """Look at a map through further views."""
        fills = any(view is not None and bool((view < 0).any()) for view in views)
        if fills:
            operand = self.solid(operand, fill)
        seen = (look_through(o, i) for o, i in zip(views, operand.views, strict=True))
        return Operand(operand.node, tuple(seen), fill if fills else operand.fill)

    def whole(self, index: int) -> None:
        """Keep a call as it is: computed on whole maps, or whatever its shape is."""
        call = self.calls[index]
        operands: list[Operand] = []

        def slot(ref: Ref) -> Any:
            source = self.calls[ref.index]
            if not source.live:
                value = self.values[ref.index]
                return Repeated(value) if source.batched else value
            in_flat = ref.index in self.flat
            operands.append(self.squeezed(ref.index) if in_flat else self.reads[ref.index])
            return Slot(len(operands) - 1)

        args, kwargs = map_leaves(call.args, Ref, slot), map_leaves(call.kwargs, Ref, slot)
        program = (Instruction(_any_strides(call.op), args, kwargs),)
        is_map = self.is_map(index)
        outputs = self.spatial(index) if is_map else (1,) * self.spatial_dims
        channels = call.shape[1] if is_map else 0
        values = prod(call.shape)
        kind = Whole(outputs, is_map, call.batched, values, values * self.terms(call))
        self.add(index, Node(kind, tuple(operands), program, channels, outputs, index))

    def squeezed(self, index: int) -> Operand:
        """What shows a map without a channel axis as it is, for operators that no rule covers."""
        if index not in self._squeezed:
            values, nowhere = prod(self.calls[index].shape), (1,) * self.spatial_dims
            program = (Instruction(torch.ops.aten.squeeze.dim, (Slot(0), 1)),)
            kind = Whole(nowhere, False, True, values, float(values))
            self.nodes.append(Node(kind, (self.reads[index],), program, 0, nowhere, index))
            self._squeezed[index] = Operand(len(self.nodes) - 1, self.identity)
        return self._squeezed[index]

    def terms(self, call: Call) -> float:
        """Multiplications per value of a call's result, roughly."""
        name = "" if call.op is operator.getitem else operator_name(call)
        shapes = [self.calls[i].shape for i in references(call.args)]
        if name in PRODUCTS and shapes[PRODUCTS[name] :]:
            return float(shapes[PRODUCTS[name]][-1])
        if name == "scaled_dot_product_attention":
            return 2.0 * shapes[1][-2]
        return 4.0


Rule = Callable[[Builder, int, dict[str, Any]], "Operand | Node"]


def build(recording: Recording, rules: dict[str, Rule], pointwise: Rule, flat: Rule) -> Graph:
    """Turn a recording into nodes.

    Parameters
    ----------
    rules
        By operator name, from a call to a node or to a view of one; they raise `Opaque` for calls
        they do not cover.
    pointwise
        Rule for the operators that torch tags as pointwise and those without a rule.
    flat
        Rule for results without a channel axis, to be shown by maps of one channel.
    """
    builder = Builder(recording)
    for index in needed(recording):
        if index == 0:
            continue
        result = _ruled(builder, index, rules, pointwise, flat)
        if result is None:
            builder.whole(index)
        elif isinstance(result, Node):
            result.value = None if index in builder.flat else index
            builder.add(index, result)
        else:
            builder.reads[index] = result
    return _finish(builder)


def _ruled(
    b: Builder, index: int, rules: dict[str, Rule], pointwise: Rule, flat: Rule
) -> Operand | Node | None:
    """Result of the rule that covers a call, or None."""
    if len(b.calls[index].shape) == b.spatial_dims + 1:
        with suppress(Opaque, KeyError):
            result = flat(b, index, {})
            b.flat.add(index)
            return result
    with suppress(
        Opaque, KeyError
    ):  # no rule, or a form of the operator that its rule does not know
        return _apply(b, index, rules, pointwise)
    return None


def _apply(b: Builder, index: int, rules: dict[str, Rule], pointwise: Rule) -> Operand | Node:
    call = b.calls[index]
    if call.op is operator.getitem:
        return rules["getitem"](b, index, {})
    return rules.get(operator_name(call), pointwise)(b, index, arguments(call))


def _finish(builder: Builder) -> Graph:
    recording = builder.recording
    output = recording.output
    known = output in builder.reads and (builder.is_map(output) or output in builder.flat)
    if not known:
        raise Unsupported("the model's output is not a map (batch, classes, *spatial)")
    shown = builder.reads[output]
    if any(view is not None for view in shown.views):
        shown = builder.copied(shown)
    layers = {
        name: builder.reads[index]
        for name, index in recording.layers.items()
        if index in builder.reads and builder.is_map(index) and recording.calls[index].live
    }
    return Graph(builder.nodes, shown, layers)


def needed(recording: Recording) -> list[int]:
    """Live calls that the output or a named layer depends on, in order."""
    wanted = {recording.output, 0}
    for index in range(recording.output, -1, -1):
        if index in wanted:
            call = recording.calls[index]
            wanted.update(references((call.args, call.kwargs)))
    return sorted(i for i in wanted if recording.calls[i].live)


def _any_strides(op: Any) -> Callable[..., Any]:
    """Operator that takes tensors of other strides than the recorded ones."""
    views = (torch.ops.aten.view.default, torch.ops.aten._unsafe_view.default)
    return torch.ops.aten.reshape.default if op in views else op  # type: ignore[no-any-return]


def _itself(values: Tensor) -> Tensor:
    return values
