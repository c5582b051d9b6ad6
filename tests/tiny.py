"""A small real network on a small real picture: everything a session needs, in milliseconds."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from pdcr_widgets.causal import PatchBank, Segmenter

SIDE = 32
PATIENCE = 30.0  # seconds a test waits for what should take milliseconds


class Net(nn.Module):
    """Two convolutions; half of the pixels of the case's image are predicted."""

    def __init__(self, classes: int = 1) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 2, 7, padding=3)
        self.norm = nn.BatchNorm2d(2)
        self.last = nn.Conv2d(2, classes, 5, padding=2)

    def forward(self, images: Tensor) -> Tensor:
        return self.last(torch.relu(self.norm(self.first(images))))


class UNet(nn.Module):
    """One level down and up again, with a skip."""

    def __init__(self) -> None:
        super().__init__()
        self.enc = nn.Conv2d(1, 3, 3, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.mid = nn.Conv2d(3, 6, 3, padding=1)
        self.up = nn.ConvTranspose2d(6, 3, 2, stride=2)
        self.head = nn.Conv2d(6, 1, 1)

    def forward(self, images: Tensor) -> Tensor:
        skip = torch.relu(self.enc(images))
        return self.head(torch.cat([skip, self.up(torch.relu(self.mid(self.pool(skip))))], 1))


@dataclass(frozen=True, eq=False)
class Case:
    """What the demo cases offer, made of a few pixels."""

    segmenter: Segmenter
    image: Tensor
    truth: np.ndarray
    region: np.ndarray
    bank: PatchBank
    spacing: tuple[float, float]

    def make_bank(self, patch_size: int) -> PatchBank:
        images = torch.rand(2, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(5))
        return PatchBank.from_images(images, patch_size=patch_size, per_image=10)


def case(classes: int = 1) -> Case:
    """Give the same case every time."""
    generator = torch.Generator().manual_seed(1)
    net = Net(classes)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.4)
    image = torch.rand(1, SIDE, SIDE, generator=generator)
    with torch.no_grad():
        net.last.bias -= net.eval()(image[None]).median()
    truth = np.zeros((SIDE, SIDE), dtype=bool)
    truth[9:21, 9:21] = True
    region = np.zeros((SIDE, SIDE), dtype=bool)
    region[8:16, 8:16] = True
    bank = PatchBank(torch.rand(12, 1, 8, 8, generator=generator))
    return Case(Segmenter(net), image, truth, region, bank, (1.0, 2.0))


def unet_case() -> Case:
    """Give the same case with a small U-Net."""
    found = case()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = UNet()
    with torch.no_grad():
        net.head.bias -= net(found.image[None]).median()
    return replace(found, segmenter=replace(found.segmenter, model=net))
