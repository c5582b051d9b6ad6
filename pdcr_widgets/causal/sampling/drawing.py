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
    """Representatives of a bank, those first that tell most; see `Measuring` and `Ledger`."""

    first = 1

    def __init__(self, estimates: Estimates, settings: Settings, bank: PatchBank) -> None:
        self._estimates, self._settings = estimates, settings
        experiment = estimates.experiment
        self._known = bank.representatives
        if settings.samples > NODES:
            self._known = Representatives.of(bank.patches, settings.samples)
        surrogate = Surrogate(self._known, experiment.grid.shape, self._own, experiment)
        self.ledger = Ledger(experiment.grid.shape, self._known, surrogate)

    def begin(self, cells: np.ndarray, squares: np.ndarray) -> Iterator[Progress]:
        """See `Measuring`; nothing is drawn before it is the best that can be done."""
        self.ledger.rows(cells, squares)
        yield from ()

    def squares(self) -> np.ndarray:
        """See `Measuring`."""
        squares = np.zeros_like(self._estimates.effect)
        squares[self.ledger.cells] = self.ledger.squares()
        return squares

    def offers(self) -> Offers:
        """See `Measuring`: the best draw at every patch that is not settled."""
        ledger = self.ledger
        ledger.learn()
        worths, drawn = ledger.worths(), ledger.drawn
        done = settled(self._settings, ledger.means(), ledger.stderrs(), ledger.variances(), drawn)
        done |= drawn >= min(self._settings.samples, len(self._known))
        rows = np.flatnonzero(~done)
        nodes = worths[rows].argmax(axis=1)
        return Offers(worths[rows, nodes], np.ones(len(rows)), rows * len(self._known) + nodes)

    def take(self, chosen: np.ndarray) -> Iterator[Progress]:
        """See `Measuring`."""
        experiment, ledger = self._estimates.experiment, self.ledger
        rows, nodes = np.divmod(chosen, len(self._known))
        total = experiment.evaluations + len(rows)
        for part in chunks(np.arange(len(rows)), experiment.engine.batch):
            which, node = rows[part], nodes[part]
            choices = self._known.numbers[node]
            ledger.add(which, node, *experiment.responses(ledger.cells[which], choices))
            self._show()
            yield Progress(total, "refining")
        ledger.learn()
        self._show()

    def _show(self) -> None:
        ledger = self.ledger
        self._estimates.settle(ledger.cells, ledger.means(), ledger.stderrs(), ledger.drawn)

    def _own(self, cells: np.ndarray) -> np.ndarray:
        """Features of the content that the image has at some patches."""
        experiment: Experiment = self._estimates.experiment
        starts = experiment.grid.starts(cells)
        return self._known.project(boxes(experiment.target.image, starts, experiment.grid.size))
