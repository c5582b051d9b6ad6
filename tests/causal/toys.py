"""Models small enough to work out by hand, and the pictures they look at."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from hypothesis import settings
from torch import Tensor, nn

quick = settings(max_examples=20, deadline=None, derandomize=True)


def picture(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    """Values in 0..1 that differ everywhere."""
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def box(spatial: tuple[int, ...], *sides: slice) -> np.ndarray:
    """A region of the given slices."""
    mask = np.zeros(spatial, dtype=bool)
    mask[sides] = True
    return mask


class Linear(nn.Module):
    """Every pixel's probability is the same weighted sum of the whole image."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.register_buffer("weight", weight)

    def forward(self, images: Tensor) -> Tensor:
        total = (images * self.weight).flatten(1).sum(dim=1)
        return total.reshape(-1, 1, *[1] * (images.ndim - 2)).expand(-1, 1, *images.shape[2:])


class Pixelwise(nn.Module):
    """Each pixel's logit depends on that pixel alone."""

    def __init__(self, gain: float = 9.0, middle: float = 0.5) -> None:
        super().__init__()
        self.gain, self.middle = gain, middle

    def forward(self, images: Tensor) -> Tensor:
        return self.gain * (images.mean(dim=1, keepdim=True) - self.middle)


class Blind(nn.Module):
    """Mixes all pixels of the region, and sees nothing else."""

    def __init__(self, region: np.ndarray) -> None:
        super().__init__()
        self.register_buffer("inside", torch.from_numpy(region).float())

    def forward(self, images: Tensor) -> Tensor:
        seen = images * self.inside
        return seen - seen.flatten(1).mean(dim=1).reshape(-1, 1, *[1] * (images.ndim - 2))


class SmallNet(nn.Module):
    """Convolutions with batch norm; sees 7 pixels far, and predicts about half of a picture."""

    def __init__(self, channels: int = 1, classes: int = 1, axes: int = 2, seed: int = 0) -> None:
        super().__init__()
        conv = {2: nn.Conv2d, 3: nn.Conv3d}[axes]
        norm = {2: nn.BatchNorm2d, 3: nn.BatchNorm3d}[axes]
        generator = torch.Generator().manual_seed(seed)
        self.first = conv(channels, 4, 5, padding=2)
        self.norm = norm(4)
        self.wide = conv(4, 4, 3, padding=4, dilation=4)
        self.last = conv(4, classes, 3, padding=1)
        for parameter in self.parameters():
            fresh = torch.empty_like(parameter).normal_(0, 0.5, generator=generator)
            parameter.data.copy_(fresh)
        self.eval()
        with torch.no_grad():
            scores = self(picture(1, channels, *[24 if axes == 2 else 12] * axes, seed=99))
        self.last.bias.data -= scores.movedim(1, 0).flatten(1).median(dim=1).values

    def forward(self, images: Tensor) -> Tensor:
        hidden = torch.relu(self.norm(self.first(images)))
        return self.last(torch.relu(self.wide(hidden)))


class Returns(nn.Module):
    """A model that answers with whatever a function makes of the images."""

    def __init__(self, answer: Any) -> None:
        super().__init__()
        self.answer = answer

    def forward(self, images: Tensor) -> Any:
        return self.answer(images)


class Spy(nn.Module):
    """Passes images on to a model and notes the size of every batch."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.batches: list[int] = []

    def forward(self, images: Tensor) -> Any:
        self.batches.append(len(images))
        return self.model(images)
