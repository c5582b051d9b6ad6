"""Networks small enough to work out by hand."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def pointwise(weight: list[list[float]], bias: list[float] | None = None) -> nn.Conv2d:
    """A 1x1 convolution with the given ``(out, in)`` weights."""
    out, into = len(weight), len(weight[0])
    conv = nn.Conv2d(into, out, 1)
    conv.weight.data = torch.tensor(weight)[:, :, None, None]
    conv.bias.data = torch.tensor(bias or [0.0] * out)
    return conv


class Chain(nn.Module):
    """y = last(first(x)), both 1x1 convolutions: every effect has a closed form."""

    def __init__(self) -> None:
        super().__init__()
        self.first = pointwise([[1.0], [-0.5]], [0.25, 0.5])
        self.last = pointwise([[0.5, 0.25]], [0.125])

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.first(x))


class Branches(nn.Module):
    """y = sum of w_k * x over branches: a linear network in which effects add."""

    def __init__(self, weights: list[float]) -> None:
        super().__init__()
        self.branch = nn.ModuleList(pointwise([[w]]) for w in weights)

    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([branch(x) for branch in self.branch]).sum(dim=0)


class TinyUNet(nn.Module):
    """Two levels, one skip, batch norm and dropout; random weights from a seed."""

    def __init__(self, channels: int = 1, seed: int = 0) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.enc = nn.Sequential(
                nn.Conv2d(channels, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(inplace=True)
            )
            self.pool = nn.MaxPool2d(2)
            self.mid = nn.Sequential(nn.Conv2d(4, 8, 3, padding=1), nn.ReLU(), nn.Dropout(0.5))
            self.up = nn.ConvTranspose2d(8, 4, 2, stride=2)
            self.dec = nn.Sequential(
                nn.Conv2d(8, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 4, 3, padding=1), nn.ReLU()
            )
            self.head = nn.Conv2d(4, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        skip = self.enc(x)
        return self.head(self.dec(torch.cat([skip, self.up(self.mid(self.pool(skip)))], dim=1)))
