"""Whether windows agree with plain forward passes, and whether they are faster."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from pdcr_widgets.causal.incremental.axes import Ints

CHECKED, TURNS, WORTHWHILE = 3, 3, 0.9
CLOSE = (0.7, 1.6)
"""Ratios of seconds between which one measurement decides nothing."""
ROUNDING = {torch.float64: 1e-10, torch.float32: 1e-4, torch.bfloat16: 0.1, torch.float16: 0.02}

Scores = Callable[[Ints, Tensor], Tensor]


def contents(count: int, image: Tensor, size: tuple[int, ...]) -> Tensor:
    """Content that is unlike the image: noise of its own mean and twice its spread."""
    generator = torch.Generator().manual_seed(0)
    shape = (count, image.shape[0], *size)
    noise = torch.randn(shape, generator=generator, dtype=torch.float64).to(image)
    return image.mean() + 2 * image.std() * noise


def disagreement(ours: Tensor, plain: Tensor, original: Tensor) -> str:
    """Why two sets of scores cannot be called equal, or "".

    Parameters
    ----------
    ours, plain
        ``(n, classes, *window)`` scores of both engines.
    original
        ``(classes, *window)`` scores without an intervention.
    """
    scale = float(torch.maximum(plain.abs().max(), original.abs().max()))
    error = float((ours - plain).abs().max())
    allowed = ROUNDING.get(plain.dtype, 0.1) * scale
    if error <= allowed:
        return ""
    return (
        f"the windows differ from the full forward pass by {error:.2g} on scores up to {scale:.2g}"
    )


def seconds(run: Callable[[], object], device: torch.device) -> float:
    """Wall clock of one run."""
    _wait(device)
    began = time.perf_counter()
    run()
    _wait(device)
    return time.perf_counter() - began


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def spread_out(starts: Ints, window: tuple[slice, ...], count: int) -> Ints:
    """Some of the starts, from the nearest to the window to the farthest."""
    middle = np.array([(s.start + s.stop) / 2 for s in window])
    order = np.argsort(((starts - middle) ** 2).sum(1), kind="stable")
    return starts[order[np.unique(np.linspace(0, len(starts) - 1, count).astype(int))]]
