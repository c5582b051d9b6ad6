"""Operators that only move positions: padding, slicing, flipping, nearest upsampling, aliases."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from pdcr_widgets.causal.incremental.axes import Ints
from pdcr_widgets.causal.incremental.builder import Builder, Opaque, Rule
from pdcr_widgets.causal.incremental.graph import Node, Operand
from pdcr_widgets.causal.incremental.pointwise import positionwise
from pdcr_widgets.causal.incremental.program import Instruction, Slot

NUMPY_MODES = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def alias(b: Builder, index: int, a: dict[str, Any]) -> Operand:
    """Results that are their input, whatever the operator is called."""
    del a
    ref = b.calls[index].args[0]
    source = b.operand(ref)
    if (b.calls[ref.index].shape, b.calls[ref.index].dtype) != (
        b.calls[index].shape,
        b.calls[index].dtype,
    ):
        raise Opaque
    return source


def conversion(b: Builder, index: int, a: dict[str, Any]) -> Operand | Node:
    """Copies and conversions: an alias unless the type changes."""
    try:
        return alias(b, index, a)
    except Opaque:
        return positionwise(b, index, a)


def pad(b: Builder, index: int, a: dict[str, Any]) -> Operand | Node:
    """Padding of spatial axes; of channels by a constant it is positionwise."""
    ends = 2 * b.spatial_dims
    others = (*a["pad"][:ends], *a["pad"][ends + 2 :])
    if any(a["pad"][ends : ends + 2]) and not any(others):
        return positionwise(b, index, {**a, "dim": 1})
    return _padded(b, a["self"], a["pad"], a.get("mode", "constant"), a["value"] or 0.0)


def repeat(b: Builder, index: int, a: dict[str, Any]) -> Operand | Node:
    """Repetition of channels."""
    if [count for axis, count in enumerate(a["repeats"]) if axis != 1] != [1] * (
        b.spatial_dims + 1
    ):
        raise Opaque
    return positionwise(b, index, {**a, "dim": 1})


def reflection_pad(b: Builder, index: int, a: dict[str, Any]) -> Operand:
    """Padding by reflection."""
    return _padded(b, a["self"], a["padding"], "reflect", 0.0)


def replication_pad(b: Builder, index: int, a: dict[str, Any]) -> Operand:
    """Padding by the nearest value."""
    return _padded(b, a["self"], a["padding"], "replicate", 0.0)


def circular_pad(b: Builder, index: int, a: dict[str, Any]) -> Operand:
    """Padding by wrapping around."""
    return _padded(b, a["self"], a["pad"], "circular", 0.0)


def _padded(b: Builder, ref: Any, widths: Any, mode: str, value: float) -> Operand:
    source = b.operand(ref)
    extents = b.spatial(ref.index)
    if any(widths[2 * b.spatial_dims :]):
        raise Opaque
    views: list[Ints | None] = [None] * b.spatial_dims
    for axis in range(b.spatial_dims):
        position = 2 * (b.spatial_dims - 1 - axis)
        before, after = (*widths[position : position + 2], 0, 0)[:2]
        if before or after:
            views[axis] = _padded_axis(extents[axis], before, after, mode)
    return b.view(source, tuple(views), float(value))


def _padded_axis(extent: int, before: int, after: int, mode: str) -> Ints:
    kept = np.arange(extent)[max(-before, 0) : extent - max(-after, 0)]
    widths = (max(before, 0), max(after, 0))
    if mode == "constant":
        return np.pad(kept, widths, constant_values=-1)
    return np.pad(kept, widths, mode=NUMPY_MODES[mode])  # type: ignore[call-overload,no-any-return]


def slicing(b: Builder, index: int, a: dict[str, Any]) -> Operand | Node:
    """A slice of a spatial axis; of channels it is positionwise."""
    dim = a["dim"] % (b.spatial_dims + 2)
    if dim == 0:
        return alias(b, index, a)
    source = b.operand(a["self"])
    steps = slice(a["start"], a["end"], a["step"])
    if dim == 1:
        return _channels(b, index, source, steps)
    views: list[Ints | None] = [None] * b.spatial_dims
    views[dim - 2] = np.arange(b.spatial(a["self"].index)[dim - 2])[steps]
    return b.view(source, tuple(views))


def _channels(b: Builder, index: int, source: Operand, steps: slice) -> Operand | Node:
    channels = b.calls[index].shape[1]
    node = b.nodes[source.node]
    if channels == node.channels:
        return source
    step = Instruction(_take_channels, (Slot(0), steps))
    return Node(None, (source,), (step,), channels, b.spatial(index))


def _take_channels(values: torch.Tensor, steps: slice) -> torch.Tensor:
    return values[:, steps]


def flip(b: Builder, index: int, a: dict[str, Any]) -> Operand:
    """Mirrored spatial axes."""
    source = b.operand(a["self"])
    views: list[Ints | None] = [None] * b.spatial_dims
    for dim in a["dims"]:
        axis = dim % (b.spatial_dims + 2) - 2
        if axis < 0:
            raise Opaque
        views[axis] = np.arange(b.spatial(index)[axis])[::-1]
    return b.view(source, tuple(views))


def nearest(b: Builder, index: int, a: dict[str, Any]) -> Operand:
    """Nearest upsampling; torch's own operator says which position is the nearest."""
    return _nearest(b, index, a, torch.ops.aten.upsample_nearest1d)


def nearest_exact(b: Builder, index: int, a: dict[str, Any]) -> Operand:
    """Nearest upsampling by pixel centres."""
    return _nearest(b, index, a, torch.ops.aten._upsample_nearest_exact1d)


def _nearest(b: Builder, index: int, a: dict[str, Any], resize: Any) -> Operand:
    ref = a["input"] if "input" in a else a["self"]
    source = b.operand(ref)
    views: list[Ints | None] = []
    extents = zip(b.spatial(ref.index), b.spatial(index), strict=True)
    for axis, (before, after) in enumerate(extents):
        positions = torch.arange(before, dtype=torch.float64)[None, None]
        shown = resize(positions, [after], axis_scale(a, axis, b.spatial_dims))
        views.append(shown[0, 0].long().numpy())
    return b.view(source, tuple(views))


def axis_scale(a: dict[str, Any], axis: int, dims: int) -> float | None:
    """Scale factor that an upsampling operator was given for an axis, or None."""
    factors = a.get("scale_factors")
    if factors is not None:
        return float(factors[axis])
    if "scales" in a:
        return None if a["scales"] is None else float(a["scales"])
    value = a.get("scales_" + "dhw"[3 - dims :][axis])
    return None if value is None else float(value)


def _by_dimension(stem: str, rule: Rule) -> dict[str, Rule]:
    return {f"{stem}{n}d": rule for n in (1, 2, 3)}


VIEW_RULES: dict[str, Rule] = {
    **dict.fromkeys(("contiguous", "clone", "detach", "alias", "lift_fresh", "positive"), alias),
    **dict.fromkeys(("dropout", "feature_dropout", "alpha_dropout", "native_dropout"), alias),
    **dict.fromkeys(("view", "reshape", "_unsafe_view", "expand", "feature_alpha_dropout"), alias),
    **dict.fromkeys(("to", "_to_copy", "type_as"), conversion),
    "pad": pad,
    "constant_pad_nd": pad,
    "repeat": repeat,
    "_pad_circular": circular_pad,
    **_by_dimension("reflection_pad", reflection_pad),
    **_by_dimension("replication_pad", replication_pad),
    "slice": slicing,
    "flip": flip,
    **_by_dimension("upsample_nearest", nearest),
    **_by_dimension("_upsample_nearest_exact", nearest_exact),
}
