"""Numbers on their way from the host to where a model is."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def sent(values: Any, device: torch.device) -> Tensor:
    """Give a tensor or array of the host to a device, without waiting for what runs there.

    The bytes are staged before this returns, so the host may forget them; on MPS it waits, for
    there is no such promise.
    """
    return torch.as_tensor(values).to(device, non_blocking=device.type != "mps")
