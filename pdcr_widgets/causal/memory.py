"""Telling memory that ran out from other failures."""

from __future__ import annotations

import torch

PHRASES = ("out of memory", "not enough memory", "can't allocate")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that the device's or the host's memory ran out."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and any(phrase in text for phrase in PHRASES)
