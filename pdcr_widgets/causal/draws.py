"""Random choices keyed by what they are for, so that nothing depends on the order of work."""

from __future__ import annotations

import hashlib
import math

import numpy as np
import torch


def draw(seed: int, cells: np.ndarray, samples: np.ndarray, choices: int) -> np.ndarray:
    """Independent uniform choices, keyed by (seed, patch, sample).

    The choice for a key never depends on what else is drawn, so order, cancellation and resumption
    never change a number.

    Parameters
    ----------
    seed
        Any integer.
    cells, samples
        ``(n,)`` patch numbers and draw numbers (0, 1, ...).
    choices
        Number of contents to choose from.

    Returns
    -------
    ndarray
        ``(n,)`` int64 in 0..choices-1.
    """
    if choices == 1:
        return np.zeros(len(cells), dtype=np.int64)
    drawn = np.empty(len(cells), dtype=np.int64)
    generator = torch.Generator()
    order = np.argsort(cells, kind="stable")
    for group in np.split(order, np.flatnonzero(np.diff(cells[order])) + 1):
        if len(group) == 0:
            continue
        generator.manual_seed(key(seed, int(cells[group[0]])))
        length = 64 * math.ceil((int(samples[group].max()) + 1) / 64)
        stream = [torch.randint(choices, (64,), generator=generator) for _ in range(length // 64)]
        drawn[group] = torch.cat(stream).numpy()[samples[group]]
    return drawn


def key(*parts: int) -> int:
    """Mix integers into one 63-bit seed."""
    text = ",".join(str(int(p)) for p in parts).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little") >> 1
