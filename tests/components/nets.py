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


class TwoPaths(nn.Module):
    """A stage, a skip around a pooled path, joined by a sum or by a product.

    sum: y = .5 s + .25 up(mean(s)); product: y = s * up(mean(s)); s = w x.
    """

    def __init__(self, join: str) -> None:
        super().__init__()
        self.join = join
        self.stage = pointwise([[0.8]])
        self.pool = nn.AvgPool2d(2)
        self.deep = pointwise([[1.0]])
        self.out = pointwise([[0.5, 0.25]])

    def forward(self, x: Tensor) -> Tensor:
        s = self.stage(x)
        up = nn.functional.interpolate(self.deep(self.pool(s)), scale_factor=2)
        both = torch.cat([s, up], dim=1)
        return self.out(both) if self.join == "sum" else both.prod(dim=1, keepdim=True)


class Residual(nn.Module):
    """y = relu(x + .5 x), the second term from a branch of two layers."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = pointwise([[1.0]])
        self.a = pointwise([[0.25]])
        self.b = pointwise([[2.0]])

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        return torch.relu(x + self.b(self.a(x)))


class Squeeze(nn.Module):
    """Channels times a gate of one position each: y = .5 (2 x) + .25 (-x + 1), gates constant."""

    def __init__(self) -> None:
        super().__init__()
        self.widen = pointwise([[2.0], [-1.0]], [0.0, 1.0])
        self.gate = pointwise([[0.0, 0.0], [0.0, 0.0]], [0.5, 0.25])

    def forward(self, x: Tensor) -> Tensor:
        h = self.widen(x)
        gate = self.gate(h.mean((2, 3), keepdim=True))
        return (h * gate).sum(dim=1, keepdim=True)


class Attention(nn.Module):
    """Self-attention of four heads over the pixels, by torch's own module."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.embed = nn.Conv2d(1, 16, 2, stride=2)
            self.attention = nn.MultiheadAttention(16, 4, batch_first=True)
            self.up = nn.ConvTranspose2d(16, 1, 2, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        h = self.embed(x)
        tokens = h.flatten(2).transpose(1, 2)
        tokens = tokens + self.attention(tokens, tokens, tokens, need_weights=False)[0]
        return self.up(tokens.transpose(1, 2).reshape(h.shape))
