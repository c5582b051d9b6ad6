"""Separable weighted sums: linear and cubic interpolation, average pooling.

The weights are read off torch's own operators, one axis at a time, so they are the model's to the
last bit, whatever its conventions and precision.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from pdcr_widgets.causal.incremental.builder import Builder, Opaque, Rule
from pdcr_widgets.causal.incremental.graph import Node
from pdcr_widgets.causal.incremental.kinds import Resample
from pdcr_widgets.causal.incremental.trees import Ref, map_leaves, references
from pdcr_widgets.causal.incremental.views import axis_scale

aten = torch.ops.aten


def _resampled(b: Builder, index: int, ref: Any, along: Callable[[Tensor, int], Tensor]) -> Node:
    """Node for an operator whose one-axis form is ``along(values (1, n, n), axis)``."""
    source = b.solid(b.operand(ref))
    like = b.calls[ref.index].dtype
    matrices = []
    for axis, n in enumerate(b.spatial(ref.index)):
        basis = torch.eye(n, dtype=like, device=b.values[0].device)
        matrices.append(along(basis[None], axis)[0].T.contiguous())
    outputs = b.spatial(index)
    if tuple(len(m) for m in matrices) != outputs:
        raise Opaque
    kind = Resample.of(tuple(matrices), _native(b, index, ref))
    return Node(kind, (source,), (), b.calls[index].shape[1], outputs)


def _native(b: Builder, index: int, ref: Any) -> Callable[[Tensor], Tensor]:
    """The recorded operator as a function of the map that it resamples."""
    call = b.calls[index]

    def apply(values: Tensor) -> Tensor:
        args, kwargs = map_leaves((call.args, call.kwargs), Ref, lambda _: values)
        return call.op(*args, **kwargs)  # type: ignore[misc,no-any-return]

    assert list(references((call.args, call.kwargs))) == [ref.index]
    return apply


def linear(b: Builder, index: int, a: dict[str, Any]) -> Node:
    """Linear, bilinear or trilinear interpolation."""

    def along(basis: Tensor, axis: int) -> Tensor:
        scale = axis_scale(a, axis, b.spatial_dims)
        size = [b.spatial(index)[axis]]
        return aten.upsample_linear1d(basis, size, a["align_corners"], scale)  # type: ignore[no-any-return]

    return _resampled(b, index, a["input"] if "input" in a else a["self"], along)


def cubic(b: Builder, index: int, a: dict[str, Any]) -> Node:
    """Bicubic interpolation."""

    def along(basis: Tensor, axis: int) -> Tensor:
        scale = axis_scale(a, axis, b.spatial_dims)
        size = [b.spatial(index)[axis], 1]
        tall = aten.upsample_bicubic2d(basis[..., None], size, a["align_corners"], scale, None)
        return tall[..., 0]  # type: ignore[no-any-return]

    return _resampled(b, index, a["input"] if "input" in a else a["self"], along)


def average_pool(b: Builder, index: int, a: dict[str, Any]) -> Node:
    """Average pooling, with windows or to a given size."""
    dims = b.spatial_dims
    if a.get("divisor_override") is not None:
        raise Opaque

    def along(basis: Tensor, axis: int) -> Tensor:
        if "output_size" in a:
            return aten.adaptive_avg_pool1d(basis, [b.spatial(index)[axis]])  # type: ignore[no-any-return]
        kernel = _of_axis(a["kernel_size"], axis, dims)
        stride = _of_axis(a["stride"] or a["kernel_size"], axis, dims)
        padding = _of_axis(a["padding"], axis, dims)
        ceil, counted = a["ceil_mode"], a["count_include_pad"]
        return aten.avg_pool1d(basis, [kernel], [stride], [padding], ceil, counted)  # type: ignore[no-any-return]

    return _resampled(b, index, a["self"], along)


def _of_axis(values: Any, axis: int, dims: int) -> int:
    values = [values] if isinstance(values, int) else list(values)
    return int((values * dims if len(values) == 1 else values)[axis])


RESAMPLING_RULES: dict[str, Rule] = {
    "upsample_linear1d": linear,
    "upsample_bilinear2d": linear,
    "upsample_trilinear3d": linear,
    "upsample_bicubic2d": cubic,
    **{f"avg_pool{n}d": average_pool for n in (1, 2, 3)},
}
