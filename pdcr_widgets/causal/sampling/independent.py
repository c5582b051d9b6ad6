"""Independent draws for the patches that matter, where no few of them stand for the rest."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pdcr_widgets.causal.draws import draw
from pdcr_widgets.causal.sampling.measuring import settled
from pdcr_widgets.causal.sampling.progress import Progress, Settings, chunks
from pdcr_widgets.causal.sampling.search import Offers
from pdcr_widgets.causal.state import Estimates

STEP = 4
PRIOR = 2.0
"""Draws that the usual spread, for their size, of all patches counts for."""


class Independent:
    """Draws keyed by (seed, patch, number), four at a time; see `Measuring`.

    Parameters
    ----------
    cells
        Patches that may be found.
    """

    first = STEP

    def __init__(self, estimates: Estimates, settings: Settings, cells: np.ndarray) -> None:
        self._estimates, self._settings = estimates, settings
        self._cells = np.sort(cells)
        self._drawn = np.zeros(len(cells), dtype=np.int64)
        self._sum, self._squares = np.zeros(len(cells)), np.zeros(len(cells))

    def begin(self, cells: np.ndarray, squares: np.ndarray) -> Iterator[Progress]:
        """See `Measuring`."""
        del squares
        yield from self._draw(np.searchsorted(self._cells, cells), "measuring")

    def squares(self) -> np.ndarray:
        """See `Measuring`."""
        squares = np.zeros_like(self._estimates.effect)
        squares[self._cells] = self._squares / np.maximum(self._drawn, 1)
        return squares

    def offers(self) -> Offers:
        """See `Measuring`."""
        rows = np.flatnonzero((self._drawn > 0) & (self._drawn < self._settings.samples))
        mean, variance = self._mean(rows), self._variance(rows)
        error = variance / self._drawn[rows]
        done = settled(self._settings, mean, np.sqrt(error), variance, self._drawn[rows])
        rows, error = rows[~done], error[~done]
        cost = np.minimum(STEP, self._settings.samples - self._drawn[rows])
        return Offers(error / (self._drawn[rows] + cost), cost, rows)

    def take(self, chosen: np.ndarray) -> Iterator[Progress]:
        """See `Measuring`."""
        yield from self._draw(chosen, "refining")

    def _mean(self, rows: np.ndarray) -> np.ndarray:
        return self._sum[rows] / np.maximum(self._drawn[rows], 1)

    def _variance(self, rows: np.ndarray) -> np.ndarray:
        """Of a single draw: the patch's own, and what is usual for draws of such a size."""
        drawn = np.maximum(self._drawn, 1)
        own = np.maximum(self._squares - self._sum**2 / drawn, 0)
        free = np.maximum(drawn - 1, 0)
        square = self._squares / drawn
        usual = own.sum() / max(float((free * square).sum()), 1e-300)
        overall = self._squares.sum() / max(int(self._drawn.sum()), 1)
        shown = np.maximum(square, overall / STEP)
        return np.asarray((own + PRIOR * usual * shown) / (free + PRIOR))[rows]

    def _draw(self, rows: np.ndarray, stage: str) -> Iterator[Progress]:
        """Make the next draws of some patches."""
        experiment = self._estimates.experiment
        each = np.minimum(STEP, self._settings.samples - self._drawn[rows])
        total = experiment.evaluations + int(each.sum())
        for part in chunks(np.arange(len(rows)), experiment.engine.batch // STEP):
            at = np.repeat(rows[part], each[part])
            first = np.repeat(np.cumsum(each[part]) - each[part], each[part])
            numbers = self._drawn[at] + np.arange(len(at)) - first
            cells = self._cells[at]
            choices = draw(experiment.seed, cells, numbers, experiment.baseline.choices)
            effects = experiment.effects(cells, choices)
            np.add.at(self._drawn, at, 1)
            np.add.at(self._sum, at, effects)
            np.add.at(self._squares, at, effects**2)
            self._show()
            yield Progress(total, stage)

    def _show(self) -> None:
        done = np.flatnonzero(self._drawn)
        error = np.sqrt(self._variance(done) / self._drawn[done])
        self._estimates.settle(self._cells[done], self._mean(done), error, self._drawn[done])
