"""A model is left as it was found, whatever its forward pass does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torch.backends import mha


@contextmanager
def preserved(model: nn.Module, device: torch.device) -> Iterator[None]:
    """Restore buffers that a forward pass wrote to, and the global random state.

    Training flags, gradients and hooks are the business of `Segmenter.evaluating` and
    `forward_hooks`; this covers models that count, cache or draw while they run.
    """
    held = [(b, b._version, b.clone()) for b in model.buffers() if not b.is_inference()]
    devices = [device] if device.type == "cuda" else []
    try:
        with torch.random.fork_rng(devices=devices):
            yield
    finally:
        with torch.no_grad():
            for buffer, version, before in held:
                if buffer._version != version:
                    buffer.copy_(before)


@contextmanager
def unfused_attention() -> Iterator[None]:
    """Let multi-head attention run step by step, so that its heads can be seen."""
    before = mha.get_fastpath_enabled()
    mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        mha.set_fastpath_enabled(before)
