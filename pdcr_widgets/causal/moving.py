"""Numbers on their way from the host to where a model is."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

STAGED = 1 << 16
"""Bytes that CUDA takes from anywhere without waiting; more has to lie in pinned memory."""


def sent(values: Any, device: torch.device) -> Tensor:
    """Give a tensor or array of the host to a device, without waiting for what runs there.

    The bytes are staged before this returns, so the host may forget them; on MPS it waits, for
    there is no such promise.
    """
    held = torch.as_tensor(values)
    if device.type == "cuda" and held.device.type == "cpu" and held.nbytes > STAGED:
        held = held.pin_memory()
    return held.to(device, non_blocking=device.type != "mps")
