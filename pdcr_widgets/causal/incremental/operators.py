"""How operators are seen while a model is watched."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import torch
from torch.backends import mha


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
