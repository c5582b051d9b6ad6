"""Evenly spread, overlapping windows blended by a Gaussian, as nnU-Net predicts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product

import torch
from torch import Tensor, nn
from torch.nn import functional

from pdcr_widgets.causal.full import uses_batch_statistics

STEP = 0.5
SIGMA = 1 / 8
REACH = 4  # standard deviations beyond which a weight is the smallest one


class Tiled(nn.Module):
    """A network that sees windows of one size; smaller images are padded with zeros.

    Parameters
    ----------
    model
        ``(batch, channels, *window)`` to scores of the same spatial shape.
    window
        Spatial shape.
    at_once
        Windows per forward pass.
    """

    weights: Tensor

    def __init__(self, model: nn.Module, window: Sequence[int], at_once: int = 4) -> None:
        super().__init__()
        self.model, self.window = model, tuple(window)
        self.at_once = 1 if uses_batch_statistics(model) else at_once
        self.register_buffer("weights", gaussian(self.window), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Scores on the grid of the images."""
        sides = images.shape[2:]
        missing = [max(0, w - side) for w, side in zip(self.window, sides, strict=True)]
        around = [part for more in reversed(missing) for part in (more // 2, more - more // 2)]
        given = functional.pad(images, around)
        places = list(
            product(*(starts(n, w) for n, w in zip(given.shape[2:], self.window, strict=True)))
        )
        total, weight = None, given.new_zeros(given.shape[2:])
        for place, scores in zip(places, self._each(given, places), strict=True):
            here = self._slices(place)
            if total is None:
                total = given.new_zeros(len(given), scores.shape[1], *given.shape[2:])
            total[here] += scores * self.weights
            weight[here[2:]] += self.weights
        assert total is not None
        blended = total / weight
        for axis, (more, side) in enumerate(zip(missing, sides, strict=True)):
            blended = blended.narrow(2 + axis, more // 2, side)
        return blended

    def _slices(self, place: Sequence[int]) -> tuple[slice, ...]:
        inside = [slice(at, at + w) for at, w in zip(place, self.window, strict=True)]
        return (slice(None), slice(None), *inside)

    def _each(self, images: Tensor, places: Sequence[Sequence[int]]) -> list[Tensor]:
        """Scores of every window, each ``(batch, classes, *window)``."""
        count = len(images)
        windows = torch.cat([images[self._slices(place)] for place in places])
        scores = torch.cat([self.model(part) for part in windows.split(self.at_once)])
        return list(scores.split(count))


def starts(side: int, window: int, step: float = STEP) -> list[int]:
    """Where windows begin along an axis, the last one at its end."""
    last = side - window
    steps = math.ceil(last / (window * step))
    return [round(last * number / steps) for number in range(steps + 1)] if steps else [0]


def gaussian(window: Sequence[int]) -> Tensor:
    """Weights ``(*window)``, 1 in the middle and nowhere 0."""
    whole = torch.ones(())
    for side in window:
        away = (torch.arange(side) - side // 2).abs().double()
        sigma = side * SIGMA
        line = torch.exp(-0.5 * (away / sigma) ** 2)
        line[away > int(REACH * sigma + 0.5)] = 0
        whole = whole[..., None] * line
    return torch.where(whole > 0, whole, whole[whole > 0].min()).float()
