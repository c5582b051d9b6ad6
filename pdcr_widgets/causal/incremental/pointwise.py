"""Operators that compute every position from the same position of their inputs."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from torch import Tensor

from pdcr_widgets.causal.incremental.builder import Builder, Opaque
from pdcr_widgets.causal.incremental.graph import Node, Operand, operator_name
from pdcr_widgets.causal.incremental.operators import is_pointwise
from pdcr_widgets.causal.incremental.program import Instruction, Slot, Temp
from pdcr_widgets.causal.incremental.trees import Ref, map_leaves

NATIVE = frozenset({"prelu", "hardswish", "log_sigmoid", "to", "_to_copy", "type_as"})
PARTS = frozenset({"split", "split_with_sizes", "chunk", "max", "min", "var_mean", "unbind"})
OVER_CHANNELS = frozenset(
    {
        *("softmax", "log_softmax", "_softmax", "_log_softmax", "cat", "glu", "cumsum"),
        *("sum", "amax", "amin", "argmax", "argmin", "var", "std", "norm", "linalg_vector_norm"),
        *("index_select", "channel_shuffle", "unsafe_chunk", "mean"),
        *("pad", "constant_pad_nd", "repeat"),
    }
)


def positionwise(
    b: Builder, index: int, a: dict[str, Any], whole: int | None = None
) -> Operand | Node:
    """Rule for operators that torch tags as pointwise, and those that work along channels.

    ``whole`` is the call with several results of which ``index`` is one.
    """
    call = b.calls[index if whole is None else whole]
    name = operator_name(call)
    samewise = is_pointwise(call.op) or name in NATIVE or _along_channels(b, name, a)
    if not b.is_map(index) or not samewise:
        raise Opaque
    operands: list[Operand] = []

    def leaf(ref: Ref) -> Any:
        if not b.calls[ref.index].live and (name in NATIVE or _even(b, ref)):
            return b.values[ref.index]
        operands.append(_spread(b, _map_of(b, ref), b.spatial(index)))
        return Slot(len(operands) - 1)

    args, kwargs = map_leaves(call.args, Ref, leaf), map_leaves(call.kwargs, Ref, leaf)
    assert call.op is not None
    program = [Instruction(call.op, args, kwargs)]
    if whole is not None:
        program.append(Instruction(operator.getitem, (Temp(0), b.calls[index].args[1])))
    channels = b.calls[index].shape[1]
    return Node(None, tuple(operands), tuple(program), channels, b.spatial(index))


def _along_channels(b: Builder, name: str, a: dict[str, Any]) -> bool:
    if name == "channel_shuffle":
        return True
    if name not in OVER_CHANNELS | PARTS or not a.get("keepdim", True):
        return False
    dims = a.get("dim")
    dims = [dims] if isinstance(dims, int) else dims
    return dims is not None and [d % (b.spatial_dims + 2) for d in dims] == [1]


def _even(b: Builder, ref: Ref) -> bool:
    """Whether a constant is the same at every position."""
    shape = b.calls[ref.index].shape
    return set(shape[-b.spatial_dims :]) <= {1}


def _map_of(b: Builder, ref: Ref) -> Operand:
    """Map that an argument holds; a constant field of fewer axes gets the missing ones."""
    if b.calls[ref.index].live:
        return b.operand(ref)
    value: Tensor = b.values[ref.index]
    while value.ndim < b.spatial_dims + 2:
        value = value[None]
    if value.shape[0] != 1:
        raise Opaque
    return b.constant_map(value)


def _spread(b: Builder, operand: Operand, spatial: tuple[int, ...]) -> Operand:
    """View of a map that repeats axes of one position."""
    node = b.nodes[operand.node]
    views = []
    for axis, n in enumerate(spatial):
        view = operand.views[axis]
        extent = node.spatial[axis] if view is None else len(view)
        if extent not in (1, n):
            raise Opaque
        views.append(np.zeros(n, dtype=np.int64) if extent == 1 and n > 1 else None)
    return b.view(operand, tuple(views))
