"""The small U-Net behind the demo cases, in plain torch."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

NORMS: dict[str, Callable[[int], nn.Module]] = {
    "batch": nn.BatchNorm2d,
    "instance": lambda channels: nn.InstanceNorm2d(channels, affine=True),
    "none": lambda channels: nn.Identity(),
}


class ConvBlock(nn.Sequential):
    """Two 3x3 convolutions, each followed by a norm and a ReLU; keeps the height and width."""

    def __init__(self, in_channels: int, out_channels: int, norm: str) -> None:
        bias = norm == "none"
        super().__init__()
        for number, channels in enumerate((in_channels, out_channels), start=1):
            conv = nn.Conv2d(channels, out_channels, 3, padding=1, bias=bias)
            self.add_module(f"conv{number}", conv)
            self.add_module(f"norm{number}", NORMS[norm](out_channels))
            self.add_module(f"relu{number}", nn.ReLU())


class UNet(nn.Module):
    """U-Net with max pooling, transposed convolutions and concatenated skips.

    Parameters
    ----------
    in_channels, out_channels : int
        Channels of the image and of the output (logits).
    base : int
        Channels at the finest level; each coarser level doubles them.
    levels : int
        Resolutions, the input's own included: ``levels=4`` pools three times, so heights and
        widths must divide by 8.
    norm : {"batch", "instance", "none"}
        Normalisation after every 3x3 convolution.

    Raises
    ------
    ValueError
        For an unknown norm, fewer than one level, or (in `forward`) a height or width that the
        poolings do not divide.

    References
    ----------
    Ronneberger, Fischer, Brox: U-Net, arXiv:1505.04597.
    """

    def __init__(
        self,
        in_channels: int = 1,
        out_channels: int = 1,
        base: int = 16,
        levels: int = 4,
        norm: str = "batch",
    ) -> None:
        super().__init__()
        if norm not in NORMS:
            raise ValueError(f"norm must be one of {sorted(NORMS)}, got {norm!r}")
        if levels < 1 or base < 1:
            raise ValueError(f"base and levels must be at least 1, got {base} and {levels}")
        widths = [base * 2**level for level in range(levels)]
        self.divisor = 2 ** (levels - 1)
        self.pool = nn.MaxPool2d(2)
        self.encoder = nn.ModuleList(
            ConvBlock(before, width, norm)
            for before, width in zip([in_channels, *widths], widths, strict=False)
        )
        ups = list(zip(widths[:0:-1], widths[-2::-1], strict=True))
        self.up = nn.ModuleList(nn.ConvTranspose2d(low, high, 2, stride=2) for low, high in ups)
        self.decoder = nn.ModuleList(ConvBlock(2 * high, high, norm) for _, high in ups)
        self.head = nn.Conv2d(base, out_channels, 1)

    def forward(self, images: Tensor) -> Tensor:
        """(batch, in_channels, height, width) -> logits (batch, out_channels, height, width)."""
        height, width = images.shape[-2:]
        if height % self.divisor or width % self.divisor:
            raise ValueError(
                f"height and width must divide by {self.divisor}, got {height} x {width}; "
                "pad or crop the image"
            )
        return self.decode(self.encode(images))

    def encode(self, images: Tensor) -> list[Tensor]:
        """Features of every level, the finest first."""
        features: list[Tensor] = []
        x = images
        for block in self.encoder:
            x = block(self.pool(x) if features else x)
            features.append(x)
        return features

    def decode(self, features: list[Tensor]) -> Tensor:
        """Logits from the features of every level."""
        *skips, x = features
        for up, block in zip(self.up, self.decoder, strict=True):
            x = block(torch.cat([skips.pop(), up(x)], dim=1))
        return self.head(x)
