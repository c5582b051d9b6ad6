"""A network whose answer to every patch can be worked out by hand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from pdcr_widgets.causal import PatchBank, Segmenter

SIDE, PATCH = 16, 4
KEY = (0, 0)
"""Cell of the patch that the network needs."""


class NeedsKey(nn.Module):
    """Predicts the region's square where the first patch is bright, and nothing otherwise."""

    def __init__(self, key: tuple[int, int] | None) -> None:
        super().__init__()
        self.key = key
        square = torch.zeros(1, 1, SIDE, SIDE)
        square[..., 8:12, 8:12] = 1
        self.register_buffer("square", square)

    def forward(self, images: Tensor) -> Tensor:
        lit = torch.ones(len(images), 1, 1, 1)
        if self.key is not None:
            top, left = (PATCH * place for place in self.key)
            seen = images[..., top : top + PATCH, left : left + PATCH]
            lit = (seen.mean(dim=(1, 2, 3), keepdim=True) > 0.5).float()
        return self.square * lit * 20 - 10


@dataclass(frozen=True, eq=False)
class World:
    """What a lesson asks of a case."""

    segmenter: Segmenter
    image: Tensor
    truth: np.ndarray
    region: np.ndarray
    spacing: None = None

    @property
    def bank(self) -> PatchBank:
        return self.make_bank(PATCH)

    def make_bank(self, patch_size: int) -> PatchBank:
        return PatchBank(torch.zeros(3, 1, patch_size, patch_size))


def world(key: tuple[int, int] | None = KEY, model: nn.Module | None = None) -> World:
    """A bright key, a dark rest, and a square that is predicted rightly."""
    image = torch.zeros(1, SIDE, SIDE)
    image[:, :PATCH, :PATCH] = 1.0
    truth = np.zeros((SIDE, SIDE), dtype=bool)
    truth[8:12, 8:12] = True
    return World(Segmenter(model or NeedsKey(key), 0, "sigmoid"), image, truth, truth.copy())
