"""Small models, one for every operation that the engine treats by itself, and a few whole nets."""

from __future__ import annotations

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
            for k, (i, o) in enumerate(zip(widths, widths[1:], strict=False))
        )
        outs = [4 * base, 2 * base, 2 * base, base]
        skips = [4 * base, 2 * base, base, base]
        ups = [8 * base, *outs]
        self.decoder = nn.ModuleList(
            nn.Sequential(block(u + s, o), block(o, o))
            for u, s, o in zip(ups, skips, outs, strict=False)
        )
        skips[2] = base
        self.last = nn.Sequential(block(outs[-1], base), block(base, base))
        self.head = conv(base, 1)

    def forward(self, x):
        skips = [self.stem(x)]
        y = self.pool(skips[0])
        for stage in self.stages:
            y = stage(y)
            skips.append(y)
        skips = skips[:-1]
        y = skips and y
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


def two_paths(function):
    """Two branches of different reach."""
    return lambda: Then(
        lambda x, a, b, c: c(function(a(x), b(x))), conv(1, 4, 1), conv(1, 4, 5), conv(4, 1)
    )


def add_in_place(x):
    x += 1
    return x


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
    "max over channels": pointwise(lambda x: x * x.max(1, keepdim=True)[0] + x.mean(1, keepdim=True)),
    "mean and constants": pointwise(lambda x: (x - 0.3) / (x.abs() + 1) + torch.ones(4, 1, 1)),
    "constant field": lambda: Then(
        lambda x, a, b: b(a(x) + torch.linspace(0, 1, x.shape[3], dtype=x.dtype)),
        conv(1, 4), conv(4, 1),
    ),
    "add": two_paths(torch.add),
    "multiply": two_paths(torch.mul),
    "concatenate": two_paths(lambda a, b: torch.cat([a[:, :2], b[:, 2:]], 1)),
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
    "squeezed output": pointwise(lambda x: x) and (lambda: Then(lambda x, a: a(x).squeeze(1), conv(1, 1))),
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
