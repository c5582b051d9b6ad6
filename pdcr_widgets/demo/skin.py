"""Made-up dermoscopy: skin, one lesion with an irregular border, hair, and perhaps a ruler mark.

Nothing here is a photograph. Every part of an image has its own random stream, so that the same
number with and without the mark gives images that differ in the mark alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

Field = NDArray[np.float32]

SIDE = 128
PAPER = np.array([0.93, 0.93, 0.90], dtype=np.float32)[:, None, None]
INK = np.array([0.13, 0.14, 0.18], dtype=np.float32)[:, None, None]


@dataclass(frozen=True, eq=False)
class Skin:
    """One made-up image.

    Attributes
    ----------
    image : ndarray (3, 128, 128) float32
        Red, green, blue, 0 to 1.
    lesion : ndarray (128, 128) bool
        The lesion, hair over it included.
    mark : ndarray (128, 128) bool
        Pixels where the ruler mark is, or would be when it was left out.
    """

    image: Field
    lesion: NDArray[np.bool_]
    mark: NDArray[np.bool_]


def make_skin(number: int, ruler: bool = True) -> Skin:
    """Make an image; the same number gives the same image.

    Parameters
    ----------
    number
        Which image, 0 or more.
    ruler
        Draw the ruler mark beside the lesion.
    """
    streams = [np.random.default_rng([number, part]) for part in range(5)]
    outline = _Outline.draw(streams[1])
    depth = outline.depth()
    skin = _skin(streams[0])
    covered = _blend(skin, _lesion(streams[2]), _edge(depth, outline.softness))
    strip, ticks = _ruler(streams[3], outline)
    if ruler:
        covered = _blend(_blend(covered, PAPER, strip), INK, 0.9 * ticks)
    image = _hair(streams[4], covered)
    image += 0.015 * streams[0].standard_normal(image.shape, dtype=np.float32)
    return Skin(image.clip(0, 1), depth > 0, strip > 0.5)


@dataclass(frozen=True, eq=False)
class _Outline:
    """A closed curve around a centre, its radius a short Fourier series of the angle."""

    centre: NDArray[np.float64]
    radius: float
    amplitudes: NDArray[np.float64]
    phases: NDArray[np.float64]
    softness: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> _Outline:
        waves = np.arange(2, 9)
        return cls(
            centre=SIDE / 2 + rng.uniform(-13, 13, 2),
            radius=rng.uniform(15, 25),
            amplitudes=rng.normal(0, 0.28, len(waves)) / waves**1.2,
            phases=rng.uniform(0, 2 * np.pi, len(waves)),
            softness=rng.uniform(0.6, 1.6),
        )

    def reach(self, angle: NDArray[np.float64]) -> NDArray[np.float64]:
        """Radius in pixels at each angle."""
        waves = np.arange(2, 9)
        ripple = self.amplitudes * np.cos(waves * angle[..., None] + self.phases)
        return self.radius * (1 + ripple.sum(-1)).clip(0.5, 1.6)

    def depth(self) -> Field:
        """Pixels from the border along the radius, positive inside."""
        down, right = np.mgrid[:SIDE, :SIDE] - self.centre[:, None, None]
        return (self.reach(np.arctan2(down, right)) - np.hypot(down, right)).astype(np.float32)


def _skin(rng: np.random.Generator) -> Field:
    tone = np.array([0.82, 0.62, 0.53]) * rng.uniform(0.8, 1.08) + rng.normal(0, 0.02, 3)
    colour = 0.015 * _smooth(rng, 4, 3) + 0.01 * _smooth(rng, 24, 3)
    shade = 0.06 * _smooth(rng, 3, 1) + 0.025 * _smooth(rng, 48, 1)
    return (tone[:, None, None] * (1 + shade) + colour).astype(np.float32)


def _lesion(rng: np.random.Generator) -> Field:
    tone = np.array([0.46, 0.29, 0.22]) * rng.uniform(0.75, 1.35) + rng.normal(0, 0.025, 3)
    blotches = 0.16 * _smooth(rng, 7, 1) + 0.08 * _smooth(rng, 20, 1)
    network = 0.10 * np.abs(_smooth(rng, 40, 1)) - 0.08
    colour = 0.02 * _smooth(rng, 6, 3)
    return (tone[:, None, None] * (1 + blotches + network) + colour).astype(np.float32)


def _ruler(rng: np.random.Generator, outline: _Outline) -> tuple[Field, Field]:
    """Coverage of a white paper strip beside the lesion, and of the ticks on it."""
    angle = rng.integers(4) * np.pi / 2 + rng.uniform(-0.3, 0.3)
    out = np.array([np.sin(angle), np.cos(angle)])
    along = np.array([out[1], -out[0]])
    span = angle + np.linspace(-0.6, 0.6, 25)
    border = (outline.reach(span) * np.cos(span - angle)).max()
    width, length = rng.uniform(7, 9), rng.uniform(22, 28)
    foot = outline.centre + (border + rng.uniform(3, 6) + width / 2) * out
    axis = np.moveaxis(np.mgrid[:SIDE, :SIDE], 0, -1) - foot
    beyond = np.maximum(np.abs(axis @ out) - width / 2, np.abs(axis @ along) - length / 2)
    strip = (0.5 - beyond).clip(0, 1).astype(np.float32)
    ticks = [
        foot + length * (part - 0.5) * along + step * out
        for part in np.linspace(0.1, 0.9, 5)
        for step in np.linspace(-width / 2 + 1, width / 8, 10)
    ]
    return strip, _stroke(np.array(ticks), 0.6)


def _hair(rng: np.random.Generator, image: Field) -> Field:
    colour = np.array([0.22, 0.15, 0.11]) * rng.uniform(0.6, 1.6)
    part = np.linspace(0, 1, 300)[:, None]
    for _ in range(rng.integers(0, 9)):
        start, middle, end = rng.uniform(-20, SIDE + 20, (3, 2))
        middle = 0.3 * middle + 0.35 * (start + end)
        curve = (1 - part) ** 2 * start + 2 * part * (1 - part) * middle + part**2 * end
        alpha = _stroke(curve, rng.uniform(0.3, 0.7)) * rng.uniform(0.5, 0.9)
        image = _blend(image, colour[:, None, None], alpha)
    return image


def _smooth(rng: np.random.Generator, knots: int, channels: int) -> Field:
    """Smooth random field ``(channels, side, side)`` of about unit variance."""
    coarse = torch.as_tensor(rng.standard_normal((1, channels, knots, knots), dtype=np.float32))
    fine: Field = F.interpolate(coarse, size=(SIDE, SIDE), mode="bicubic")[0].numpy()
    return fine


def _stroke(points: NDArray[np.float64], half_width: float) -> Field:
    """Coverage 0 to 1 of a pen drawn through points given as rows and columns."""
    coverage = np.zeros((SIDE, SIDE), dtype=np.float32)
    reach = int(np.ceil(half_width)) + 1
    near = np.moveaxis(np.mgrid[-reach : reach + 1, -reach : reach + 1], 0, -1)
    pixels = np.round(points).astype(int)[:, None, None] + near
    distance = np.linalg.norm(pixels - points[:, None, None], axis=-1)
    value = (half_width + 0.5 - distance).clip(0, 1).astype(np.float32)
    inside = ((pixels >= 0) & (pixels < SIDE)).all(-1)
    np.maximum.at(coverage, tuple(pixels[inside].T), value[inside])
    return coverage


def _edge(depth: Field, softness: float) -> Field:
    faded: Field = 0.5 + 0.5 * np.tanh(depth / (2 * softness))
    return faded


def _blend(under: Field, over: NDArray[np.floating], alpha: Field) -> Field:
    mixed: Field = (under * (1 - alpha) + over * alpha).astype(np.float32)
    return mixed
