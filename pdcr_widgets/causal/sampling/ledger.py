"""Every draw that was made, and what it says of each patch's mean."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from pdcr_widgets.causal.design import BLOCK, CHILDREN, LEADERS, Block

PRIOR = 8.0
CONFIDENCE = 1.96
EXPECTED, FINE, COARSE = 8, 0.8, 0.3


class Spread(NamedTuple):
    """An estimate and how far it would be off if the strata it was drawn from were no help."""

    mean: np.ndarray
    naive: np.ndarray


class Ledger:
    """Draws of many patches, made in blocks (or the leaders of one), with honest standard errors.

    The draws' own spread, taken as if strata were no help, says too much of the error of a weighted
    mean over strata. How far the leaders' estimate is from the whole block's, and how far a patch's
    blocks are apart, says it rightly. So a patch's variance is that between its own blocks, shrunk
    towards a prior worth `PRIOR` degrees of freedom: its naive variance times a share that is
    calibrated on the patches with more draws, such that their 95 % intervals would have held.

    Parameters
    ----------
    count
        Number of patches.
    blocks
        Blocks that a patch can have at most.
    """

    def __init__(self, count: int, blocks: int) -> None:
        self._effects = np.full((count, blocks, BLOCK), np.nan)
        self._fine = np.zeros((count, blocks, BLOCK))
        self._coarse = np.zeros((count, LEADERS))
        self.drawn = np.zeros(count, dtype=np.int64)

    def add(self, rows: np.ndarray, number: int, block: Block, effects: np.ndarray) -> None:
        """Enter the next draws of block ``number`` of some patches, ``effects (n, draws)``."""
        have = self.drawn[rows] - number * BLOCK
        places = have[:, None] + np.arange(effects.shape[1])
        self._effects[rows[:, None], number, places] = effects
        self._fine[rows, number] = block.fine
        if number == 0:
            self._coarse[rows] = block.coarse
        self.drawn[rows] += effects.shape[1]

    def means(self) -> np.ndarray:
        """Mean effect of each patch, points; 0 where nothing was drawn."""
        blocks, made = self._blocks()
        whole = blocks.mean.sum(axis=1) / np.maximum(made.sum(axis=1), 1)
        return np.where(made[:, 0], whole, self._led().mean)

    def stderrs(self) -> np.ndarray:
        """Standard error of each mean, points."""
        blocks, made = self._blocks()
        count = made.sum(axis=1)
        mean = blocks.mean.sum(axis=1) / np.maximum(count, 1)
        freedom = np.maximum(count - 1, 0)
        apart = np.where(made, blocks.mean - mean[:, None], 0) ** 2
        own = apart.sum(axis=1) / np.maximum(freedom, 1)
        naive = blocks.naive.sum(axis=1) / np.maximum(count, 1)
        seen = count > 1
        step = self._step()
        missed = step**2 * count / (BLOCK * count + 1) ** 2
        prior = _prior(naive, own, seen, 2 * own, FINE, missed)
        fine = _shrunk(own, freedom, prior)

        led = self._led()
        gap = np.where(count > 0, (led.mean - mean) ** 2 + fine, 0)
        prior = _prior(led.naive, gap, count > 0, gap, COARSE, (step / (LEADERS + 1)) ** 2)
        coarse = _shrunk(gap, freedom * 0, prior)
        error = np.where(count > 0, fine / np.maximum(count, 1), coarse)
        return np.sqrt(np.where(self.drawn > 0, error, 0))

    def squares(self) -> np.ndarray:
        """Mean square of a single draw from the bank at each patch, points squared."""
        drawn = np.isfinite(self._effects)
        weights = np.where(drawn.all(axis=2, keepdims=True), self._fine, 0)
        led = ~drawn[:, 0].all(axis=1)
        weights[led, 0, :LEADERS] = self._coarse[led]
        total = np.maximum(weights.sum(axis=(1, 2)), 1e-300)
        return (weights * np.nan_to_num(self._effects) ** 2).sum(axis=(1, 2)) / total

    def variances(self) -> np.ndarray:
        """Variance of a single draw from the bank at each patch, points squared."""
        return np.maximum(self.squares() - self.means() ** 2, 0)

    def _step(self) -> float:
        """Size of a usual effect, of those that are not 0, points."""
        sizes = np.abs(self._effects[np.isfinite(self._effects) & (self._effects != 0)])
        return float(np.median(sizes)) if len(sizes) else 0.0

    def _led(self) -> Spread:
        """Estimate by the leaders of the first block."""
        leaders = np.nan_to_num(self._effects[:, 0, :LEADERS])
        mean = (self._coarse * leaders).sum(axis=1)
        square = (self._coarse * leaders**2).sum(axis=1)
        variance = np.maximum(square - mean**2, 0)
        steadied = _steadied(variance, square, _usual(variance, square))
        return Spread(mean, steadied * (self._coarse**2).sum(axis=1))

    def _blocks(self) -> tuple[Spread, np.ndarray]:
        """Estimate by each block, and which blocks are whole; the spread is that within strata."""
        made = np.isfinite(self._effects).all(axis=2)
        shape = (*made.shape, CHILDREN, LEADERS)
        effects = np.where(made[:, :, None], self._effects, 0).reshape(shape)
        weights = self._fine.reshape(shape)
        total = np.maximum(weights.sum(axis=2, keepdims=True), 1e-300)
        centre = (weights * effects).sum(axis=2, keepdims=True) / total
        variance = (weights * (effects - centre) ** 2).sum(axis=2, keepdims=True) / total
        square = (weights * effects**2).sum(axis=(2, 3), keepdims=True)
        usual = _usual(weights.sum(axis=2, keepdims=True) * variance, square)
        naive = (weights**2 * _steadied(variance, square, usual)).sum(axis=(2, 3))
        return Spread((weights * effects).sum(axis=(2, 3)), naive), made


def _steadied(variance: np.ndarray, square: np.ndarray, usual: float) -> np.ndarray:
    """Variance of four draws, with what is usual for their mean square as a fifth one.

    Four draws that happen to agree say little of themselves.
    """
    return (LEADERS * variance + usual * square) / (LEADERS + 1)


def _usual(variance: np.ndarray, square: np.ndarray) -> float:
    """How much draws vary for their size, learned from all patches together."""
    return float(variance.sum() / max(square.sum(), 1e-300))


def _prior(
    naive: np.ndarray,
    real: np.ndarray,
    known: np.ndarray,
    missed: np.ndarray,
    share: float,
    unseen: Any,
) -> np.ndarray:
    """Naive variance times the share that is real where that is known.

    Where all draws agree the naive variance is 0: then it is what such patches are seen to miss.
    Both start from what is expected, which counts as much as `EXPECTED` patches.
    """
    telling, silent = known & (naive > 0), known & (naive == 0)
    ratio = real[telling] / naive[telling]
    if len(ratio):
        level = min(1.0, 0.95 * (1 + 1 / len(ratio)))
        calibrated = float(np.quantile(ratio, level, method="higher")) / CONFIDENCE**2
        share = (len(ratio) * calibrated + EXPECTED * share) / (len(ratio) + EXPECTED)
    unseen = (missed[silent].sum() + EXPECTED * unseen) / (silent.sum() + EXPECTED)
    return np.where(naive > 0, share * naive, unseen)


def _shrunk(own: np.ndarray, freedom: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """Variance of a block's mean, scaled as the variance of Student's distribution."""
    return (PRIOR * prior + freedom * own) / (PRIOR + freedom - 1)
