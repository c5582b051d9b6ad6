"""The same estimand with fewer evaluations."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch

from pdcr_widgets.causal.baseline import Baseline
from pdcr_widgets.causal.design import BLOCK
from pdcr_widgets.causal.draws import draw, key
from pdcr_widgets.causal.sampling.coarse import first_picture, prune
from pdcr_widgets.causal.sampling.ledger import Ledger
from pdcr_widgets.causal.sampling.progress import (
    Progress,
    Settings,
    chunks,
    exactly,
    skip_unreached,
)
from pdcr_widgets.causal.state import Estimates

CONFIDENCE = 1.96
REPLICATED = 0.1
FEWEST_REPLICATED = 12
RELATIVE = 0.1

Order = Callable[[int, np.ndarray, np.ndarray], np.ndarray]


def adaptive(estimates: Estimates, settings: Settings) -> Iterator[Progress]:
    """Spend draws where the answer is still open.

    Patches that cannot reach the region are exactly 0. Groups of patches are tested with two
    contrasting interventions, and those that change nothing are left at 0. The others are drawn in
    balanced blocks of the bank, nearest to the region first; every draw is kept. A patch is settled
    when its 95 % interval settles sign and size (or its standard error reaches ``precision``), or
    after ``samples`` draws. A deterministic baseline takes one evaluation per patch.
    """
    reached = skip_unreached(estimates)
    if estimates.experiment.baseline.deterministic:
        yield from first_picture(estimates, reached)
        yield from exactly(estimates, settings, reached)
        return
    cells = yield from prune(estimates, settings, reached)
    yield from _rounds(estimates, settings, cells)


def _rounds(estimates: Estimates, settings: Settings, cells: np.ndarray) -> Iterator[Progress]:
    baseline = estimates.experiment.baseline
    capacity = min(settings.samples, baseline.choices)
    rows = np.arange(len(cells))
    drawing = _Drawing(estimates, cells, Ledger(len(cells), capacity, baseline.choices))
    yield from drawing.fill(rows, BLOCK // 2, "measuring")
    yield from drawing.fill(_some(rows, estimates.experiment.seed), 2 * BLOCK, "measuring")
    yield from drawing.fill(rows, BLOCK, "measuring")
    while len(rows):
        rows = rows[drawing.open(rows, settings)]
        worst = rows[np.argsort(-drawing.ledger.stderrs()[rows], kind="stable")]
        yield from drawing.more(worst[: max(1, len(worst) // 2)], BLOCK, "refining")


class _Drawing:
    """Draws for the patches that matter, kept in a ledger and shown in the estimates."""

    def __init__(self, estimates: Estimates, cells: np.ndarray, ledger: Ledger) -> None:
        self._estimates, self._cells, self.ledger = estimates, cells, ledger
        self._order = _order(estimates.experiment.baseline)

    def fill(self, rows: np.ndarray, count: int, stage: str) -> Iterator[Progress]:
        """Bring patches to ``count`` draws."""
        capacity = self.ledger.values.shape[1]
        short = rows[self.ledger.drawn[rows] < min(count, capacity)]
        for have in np.unique(self.ledger.drawn[short]):
            part = short[self.ledger.drawn[short] == have]
            yield from self._draw(part, min(count, capacity) - int(have), stage)

    def more(self, rows: np.ndarray, count: int, stage: str) -> Iterator[Progress]:
        """Give patches ``count`` further draws, in groups that have equally many."""
        capacity = self.ledger.values.shape[1]
        for have in np.unique(self.ledger.drawn[rows]):
            part = rows[self.ledger.drawn[rows] == have]
            yield from self._draw(part, min(count, capacity - int(have)), stage)

    def open(self, rows: np.ndarray, settings: Settings) -> np.ndarray:
        """Which patches are not settled and can have more draws."""
        effect, stderr = np.abs(self.ledger.means()[rows]), self.ledger.stderrs()[rows]
        if settings.precision is not None:
            settled = stderr <= settings.precision
        else:
            small = effect + CONFIDENCE * stderr < settings.threshold
            settled = small | (stderr <= np.maximum(RELATIVE * effect, settings.threshold))
        return ~settled & (self.ledger.drawn[rows] < self.ledger.values.shape[1])

    def _draw(self, rows: np.ndarray, count: int, stage: str) -> Iterator[Progress]:
        experiment = self._estimates.experiment
        total = experiment.evaluations + len(rows) * count
        for part in chunks(rows, experiment.engine.batch // count):
            each = np.repeat(self._cells[part], count)
            samples = (self.ledger.drawn[part, None] + np.arange(count)).reshape(-1)
            choices = self._order(experiment.seed, each, samples)
            self.ledger.add(part, experiment.effects(each, choices).reshape(len(part), count))
            self._show()
            yield Progress(total, stage)

    def _show(self) -> None:
        ledger = self.ledger
        done = np.flatnonzero(ledger.drawn)
        means, stderrs = ledger.means()[done], ledger.stderrs()[done]
        self._estimates.settle(self._cells[done], means, stderrs, ledger.drawn[done])


def _order(baseline: Baseline) -> Order:
    """Balanced orders, where a bank's patches may go to any place; plain draws otherwise."""
    if baseline.bank is not None and baseline.bank.nearest is None:
        return baseline.bank.design.choices
    return lambda seed, cells, samples: draw(seed, cells, samples, baseline.choices)


def _some(rows: np.ndarray, seed: int) -> np.ndarray:
    """Choose the patches that are replicated early, to learn how precise a block is."""
    count = min(len(rows), max(FEWEST_REPLICATED, round(REPLICATED * len(rows))))
    generator = torch.Generator().manual_seed(key(seed, len(rows)))
    return np.sort(rows[torch.randperm(len(rows), generator=generator).numpy()[:count]])
