"""What suits a kind of device: how much is worth doing at once."""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Pace:
    """Rates that are counted on; none of them changes a number.

    Attributes
    ----------
    batch
        Most interventions per call.
    speed
        Multiplications per second.
    call
        Multiplications that one more call of an operator costs.
    part
        Values that an operator reads or writes at most in one call.
    """

    batch: int
    speed: float
    call: float
    part: int


CPU = Pace(batch=256, speed=5e10, call=5e7, part=1 << 20)
"""A part stays in the cache."""
ACCELERATOR = Pace(batch=4096, speed=5e12, call=1e10, part=1 << 26)
"""Calls are what takes time."""


def pace(device: torch.device) -> Pace:
    """What suits a device."""
    return CPU if device.type == "cpu" else ACCELERATOR
