"""Draws for the patches that matter, kept in a ledger and shown in the estimates."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np

from pdcr_widgets.causal.baseline import Baseline
from pdcr_widgets.causal.design import BLOCK, LEADERS, Block
from pdcr_widgets.causal.draws import draw
from pdcr_widgets.causal.sampling.ledger import Ledger
from pdcr_widgets.causal.sampling.progress import Progress, Settings, chunks
from pdcr_widgets.causal.sampling.search import Offers
from pdcr_widgets.causal.state import Estimates

CONFIDENCE = 1.96
RELATIVE = 0.25
GAIN = 0.75
"""Part of a squared error that as many draws again may take away."""


class Measuring(Protocol):
    """How patches that were found are measured."""

    first: int

    def begin(self, cells: np.ndarray) -> Iterator[Progress]:
        """Make the first draws of some patches."""

    def offers(self, hints: np.ndarray) -> Offers:
        """Further draws that are worth making; hints as for `Search.offers`."""

    def squares(self) -> np.ndarray:
        """Mean squared draw of each patch of the grid, 0 where nothing was drawn."""

    def take(self, chosen: np.ndarray) -> Iterator[Progress]:
        """Make those that were chosen."""


class Exhausting:
    """Every content of a small bank at every patch: exact at once."""

    def __init__(self, estimates: Estimates) -> None:
        self._estimates = estimates
        self.first = estimates.experiment.baseline.choices

    def begin(self, cells: np.ndarray) -> Iterator[Progress]:
        """See `Measuring`."""
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

    def offers(self, hints: np.ndarray) -> Offers:
        """See `Measuring`: nothing is left to draw."""
        del hints
        return Offers(np.zeros(0), np.zeros(0), np.zeros(0, dtype=int))

    def take(self, chosen: np.ndarray) -> Iterator[Progress]:
        """See `Measuring`."""
        yield from ()


class Drawing:
    """Blocks of draws, the four leaders of the first one first.

    Parameters
    ----------
    cells
        Patches that may be found.
    """

    first = LEADERS

    def __init__(self, estimates: Estimates, settings: Settings, cells: np.ndarray) -> None:
        self._estimates, self._settings = estimates, settings
        self._cells = np.sort(cells)
        self._source = _source(estimates.experiment.baseline)
        self._most = max(LEADERS, settings.samples // BLOCK * BLOCK)
        self.ledger = Ledger(len(cells), max(1, settings.samples // BLOCK))

    def begin(self, cells: np.ndarray) -> Iterator[Progress]:
        """See `Measuring`."""
        yield from self._draw(np.searchsorted(self._cells, cells), LEADERS, "measuring")

    def squares(self) -> np.ndarray:
        """See `Measuring`."""
        squares = np.zeros_like(self._estimates.effect)
        squares[self._cells] = self.ledger.squares()
        return squares

    def offers(self, hints: np.ndarray) -> Offers:
        """See `Measuring`: the end of the block that an open patch is in, or another block."""
        rows = np.flatnonzero((self.ledger.drawn > 0) & (self.ledger.drawn < self._most))
        rows = rows[~self._settled(rows)]
        cost = BLOCK - self.ledger.drawn[rows] % BLOCK
        error = (
            self.ledger.stderrs()[rows] ** 2 + hints[self._cells[rows]] / self.ledger.drawn[rows]
        )
        return Offers(GAIN * error / cost, cost, rows)

    def take(self, chosen: np.ndarray) -> Iterator[Progress]:
        """See `Measuring`."""
        drawn = self.ledger.drawn[chosen]
        for have in np.unique(drawn):
            yield from self._draw(chosen[drawn == have], BLOCK - int(have) % BLOCK, "refining")

    def _settled(self, rows: np.ndarray) -> np.ndarray:
        effect, stderr = np.abs(self.ledger.means()[rows]), self.ledger.stderrs()[rows]
        if self._settings.precision is not None:
            return stderr <= self._settings.precision
        small = effect + CONFIDENCE * stderr < self._settings.threshold
        alike = stderr <= np.sqrt(self.ledger.variances()[rows] / self._settings.samples)
        alike |= stderr <= np.maximum(RELATIVE * effect, self._settings.threshold)
        return small | (alike & (self.ledger.drawn[rows] >= BLOCK))

    def _draw(self, rows: np.ndarray, count: int, stage: str) -> Iterator[Progress]:
        """Make the next ``count`` draws of patches that have equally many."""
        experiment = self._estimates.experiment
        total = experiment.evaluations + len(rows) * count
        for part in chunks(rows, experiment.engine.batch // count):
            number, first = divmod(int(self.ledger.drawn[part[0]]), BLOCK)
            block = self._source(experiment.seed, self._cells[part], number)
            choices = block.choices[:, first : first + count].reshape(-1)
            effects = experiment.effects(np.repeat(self._cells[part], count), choices)
            self.ledger.add(part, number, block, effects.reshape(len(part), count))
            self._show()
            yield Progress(total, stage)

    def _show(self) -> None:
        ledger = self.ledger
        done = np.flatnonzero(ledger.drawn)
        means, stderrs = ledger.means()[done], ledger.stderrs()[done]
        self._estimates.settle(self._cells[done], means, stderrs, ledger.drawn[done])


def _source(baseline: Baseline) -> Callable[[int, np.ndarray, int], Block]:
    """Blocks that represent a bank whose patches may go anywhere; independent ones otherwise."""
    if baseline.bank is not None and baseline.bank.nearest is None:
        return baseline.bank.design.block

    def independent(seed: int, cells: np.ndarray, number: int) -> Block:
        each = np.repeat(cells, BLOCK)
        samples = np.tile(np.arange(number * BLOCK, (number + 1) * BLOCK), len(cells))
        choices = draw(seed, each, samples, baseline.choices).reshape(-1, BLOCK)
        shape = choices.shape
        return Block(choices, np.full((shape[0], LEADERS), 1 / LEADERS), np.full(shape, 1 / BLOCK))

    return independent
