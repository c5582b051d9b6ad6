"""Draws from a bank for the patches that matter, each where it says most."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pdcr_widgets.causal.bank import PatchBank
from pdcr_widgets.causal.boxes import boxes
from pdcr_widgets.causal.experiment import Experiment
from pdcr_widgets.causal.representatives import NODES, Representatives
from pdcr_widgets.causal.sampling.ledger import Ledger
from pdcr_widgets.causal.sampling.measuring import settled
from pdcr_widgets.causal.sampling.progress import Progress, Settings, chunks
from pdcr_widgets.causal.sampling.search import Offers
from pdcr_widgets.causal.sampling.surrogate import Surrogate
from pdcr_widgets.causal.state import Estimates


class Drawing:
    """Representatives of a bank, the first of them first; see `Measuring` and `Ledger`."""

    first = 1

    def __init__(self, estimates: Estimates, settings: Settings, bank: PatchBank) -> None:
        self._estimates, self._settings = estimates, settings
        experiment = estimates.experiment
        self._known = bank.representatives
        if settings.samples > NODES:
            self._known = Representatives.of(bank.patches, settings.samples)
        self._features: dict[int, np.ndarray] = {}
        surrogate = Surrogate(self._known, self._own, experiment.read)
        self.ledger = Ledger(experiment.grid.shape, self._known, surrogate)

    def begin(self, cells: np.ndarray) -> Iterator[Progress]:
        """See `Measuring`."""
        rows = self.ledger.rows(cells)
        yield from self._draw(rows, np.zeros_like(rows), "measuring")

    def squares(self) -> np.ndarray:
        """See `Measuring`."""
        squares = np.zeros_like(self._estimates.effect)
        squares[self.ledger.cells] = self.ledger.squares()
        return squares

    def offers(self) -> Offers:
        """See `Measuring`."""
        ledger, worths = self.ledger, self.ledger.worths()
        means, stderrs, drawn = ledger.means(), ledger.stderrs(), ledger.drawn
        done = settled(self._settings, means, stderrs, ledger.variances(), drawn)
        rank = np.argsort(np.argsort(-worths, axis=1, kind="stable"), axis=1)
        left = np.where(done, 0, self._settings.samples - drawn)
        worths[rank >= left[:, None]] = -1
        what = np.flatnonzero(worths >= 0)
        return Offers(worths.reshape(-1)[what], np.ones(len(what)), what)

    def take(self, chosen: np.ndarray) -> Iterator[Progress]:
        """See `Measuring`."""
        rows, nodes = np.divmod(chosen, len(self._known))
        yield from self._draw(rows, nodes, "refining")

    def _draw(self, rows: np.ndarray, nodes: np.ndarray, stage: str) -> Iterator[Progress]:
        experiment, ledger = self._estimates.experiment, self.ledger
        total = experiment.evaluations + len(rows)
        for part in chunks(np.arange(len(rows)), experiment.engine.batch):
            which, node = rows[part], nodes[part]
            choices = self._known.numbers[node]
            ledger.add(which, node, *experiment.responses(ledger.cells[which], choices))
            self._show()
            yield Progress(total, stage)

    def _show(self) -> None:
        ledger = self.ledger
        self._estimates.settle(ledger.cells, ledger.means(), ledger.stderrs(), ledger.drawn)

    def _own(self, cell: int) -> np.ndarray:
        """Features of the image's own content of a patch."""
        if cell not in self._features:
            experiment: Experiment = self._estimates.experiment
            starts = experiment.grid.starts(np.array([cell]))
            own = boxes(experiment.target.image, starts, experiment.grid.size)
            self._features[cell] = self._known.project(own)[0]
        return self._features[cell]
