"""How each recorded operator becomes a windowed node or a view of one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pdcr_widgets.causal.boxes import FORMATS
from pdcr_widgets.causal.incremental.builder import Builder, Opaque, Rule
from pdcr_widgets.causal.incremental.capture import Unsupported
from pdcr_widgets.causal.incremental.flat import with_channel
from pdcr_widgets.causal.incremental.graph import Node, Operand, arguments, operator_name
from pdcr_widgets.causal.incremental.kinds import (
    CONV,
    CONV_TRANSPOSE,
    MAX_POOL,
    Mean,
    Stencil,
    Transposed,
)
from pdcr_widgets.causal.incremental.pointwise import NATIVE, OVER_CHANNELS, PARTS, positionwise
from pdcr_widgets.causal.incremental.program import Instruction, Slot, affine
from pdcr_widgets.causal.incremental.resampling import RESAMPLING_RULES, average_pool
from pdcr_widgets.causal.incremental.views import VIEW_RULES


def per_axis(value: Any, dims: int) -> tuple[int, ...]:
    """One integer per axis from an integer or a list of one or more."""
    values = [value] if isinstance(value, int) else list(value)
    if not all(isinstance(v, int) for v in values):
        raise Opaque
    return tuple(values * dims if len(values) == 1 else values)


def convolution(b: Builder, index: int, a: dict[str, Any]) -> Node:
    """Convolution, transposed or not, with constant weights."""
    dims, transposed = b.spatial_dims, bool(a.get("transposed", False))
    weight, bias = b.constant(a["weight"]), b.constant(a["bias"])
    source = b.solid(b.operand(a.get("input")))
    if weight.ndim != dims + 2:
        raise Opaque
    kernel = tuple(weight.shape[2:])
    stride, dilation = per_axis(a["stride"], dims), per_axis(a["dilation"], dims)
    padding = _padding(a["padding"], kernel, dilation)
    outputs = b.spatial(index)
    if transposed:
        compute = partial(
            _transposed, weight=weight, bias=bias, stride=stride, dilation=dilation,
            groups=a["groups"],
        )  # fmt: skip
        kind: Any = Transposed(compute, outputs, kernel, stride, padding, dilation)
    else:
        kind = convolve(weight, bias, outputs, stride, padding, dilation, a["groups"])
    return Node(kind, (source,), (), b.calls[index].shape[1], outputs)


def convolve(
    weight: Tensor,
    bias: Tensor | None,
    outputs: tuple[int, ...],
    stride: tuple[int, ...],
    padding: tuple[int, ...],
    dilation: tuple[int, ...],
    groups: int,
) -> Stencil:
    """Windowed convolution; its weights lie as the windows do, channels last."""
    weight = weight.contiguous(memory_format=FORMATS.get(weight.ndim, torch.contiguous_format))
    compute = partial(
        _convolve, weight=weight, bias=bias, stride=stride, dilation=dilation, groups=groups
    )
    return Stencil(compute, outputs, tuple(weight.shape[2:]), stride, padding, dilation)


def _convolve(tile: Tensor, **options: Any) -> Tensor:
    return CONV[tile.ndim - 3](tile, **options)


def _transposed(tile: Tensor, **options: Any) -> Tensor:
    return CONV_TRANSPOSE[tile.ndim - 3](tile, **options)


def _padding(padding: Any, kernel: Sequence[int], dilation: Sequence[int]) -> tuple[int, ...]:
    if padding == "valid":
        return (0,) * len(kernel)
    if padding == "same":
        return tuple(d * (k - 1) // 2 for k, d in zip(kernel, dilation, strict=True))
    return per_axis(padding, len(kernel))


def transposed_convolution(b: Builder, index: int, a: dict[str, Any]) -> Node:
    """Transposed convolution by its own operator."""
    return convolution(b, index, {**a, "transposed": True})


def max_pool(b: Builder, index: int, a: dict[str, Any]) -> Node:
    """Maximum over a window; positions outside the map never win."""
    dims = b.spatial_dims
    source = b.solid(b.operand(a["self"]), fill=-np.inf)
    kernel = per_axis(a["kernel_size"], dims)
    stride = per_axis(a["stride"] or kernel, dims)
    dilation = per_axis(a["dilation"], dims)
    compute = partial(_max_pool, kernel_size=kernel, stride=stride, dilation=dilation)
    padding = per_axis(a["padding"], dims)
    outputs = b.spatial(index)
    kind = Stencil(compute, outputs, kernel, stride, padding, dilation, fill=-np.inf)
    return Node(kind, (source,), (), b.calls[index].shape[1], outputs)


def _max_pool(tile: Tensor, **options: Any) -> Tensor:
    return MAX_POOL[tile.ndim - 3](tile, **options)


def batch_norm(b: Builder, index: int, a: dict[str, Any]) -> Node:
    """Batch norm with running statistics: one scale and shift per channel."""
    if a.get("training", False):
        raise Unsupported("a batch norm uses the statistics of the batch it is given")
    source = b.operand(a.get("input"))
    mean, variance = b.constant(a["running_mean"]), b.constant(a["running_var"])
    weight, bias = b.constant(a["weight"]), b.constant(a["bias"])
    scale = torch.rsqrt(variance + a["eps"])
    scale = scale if weight is None else scale * weight
    shift = -mean * scale if bias is None else bias - mean * scale
    shape = (1, -1, *(1,) * b.spatial_dims)
    step = Instruction(affine, (Slot(0), scale.view(shape), shift.view(shape)))
    return Node(None, (source,), (step,), b.calls[index].shape[1], b.spatial(index))


def mean(b: Builder, index: int, a: dict[str, Any]) -> Operand | Node:
    """Mean over the map; over channels it is positionwise."""
    dims = a.get("dim")
    everywhere = list(range(2, b.spatial_dims + 2))
    ndim = b.spatial_dims + 2
    if dims is None or not a["keepdim"] or sorted(d % ndim for d in dims) != everywhere:
        return positionwise(b, index, a)
    return global_mean(b, a["self"], a["dtype"])


def global_mean(b: Builder, ref: Any, dtype: Any = None) -> Node:
    """Mean over all positions, shown as a map of one position."""
    source = b.operand(ref)
    if dtype not in (None, b.calls[ref.index].dtype):
        raise Opaque
    if any(view is not None for view in source.views):
        source = b.copied(source)
    node = b.nodes[source.node]
    outputs = (1,) * b.spatial_dims
    return Node(Mean(outputs, node.spatial), (source,), (), node.channels, outputs)


def adaptive_average(b: Builder, index: int, a: dict[str, Any]) -> Operand | Node:
    """Adaptive average pooling: to one position it is the mean."""
    if set(b.spatial(index)) == {1}:
        return global_mean(b, a["self"])
    return average_pool(b, index, a)


def part(b: Builder, index: int, a: dict[str, Any]) -> Operand | Node:
    """One of several results of an operator."""
    del a
    source, position = b.calls[index].args[0].index, b.calls[index].args[1]
    name = operator_name(b.calls[source])
    named = arguments(b.calls[source])
    if name in FIRST_RESULT and position == 0:
        return FIRST_RESULT[name](b, index, named)
    if name in PARTS:
        return positionwise(b, index, named, whole=source)
    raise Opaque


def _by_dimension(stem: str, rule: Rule, dims: Sequence[int] = (1, 2, 3), end: str = "") -> Rules:
    return {f"{stem}{n}d{end}": rule for n in dims}


Rules = dict[str, Rule]

FIRST_RESULT: Rules = {
    "native_batch_norm": batch_norm,
    "_native_batch_norm_legit_no_training": batch_norm,
    "cudnn_batch_norm": batch_norm,
    **_by_dimension("max_pool", max_pool, end="_with_indices"),
}

RULES: Rules = {
    **dict.fromkeys((*NATIVE, *OVER_CHANNELS), positionwise),
    **VIEW_RULES,
    **RESAMPLING_RULES,
    **_by_dimension("conv", convolution),
    **_by_dimension("conv_transpose", transposed_convolution),
    "convolution": convolution,
    **_by_dimension("max_pool", max_pool),
    **_by_dimension("adaptive_avg_pool", adaptive_average),
    "batch_norm": batch_norm,
    "mean": mean,
    "getitem": part,
    "unsqueeze": with_channel,
}
