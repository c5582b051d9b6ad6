"""How patches that were found to matter are measured."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np

from pdcr_widgets.causal.sampling.progress import Progress, Settings, chunks
from pdcr_widgets.causal.sampling.search import Offers
from pdcr_widgets.causal.state import Estimates

CONFIDENCE = 1.96
RELATIVE = 0.25
FEW = 16
"""Draws that a bank is exhausted with, and before which no effect counts as known well enough."""


class Measuring(Protocol):
    """How patches that were found are measured.

    Attributes
    ----------
    first
        Draws that a patch takes at first.
    """

    first: int

    def begin(self, cells: np.ndarray, squares: np.ndarray) -> Iterator[Progress]:
        """Take in patches whose squared effects may be so large, points squared."""

    def offers(self) -> Offers:
        """Further draws that are worth making."""

    def squares(self) -> np.ndarray:
        """Mean squared draw of each patch of the grid, 0 where nothing was drawn."""

    def take(self, chosen: np.ndarray) -> Iterator[Progress]:
        """Make those that were chosen."""


class Exhausting:
    """Every content of a small bank at every patch: exact at once."""

    def __init__(self, estimates: Estimates) -> None:
        self._estimates = estimates
        self.first = estimates.experiment.baseline.choices

    def begin(self, cells: np.ndarray, squares: np.ndarray) -> Iterator[Progress]:
        """See `Measuring`."""
        del squares
        experiment, count = self._estimates.experiment, self.first
        total = experiment.evaluations + len(cells) * count
        for part in chunks(cells, experiment.engine.batch // count):
            each = np.tile(np.arange(count), len(part))
            effects = experiment.effects(np.repeat(part, count), each).reshape(-1, count)
            self._estimates.settle(part, effects.mean(axis=1), 0.0, count)
            yield Progress(total, "measuring")

    def squares(self) -> np.ndarray:
        """See `Measuring`."""
        return np.zeros_like(self._estimates.effect)

    def offers(self) -> Offers:
        """See `Measuring`: nothing is left to draw."""
        return Offers(np.zeros(0), np.zeros(0), np.zeros(0, dtype=int))

    def take(self, chosen: np.ndarray) -> Iterator[Progress]:
        """See `Measuring`."""
        yield from ()


def settled(
    settings: Settings,
    effect: np.ndarray,
    stderr: np.ndarray,
    variance: np.ndarray,
    drawn: np.ndarray,
) -> np.ndarray:
    """Which patches are known well enough, from their means, errors and the spread of a draw."""
    if settings.precision is not None:
        return stderr <= settings.precision
    small = np.abs(effect) + CONFIDENCE * stderr < settings.threshold
    alike = stderr <= np.sqrt(variance / settings.samples)
    alike |= stderr <= np.maximum(RELATIVE * np.abs(effect), settings.threshold)
    return small | (alike & (drawn >= min(FEW, settings.samples)))
