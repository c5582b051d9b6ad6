"""Random changes of training images: where the tissue is, and how bright it looks."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Warp:
    """Ranges of the random geometry; each crop draws its own.

    Attributes
    ----------
    crop
        Side of the square crops, pixels.
    scale, shear
        Largest relative change of size and skew.
    turn
        Largest rotation, radians.
    elastic
        Standard deviation of the smooth displacement, pixels.
    flip
        Mirror left and right half of the time.
    """

    crop: int = 128
    scale: float = 0.2
    shear: float = 0.1
    turn: float = 0.35
    elastic: float = 2.0
    flip: bool = True

    def __call__(self, images: Tensor, centres: Tensor, rng: torch.Generator) -> Tensor:
        """Cut one warped crop out of each image.

        Parameters
        ----------
        images : Tensor (batch, channels, height, width)
        centres : Tensor (batch, 2)
            Row and column of each crop's centre, pixels.
        rng
            Source of the random geometry.

        Returns
        -------
        Tensor (batch, channels, crop, crop)
            Bilinear; 0 outside the image.
        """
        grid = self._offsets(len(images), rng) + centres[:, None, None]
        size = torch.tensor(images.shape[-2:], dtype=grid.dtype)
        grid = (2 * grid + 1) / size - 1
        return F.grid_sample(images, grid.flip(-1), align_corners=False)

    def _offsets(self, count: int, rng: torch.Generator) -> Tensor:
        """Displacements from the centre, ``(count, crop, crop, 2)`` pixels in rows and columns."""
        turn = self.turn * _uniform(rng, count)
        change = torch.eye(2) + self.shear * _uniform(rng, count, 2, 2)
        change = change * (1 + self.scale * _uniform(rng, count, 1, 1))
        rotation = torch.stack([turn.cos(), -turn.sin(), turn.sin(), turn.cos()], dim=1)
        matrix = rotation.view(count, 2, 2) @ change
        if self.flip:
            mirrored = torch.rand(count, generator=rng) < 0.5
            matrix[mirrored, :, 1] *= -1
        axis = torch.arange(self.crop) - (self.crop - 1) / 2
        plain = torch.stack(torch.meshgrid(axis, axis, indexing="ij"), dim=-1)
        knots = self.elastic * torch.randn(count, 2, 8, 8, generator=rng)
        bend = F.interpolate(knots, size=(self.crop, self.crop), mode="bicubic")
        return torch.einsum("nij,rcj->nrci", matrix, plain) + bend.permute(0, 2, 3, 1)


def relight(images: Tensor, rng: torch.Generator, noise: float = 0.06) -> Tensor:
    """Change contrast, brightness, gamma, shading, sharpness and noise of images valued 0 to 1.

    Parameters
    ----------
    images : Tensor (batch, channels, height, width)
    rng
        Source of the random changes.
    noise
        Largest standard deviation of the added noise.
    """
    count = len(images)
    gamma = torch.exp(0.4 * _uniform(rng, count, 1, 1, 1))
    gain = 1 + 0.2 * _uniform(rng, count, 1, 1, 1)
    shift = 0.1 * _uniform(rng, count, 1, 1, 1)
    bias = 0.15 * torch.randn(count, 1, 3, 3, generator=rng)
    field = F.interpolate(bias, size=images.shape[-2:], mode="bicubic").exp()
    lit = images.clamp(min=0).pow(gamma) * gain * field + shift
    soft = F.avg_pool2d(lit, 3, stride=1, padding=1, count_include_pad=False)
    blur = torch.rand(count, 1, 1, 1, generator=rng)
    level = noise * torch.rand(count, 1, 1, 1, generator=rng)
    grain = torch.randn(images.shape, generator=rng)
    return blur * soft + (1 - blur) * lit + level * grain


def _uniform(rng: torch.Generator, *shape: int) -> Tensor:
    return 2 * torch.rand(shape, generator=rng) - 1
