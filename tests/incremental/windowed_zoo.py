"""Small models, one for every operation that the engine treats by itself, and a few whole nets."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F
from windowed_nets import (
    Attention,
    BilinearUNet,
    FlatSqueeze,
    Residual,
    ResUNet,
    Squeeze,
    Then,
    Windows,
    conv,
    settled,
)


def with_norm(norm):
    return lambda: nn.Sequential(conv(1, 4), norm(4), nn.ReLU(), conv(4, 4), nn.ReLU(), conv(4, 1))


def up(**options):
    def grow(x, a, b):
        return b(F.interpolate(F.max_pool2d(a(x), 2), **options))

    return lambda: Then(grow, conv(1, 4), conv(4, 1))


def padded(mode, **options):
    return lambda: nn.Sequential(conv(1, 4, padding_mode=mode, **options), nn.GELU(), conv(4, 1))


def pool(layer):
    return lambda: Then(
        lambda x, a, p, b: b(F.interpolate(p(a(x)), size=x.shape[2:], mode="nearest")),
        conv(1, 4), layer, conv(4, 1),
    )  # fmt: skip


def back(layer):
    """Down by two, then up by ``layer`` to the size of the input."""
    return lambda: Then(
        lambda x, a, t, b: b(t(a(x))[:, :, : x.shape[2], : x.shape[3]]),
        conv(1, 4, stride=2), layer, conv(4, 1),
    )  # fmt: skip


def pointwise(function):
    return lambda: Then(lambda x, a, b: b(function(a(x))), conv(1, 4), conv(4, 1))


def classes(function):
    """Four classes, and what a model makes of them."""
    return lambda: Then(lambda x, a, b: function(b(a(x))), conv(1, 4), conv(4, 4))


def two_paths(function):
    """Two branches of different reach."""
    return lambda: Then(
        lambda x, a, b, c: c(function(a(x), b(x))), conv(1, 4, 1), conv(1, 4, 5), conv(4, 1)
    )


def add_in_place(x):
    x += 1
    return x


def drawn(x):
    """Field that is filled through views, and read before and after."""
    field = x.new_zeros(1, 1, *x.shape[2:])
    before = field + 1
    field[:, :, 3:20, 5:] = 2
    field[:, :, ::2] += before[:, :, ::2]
    return field


WHOLE = {
    "group norm",
    "instance norm",
    "attention",
    "window attention",
    "pixel shuffle",
    "squeeze by vectors",
    "rows of one class",
}
"""Models with operations that are computed on whole maps."""

ZOO = {
    "conv": lambda: nn.Sequential(conv(1, 4), nn.ReLU(), conv(4, 4, 5), nn.ReLU(), conv(4, 1)),
    "even kernel, same": lambda: nn.Conv2d(1, 1, 4, padding="same"),
    "valid, then padded": lambda: Then(
        lambda x, a, b: b(F.pad(a(x), (2, 2, 2, 2))), nn.Conv2d(1, 4, 5), conv(4, 1)
    ),
    "strides": back(nn.ConvTranspose2d(4, 4, 3, 2, 1, output_padding=1)),
    "dilation": lambda: nn.Sequential(conv(1, 4, dilation=3, padding=3), nn.Tanh(), conv(4, 1)),
    "groups": lambda: nn.Sequential(conv(1, 4), conv(4, 8, groups=4), nn.ReLU(), conv(8, 1)),
    "wide kernel beyond the image": lambda: nn.Conv2d(1, 1, (41, 3), padding=(20, 1)),
    "transposed, no overlap": back(nn.ConvTranspose2d(4, 4, 2, 2)),
    "transposed, overlap": back(nn.ConvTranspose2d(4, 4, 5, 2, 1)),
    "transposed, holes": back(nn.ConvTranspose2d(4, 4, 1, 2, output_padding=1)),
    "transposed, dilated, grouped": back(
        nn.ConvTranspose2d(4, 4, 3, 2, 1, output_padding=1, groups=2, dilation=2)
    ),
    "transposed, batch norm": back(
        nn.Sequential(nn.ConvTranspose2d(4, 6, 2, 2, groups=2), nn.BatchNorm2d(6), conv(6, 4))
    ),
    "transposed, then convolved": lambda: nn.Sequential(
        nn.Conv2d(1, 6, 3, 2, 1), nn.ReLU(), nn.ConvTranspose2d(6, 4, 2, 2), conv(4, 3), nn.ReLU(),
        nn.Conv2d(3, 6, 3, 3, 1), nn.ReLU(), nn.ConvTranspose2d(6, 5, 3, 3), conv(5, 1),
        nn.ZeroPad2d((0, -3, 0, -3)),
    ),
    "batch norm": with_norm(nn.BatchNorm2d),
    "batch norm first": lambda: nn.Sequential(nn.BatchNorm2d(1), conv(1, 4), nn.ELU(), conv(4, 1)),
    "max pool": pool(nn.MaxPool2d(2)),
    "max pool, overlap": pool(nn.MaxPool2d(3, 2, 1)),
    "max pool, ceil, dilated": pool(nn.MaxPool2d(3, 2, 1, dilation=2, ceil_mode=True)),
    "max pool of padding": pool(nn.Sequential(nn.ZeroPad2d(1), nn.MaxPool2d(3, 2))),
    "average pool": pool(nn.AvgPool2d(2)),
    "average pool, overlap": pool(nn.AvgPool2d(3, 2, 1)),
    "average pool, uncounted, ceil": pool(nn.AvgPool2d(3, 2, 1, True, False)),
    "adaptive average pool": pool(nn.AdaptiveAvgPool2d((7, 11))),
    "nearest": up(scale_factor=2, mode="nearest"),
    "nearest, odd factor": lambda: Then(
        lambda x, a, b: F.interpolate(b(F.interpolate(a(x), scale_factor=0.6)), size=x.shape[2:]),
        conv(1, 4), conv(4, 1),
    ),
    "nearest exact": up(scale_factor=2, mode="nearest-exact"),
    "bilinear": up(scale_factor=2, mode="bilinear"),
    "bilinear, corners": up(scale_factor=2, mode="bilinear", align_corners=True),
    "bilinear, odd factor": lambda: Then(
        lambda x, a, b: F.interpolate(
            b(F.interpolate(a(x), scale_factor=0.7, mode="bilinear")), x.shape[2:], mode="bilinear"
        ),
        conv(1, 4), conv(4, 1),
    ),
    "bicubic": up(scale_factor=2, mode="bicubic"),
    "reflect": padded("reflect"),
    "replicate": padded("replicate"),
    "circular": padded("circular"),
    "constant": lambda: Then(
        lambda x, a, b: b(F.pad(a(x), (1, 1, 1, 1), value=0.7)), conv(1, 4), nn.Conv2d(4, 1, 3)
    ),
    "cropped and padded back": lambda: Then(
        lambda x, a, b: b(F.pad(F.relu(a(x))[:, :, 2:-1, 3:], (3, 0, 2, 1))), conv(1, 4), conv(4, 1)
    ),
    "flipped": lambda: Then(lambda x, a, b: b(torch.flip(a(x), (3,))), conv(1, 4), conv(4, 1)),
    "softmax": pointwise(lambda x: x.softmax(1)),
    "swish by hand": pointwise(lambda x: x * torch.sigmoid(x)),
    "in place": pointwise(lambda x: F.leaky_relu(add_in_place(x), inplace=True)),
    "prelu": lambda: nn.Sequential(conv(1, 4), nn.PReLU(4), conv(4, 1)),
    "channel slices": pointwise(lambda x: torch.cat([x[:, 2:], x[:, :2] * 2], 1)),
    "split": pointwise(lambda x: torch.cat(x.chunk(2, 1)[::-1], 1)),
    "max over channels": pointwise(lambda x: x * x.max(1, True)[0] + x.mean(1, True)),
    "channels padded and repeated": pointwise(
        lambda x: F.pad(x[:, :1].repeat(1, 2, 1, 1), (0, 0, 0, 0, 1, 1))
    ),
    "constant written piece by piece": pointwise(lambda x: x * drawn(x)),
    "mean and constants": pointwise(lambda x: (x - 0.3) / (x.abs() + 1) + x.new_ones(4, 1, 1)),
    "constant field": lambda: Then(
        lambda x, a, b: b(a(x) + torch.linspace(0, 1, x.shape[3]).to(x)),
        conv(1, 4), conv(4, 1),
    ),
    "add": two_paths(torch.add),
    "multiply": two_paths(torch.mul),
    "concatenate": two_paths(lambda a, b: torch.cat([a[:, :2], b[:, 2:]], 1)),
    "concatenate a placeholder": lambda: Then(
        lambda x, a, b: b(torch.cat([a(x), torch.zeros_like(x)[:, :0], x], 1)),
        conv(1, 4, 5), conv(5, 1),
    ),
    "constants of its shape": pointwise(lambda x: x + x.new_ones(x.shape) - torch.full_like(x, 2)),
    "concatenate before dilation": lambda: Then(
        lambda x, a, b, c: c(torch.cat([a(x), x, b(a(x))], 1)),
        conv(1, 4, 1), conv(4, 4, 7), conv(9, 1, dilation=2, padding=2),
    ),
    "residual": lambda: nn.Sequential(Residual(1, 4), Residual(4, 4), conv(4, 1)),
    "squeeze and excite": lambda: nn.Sequential(conv(1, 4), Squeeze(4), conv(4, 1)),
    "squeeze by vectors": lambda: nn.Sequential(conv(1, 4), FlatSqueeze(4), conv(4, 1)),
    "group norm": with_norm(lambda c: nn.GroupNorm(2, c)),
    "instance norm": with_norm(lambda c: nn.InstanceNorm2d(c, affine=True)),
    "attention": lambda: nn.Sequential(conv(1, 4), Attention(4), conv(4, 1)),
    "window attention": lambda: nn.Sequential(conv(1, 4), Windows(), conv(4, 1)),
    "pixel shuffle": lambda: nn.Sequential(conv(1, 8, stride=2), nn.PixelShuffle(2), conv(2, 1)),
    "squeezed output": lambda: Then(lambda x, a: a(x).squeeze(1), conv(1, 1)),
    "squeezed by a view": classes(lambda x: x[:, :1].view(len(x), *x.shape[2:])),
    "one class": classes(lambda x: x[:, 1]),
    "one class, softmax": classes(lambda x: x.softmax(1)[:, -1] * 2 - 1),
    "difference of classes": classes(lambda x: torch.sigmoid(x[:, 1] - x[:, 0])),
    "classes summed": classes(lambda x: x.sum(1) + x.amax(dim=1) - x.mean(-3) + x.norm(dim=1)),
    "one class and back": classes(lambda x: x.relu() * x[:, 1].exp()[:, None] + x[:, 2:3]),
    "rows of one class": classes(lambda x: x[:, 1].cumsum(-1)[:, None]),
    "U-Net, bilinear": lambda: BilinearUNet(False),
    "U-Net, bilinear, corners": lambda: BilinearUNet(True),
    "U-Net, residual, nearest": lambda: ResUNet(base=4),
}  # fmt: skip

SHAPES = {
    "U-Net, residual, nearest": (1, 96, 64),
    "window attention": (1, 32, 24),
    "pixel shuffle": (1, 32, 24),
    "max pool": (1, 34, 26),
    "nearest": (1, 34, 26),
    "bicubic": (1, 34, 26),
    "nearest exact": (1, 34, 26),
    "bilinear": (1, 34, 26),
    "bilinear, corners": (1, 34, 26),
}


def model(name: str) -> nn.Module:
    """A model of the zoo in float64, its batch norms with statistics of their own."""
    torch.manual_seed(0)
    return settled(ZOO[name]())
