"""Maps without a channel axis, ``(batch, *spatial)``: shown by maps of one channel."""

from __future__ import annotations

import operator
from typing import Any

import torch

from pdcr_widgets.causal.incremental.builder import Builder, Opaque
from pdcr_widgets.causal.incremental.graph import Node, Operand, arguments, operator_name
from pdcr_widgets.causal.incremental.operators import is_pointwise
from pdcr_widgets.causal.incremental.program import Instruction, Slot
from pdcr_widgets.causal.incremental.trees import Ref, map_leaves

RESHAPED = frozenset({"squeeze", "view", "reshape", "_unsafe_view", "flatten"})
REDUCED = frozenset({"sum", "mean", "amax", "amin", "norm", "linalg_vector_norm"})


def flattened(b: Builder, index: int, a: dict[str, Any]) -> Operand | Node:
    """Rule for a call whose result is a map without a channel axis.

    Raises
    ------
    Opaque
        It is none, or made in a way that is not known.
    """
    call = b.calls[index]
    if call.op is operator.getitem or len(call.shape) != b.spatial_dims + 1 or call.shape[0] != 1:
        raise Opaque
    del a
    a, name = arguments(call), operator_name(call)
    source = a.get("self", a.get("input"))
    if isinstance(source, Ref) and b.is_map(source.index) and b.calls[source.index].live:
        if b.spatial(source.index) != call.shape[1:]:
            raise Opaque
        return _without_channels(b, index, name, a, b.operand(source))
    if not is_pointwise(call.op):
        raise Opaque
    return _pointwise(b, index)


def _without_channels(
    b: Builder, index: int, name: str, a: dict[str, Any], source: Operand
) -> Operand | Node:
    channels = b.nodes[source.node].channels
    if name in RESHAPED and channels == 1:
        return source
    step: Instruction | None = None
    if name == "select" and a["dim"] % (b.spatial_dims + 2) == 1:
        step = Instruction(_channel, (Slot(0), a["index"] % channels))
    dims = a.get("dim")
    dims = dims if isinstance(dims, (list, tuple)) else [dims]
    if name in REDUCED and len(dims) == 1 and dims[0] in (1, -b.spatial_dims - 1):
        op: Any = b.calls[index].op
        names = [argument.name for argument in op._schema.arguments]
        rest = {n: a[n] for n in names[1:] if n in a} | {"keepdim": True}
        step = Instruction(op, (Slot(0),), rest)
    if step is None:
        raise Opaque
    return Node(None, (source,), (step,), 1, tuple(b.calls[index].shape[1:]))


def _pointwise(b: Builder, index: int) -> Node:
    """Numbers and other such maps only: with another tensor an axis more would mean another."""
    call = b.calls[index]
    shape = call.shape
    operands: list[Operand] = []

    def leaf(ref: Ref) -> Any:
        if not b.calls[ref.index].live and b.calls[ref.index].shape == ():
            return b.values[ref.index]
        if ref.index not in b.flat or b.calls[ref.index].shape != shape:
            raise Opaque
        operands.append(b.reads[ref.index])
        return Slot(len(operands) - 1)

    args, kwargs = map_leaves(call.args, Ref, leaf), map_leaves(call.kwargs, Ref, leaf)
    assert call.op is not None
    return Node(None, tuple(operands), (Instruction(call.op, args, kwargs),), 1, tuple(shape[1:]))


def with_channel(b: Builder, index: int, a: dict[str, Any]) -> Operand:
    """Rule for the channel axis given back."""
    source = a["self"].index
    if source not in b.flat or a["dim"] not in (1, -b.spatial_dims - 1):
        raise Opaque
    return b.reads[source]


def _channel(values: torch.Tensor, number: int) -> torch.Tensor:
    return values[:, number : number + 1]
