"""A model is left as it was found, whatever its forward pass does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


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
