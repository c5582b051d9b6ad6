"""The paper's own loop order, to be timed: one patch at a time, batches of 3 and 50."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pdcr_widgets.causal.draws import draw
from pdcr_widgets.causal.plan import PatchGrid
from tests.bench import clock

SCREENING, SAMPLES, THRESHOLD = 3, 50, 0.02


@dataclass
class PaperLoop:
    """One image, one target, one bank, all where the network is.

    Parameters
    ----------
    predict
        ``(n, channels, height, width) -> (n, height, width)`` probabilities, on the device that
        benchmarks use.
    image, truth, region, bank
        Tensors ``(channels, height, width)``, boolean arrays, patches ``(n, channels, 8, 8)``.
    """

    predict: Callable[[Tensor], Tensor]
    image: Tensor
    truth: np.ndarray
    region: np.ndarray
    bank: Tensor
    patch_size: int = 8
    seed: int = 0

    def __post_init__(self) -> None:
        self.grid = PatchGrid(tuple(self.image.shape[1:]), self.patch_size, self.region)
        self.image, self.bank = self.image.to(clock.device), self.bank.to(clock.device)
        self.inside = torch.from_numpy(self.region).to(clock.device)
        self.reference = torch.from_numpy(self.truth).to(clock.device) & self.inside
        self.base = float(self.dice(self.predict(self.image[None]))[0])
        self.evaluations = 0

    def dice(self, probability: Tensor) -> Tensor:
        """Dice of each prediction inside the target, points."""
        predicted = (probability > 0.5) & self.inside
        both = (predicted & self.reference).sum(dim=(1, 2))
        return 200 * both / (predicted.sum(dim=(1, 2)) + self.reference.sum() + 1e-10)

    def effects(self, cell: int, samples: Sequence[int]) -> np.ndarray:
        """Paste one patch per sample, predict them in one batch, give the changes in points."""
        choices = draw(self.seed, np.full(len(samples), cell), np.asarray(samples), len(self.bank))
        top, left = self.grid.starts(np.array([cell]))[0]
        rows = slice(top, min(top + self.patch_size, self.image.shape[1]))
        cols = slice(left, min(left + self.patch_size, self.image.shape[2]))
        images = self.image.repeat(len(samples), 1, 1, 1)
        patches = self.bank[torch.from_numpy(choices).to(clock.device)]
        images[:, :, rows, cols] = patches[:, :, : rows.stop - top, : cols.stop - left]
        self.evaluations += len(samples)
        with torch.no_grad():
            return self.dice(self.predict(images)).double().cpu().numpy() - self.base

    def effect(self, cell: int) -> float:
        """Screen, then refine: the effect of one patch, points."""
        screened = self.effects(cell, range(SCREENING))
        if (np.abs(screened) < THRESHOLD).all():
            return 0.0
        mean = float(self.effects(cell, range(SCREENING, SCREENING + SAMPLES)).mean())
        return 0.0 if abs(mean) < THRESHOLD else mean

    def map(self) -> np.ndarray:
        """The whole map, NaN on the target."""
        effect = np.full(self.grid.shape, np.nan)
        for cell in np.sort(self.grid.cells):
            effect.flat[cell] = self.effect(int(cell))
        return effect
