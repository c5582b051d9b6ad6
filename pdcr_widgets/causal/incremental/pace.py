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
    timed, images
        Interventions and plain images that are timed to find out which way is faster; on an
        accelerator not the first time, when libraries choose how to compute them.
    """

    batch: int
    speed: float
    call: float
    part: int
    timed: int
    images: int


CPU = Pace(batch=256, speed=5e10, call=1e8, part=1 << 21, timed=32, images=3)
"""A part stays in the cache."""
ACCELERATOR = Pace(batch=4096, speed=5e12, call=1e11, part=1 << 27, timed=512, images=128)
"""Calls are what takes time."""


def pace(device: torch.device) -> Pace:
    """What suits a device."""
    return CPU if device.type == "cpu" else ACCELERATOR
