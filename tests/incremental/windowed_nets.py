"""Nets for the tests of the incremental engine, and how they are brought to float64."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Then(nn.Module):
    """A module made of a function."""

    def __init__(self, function, *modules):
        super().__init__()
        self.parts = nn.ModuleList(modules)
        self.function = function

    def forward(self, x):
        return self.function(x, *self.parts)


def conv(i, o, k=3, **options):
    return nn.Conv2d(i, o, k, **{"padding": k // 2, **options})


def block(i, o):
    return nn.Sequential(conv(i, o), nn.BatchNorm2d(o), nn.ReLU(inplace=True))


class Squeeze(nn.Module):
    """Squeeze and excite."""

    def __init__(self, channels):
        super().__init__()
        self.gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(channels, 2, 1), nn.SiLU(), nn.Conv2d(2, channels, 1)
        )

    def forward(self, x):
        return x * self.gate(x).sigmoid()


class FlatSqueeze(nn.Module):
    """Squeeze and excite through vectors and a reshape that contains the batch."""

    def __init__(self, channels):
        super().__init__()
        self.linear = nn.Linear(channels, channels)

    def forward(self, x):
        gate = self.linear(x.mean((2, 3)))
        return x * torch.sigmoid(gate).view(x.shape[0], x.shape[1], 1, 1)


class Attention(nn.Module):
    """Self-attention over positions."""

    def __init__(self, channels):
        super().__init__()
        self.mix = nn.MultiheadAttention(channels, 2, batch_first=True)

    def forward(self, x):
        tokens = x.flatten(2).transpose(1, 2)
        mixed = self.mix(tokens, tokens, tokens, need_weights=False)[0]
        return x + mixed.transpose(1, 2).reshape(x.shape[0], -1, *x.shape[2:])


class Windows(nn.Module):
    """Attention in windows, with the batch and the windows on one axis."""

    def forward(self, x):
        b, c, h, w = x.shape
        cut = x.view(b, c, h // 4, 4, w // 4, 4).permute(0, 2, 4, 3, 5, 1).reshape(-1, 16, c)
        cut = F.scaled_dot_product_attention(cut, cut, cut)
        back = cut.view(b, h // 4, w // 4, 4, 4, c).permute(0, 5, 1, 3, 2, 4)
        return back.reshape(b, c, h, w)


class Residual(nn.Module):
    """Residual block, with a projection where it strides."""

    def __init__(self, i, o, stride=1):
        super().__init__()
        self.body = nn.Sequential(
            conv(i, o, stride=stride, bias=False),
            nn.BatchNorm2d(o),
            nn.ReLU(inplace=True),
            conv(o, o, bias=False),
            nn.BatchNorm2d(o),
        )
        self.skip = nn.Identity()
        if stride > 1 or i != o:
            self.skip = nn.Sequential(nn.Conv2d(i, o, 1, stride, bias=False), nn.BatchNorm2d(o))

    def forward(self, x):
        return F.relu(self.body(x) + self.skip(x), inplace=True)


class ResUNet(nn.Module):
    """U-Net with a residual encoder and nearest upsampling, as common libraries build it."""

    def __init__(self, channels=1, base=8, blocks=2):
        super().__init__()
        widths = [base, base, 2 * base, 4 * base, 8 * base]
        self.stem = nn.Sequential(
            nn.Conv2d(channels, base, 7, 2, 3, bias=False), nn.BatchNorm2d(base), nn.ReLU(True)
        )
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.stages = nn.ModuleList(
            nn.Sequential(
                Residual(i, o, 1 if k == 0 else 2), *(Residual(o, o) for _ in range(blocks - 1))
            )
            for k, (i, o) in enumerate(pairwise(widths))
        )
        outs, skips = [4 * base, 2 * base, 2 * base, base], [4 * base, 2 * base, base, base]
        ups = [8 * base, *outs]
        self.decoder = nn.ModuleList(
            nn.Sequential(block(u + s, o), block(o, o))
            for u, s, o in zip(ups, skips, outs, strict=False)
        )
        self.last = nn.Sequential(block(outs[-1], base), block(base, base))
        self.head = conv(base, 1)

    def forward(self, x):
        skips = [self.stem(x)]
        y = self.pool(skips[0])
        for stage in self.stages:
            y = stage(y)
            skips.append(y)
        skips.pop()
        for part in self.decoder:
            y = F.interpolate(y, scale_factor=2.0, mode="nearest")
            y = part(torch.cat([y, skips.pop()], 1))
        return self.head(self.last(F.interpolate(y, scale_factor=2.0, mode="nearest")))


class BilinearUNet(nn.Module):
    """U-Net with bilinear upsampling."""

    def __init__(self, align, channels=1, base=6):
        super().__init__()
        self.align = align
        self.down = nn.ModuleList([block(channels, base), block(base, 2 * base)])
        self.middle = block(2 * base, 4 * base)
        self.up = nn.ModuleList([block(6 * base, 2 * base), block(3 * base, base)])
        self.head = nn.Conv2d(base, 2, 1)

    def forward(self, x):
        skips = []
        for part in self.down:
            x = part(x)
            skips.append(x)
            x = F.max_pool2d(x, 2)
        x = self.middle(x)
        for part in self.up:
            skip = skips.pop()
            x = F.interpolate(x, size=skip.shape[2:], mode="bilinear", align_corners=self.align)
            x = part(torch.cat([skip, x], dim=1))
        return self.head(x)


class UNet3d(nn.Module):
    """Small U-Net in three dimensions."""

    def __init__(self, base=4):
        super().__init__()
        self.one = nn.Sequential(nn.Conv3d(1, base, 3, padding=1), nn.BatchNorm3d(base), nn.ReLU())
        self.two = nn.Sequential(
            nn.Conv3d(base, 2 * base, 3, 2, 1), nn.BatchNorm3d(2 * base), nn.PReLU(2 * base)
        )
        self.up = nn.ConvTranspose3d(2 * base, base, 2, 2)
        self.out = nn.Conv3d(2 * base, 1, 3, padding=1)

    def forward(self, x):
        skip = self.one(x)
        return self.out(torch.cat([skip, self.up(self.two(skip))], 1))


def settled(net: nn.Module) -> nn.Module:
    """In float64 and evaluation mode, batch norms with statistics unlike 0 and 1."""
    net = net.double().eval()
    for module in net.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
            nn.init.uniform_(module.weight, 0.5, 2)
            nn.init.normal_(module.bias)
    return net


def picture(shape: tuple[int, ...]) -> Tensor:
    """Random image of a shape, float64."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
