"""Every draw that was made, and what it says of each patch's mean."""

from __future__ import annotations

import numpy as np

from pdcr_widgets.causal.design import BLOCK

PRIOR = 4.0


class Ledger:
    """Draws of many patches, made in whole blocks (or half a block), and honest standard errors.

    The mean over a block of a balanced order varies far less than four independent draws would, so
    the draws' own spread says little of its error. The spread between blocks does: patches with
    several blocks show how large it is in proportion to a patch's effects, and that proportion
    stands in, as a prior worth `PRIOR` degrees of freedom, where a patch has few blocks itself.

    Parameters
    ----------
    count
        Number of patches.
    capacity
        Draws that a patch can have at most.
    population
        Number of distinct contents; drawing them all leaves no error.
    """

    def __init__(self, count: int, capacity: int, population: int) -> None:
        self.values = np.full((count, capacity), np.nan)
        self.drawn = np.zeros(count, dtype=np.int64)
        self._population = population

    def add(self, rows: np.ndarray, effects: np.ndarray) -> None:
        """Append the next draws, ``effects (n, draws)``, of patches ``rows (n,)``."""
        places = self.drawn[rows, None] + np.arange(effects.shape[1])
        self.values[rows[:, None], places] = effects
        self.drawn[rows] += effects.shape[1]

    def means(self) -> np.ndarray:
        """Mean effect of each patch, points; 0 where nothing was drawn."""
        return np.nansum(self.values, axis=1) / np.maximum(self.drawn, 1)

    def stderrs(self) -> np.ndarray:
        """Standard error of each mean, points."""
        scale = np.nansum(self.values**2, axis=1) / np.maximum(self.drawn, 1)
        own, freedom = _between(self._means_of(BLOCK))
        per_block = _moderated(own, freedom, scale, 1 / BLOCK)
        halves = self._means_of(BLOCK // 2)[:, ::2]
        per_half = _moderated(*_between(halves), scale, 2 / BLOCK)
        blocks = np.maximum(self.drawn / BLOCK, 1)
        error = np.where(self.drawn < BLOCK, per_half, per_block / blocks)
        left = 1 - self.drawn / self._population
        return np.sqrt(np.maximum(error * left, 0))

    def _means_of(self, size: int) -> np.ndarray:
        """Means of consecutive draws, NaN where they are not all made."""
        whole = self.values.shape[1] // size
        return self.values[:, : whole * size].reshape(len(self.values), whole, size).mean(axis=2)


def _between(means: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Variance between replicates of each row, and its degrees of freedom."""
    count = np.isfinite(means).sum(axis=1)
    centre = np.nansum(means, axis=1) / np.maximum(count, 1)
    square = np.nansum((means - centre[:, None]) ** 2, axis=1)
    freedom = np.maximum(count - 1, 0)
    return square / np.maximum(freedom, 1), freedom


def _moderated(
    own: np.ndarray, freedom: np.ndarray, scale: np.ndarray, independent: float
) -> np.ndarray:
    """Own variance shrunk towards the proportion that patches with replicates show.

    Parameters
    ----------
    own, freedom
        Variance between a patch's replicates and its degrees of freedom.
    scale
        Mean squared effect of a patch's draws.
    independent
        The proportion for independent draws, used while no patch has replicates.
    """
    known = (freedom > 0) & (scale > 0)
    proportion = (
        np.average(own[known] / scale[known], weights=freedom[known])
        if known.any()
        else independent
    )
    return (PRIOR * proportion * scale + freedom * own) / (PRIOR + freedom)
