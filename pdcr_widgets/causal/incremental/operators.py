"""How operators are seen while a model is watched."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from torch.backends import mha

UNTAGGED = frozenset(
    {
        *("leaky_relu", "elu", "celu", "selu", "gelu", "silu", "mish", "relu", "relu6"),
        *("hardtanh", "hardsigmoid", "softplus", "softshrink", "hardshrink", "threshold"),
        *("sigmoid", "tanh", "clamp", "clamp_min", "clamp_max", "where", "masked_fill", "lerp"),
    }
)
"""Operators that work position by position, whatever tags an older torch gives them."""


def is_pointwise(op: Any) -> bool:
    """Whether an operator computes every position from the same one of its inputs."""
    return torch.Tag.pointwise in op.tags or op._schema.name.removeprefix("aten::") in UNTAGGED


@contextmanager
def whole_operators() -> Iterator[None]:
    """Keep operators such as instance norm in one piece, where this torch can.

    Only multi-head attention runs step by step, so that its heads can be seen.
    """
    guard = getattr(torch._C, "_AutoDispatchBelowAutograd", nullcontext)
    fused = mha.get_fastpath_enabled()
    mha.set_fastpath_enabled(False)
    try:
        with guard():
            yield
    finally:
        mha.set_fastpath_enabled(fused)
