"""The same estimand with fewer evaluations."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch

from pdcr_widgets.causal.baseline import Baseline
from pdcr_widgets.causal.design import BLOCK, LEADERS, Block
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
REPLICATED = 0.05
FEWEST_REPLICATED = 8
RELATIVE = 0.25


def adaptive(estimates: Estimates, settings: Settings) -> Iterator[Progress]:
    """Spend draws where the answer is still open.

    Patches that cannot reach the region are exactly 0. Groups of patches are tested with two
    contrasting interventions, and those that bring no pixel near to a change are left at 0. The
    others are drawn in blocks that represent the bank (see `Design`), nearest to the region first,
    largest error first after that; every draw is kept. A patch is settled when its standard error
    is a quarter of its effect, or its 95 % interval lies below the threshold (or, with
    ``precision``, when its standard error is that small), or after ``samples`` draws in whole
    blocks of 16, four at least. A bank of at most 16 patches is drawn to its end, and a
    deterministic baseline evaluated once: both are exact.
    """
    groups = yield from first_picture(estimates)
    reached = skip_unreached(estimates)
    choices = estimates.experiment.baseline.choices
    if choices == 1:
        yield from exactly(estimates, settings, reached)
        return
    cells = yield from prune(estimates, settings, reached, groups)
    if choices <= BLOCK:
        yield from _exhaust(estimates, cells)
    else:
        yield from _sample(estimates, settings, cells)


def _exhaust(estimates: Estimates, cells: np.ndarray) -> Iterator[Progress]:
    """Every content of a small bank at every patch."""
    experiment = estimates.experiment
    count = experiment.baseline.choices
    total = experiment.evaluations + len(cells) * count
    for part in chunks(cells, experiment.engine.batch // count):
        effects = experiment.effects(np.repeat(part, count), np.tile(np.arange(count), len(part)))
        estimates.settle(part, effects.reshape(-1, count).mean(axis=1), 0.0, count)
        yield Progress(total, "measuring")


def _sample(estimates: Estimates, settings: Settings, cells: np.ndarray) -> Iterator[Progress]:
    rows = np.arange(len(cells))
    drawing = _Drawing(estimates, cells, max(1, settings.samples // BLOCK))
    most = max(LEADERS, settings.samples // BLOCK * BLOCK)
    yield from drawing.fill(rows, LEADERS, "measuring")
    some = _some(rows, estimates.experiment.seed)
    yield from drawing.fill(some, min(BLOCK, most), "measuring")
    while len(left := rows[drawing.open(rows, settings, most)]):
        worst = left[np.argsort(-drawing.ledger.stderrs()[left], kind="stable")]
        yield from drawing.more(worst[: -(-len(worst) // 2)], "refining")
        yield from drawing.fill(some, min(2 * BLOCK, most), "refining")


class _Drawing:
    """Draws for the patches that matter, kept in a ledger and shown in the estimates."""

    def __init__(self, estimates: Estimates, cells: np.ndarray, blocks: int) -> None:
        self._estimates, self._cells = estimates, cells
        self._source = _source(estimates.experiment.baseline)
        self.ledger = Ledger(len(cells), blocks)

    def fill(self, rows: np.ndarray, draws: int, stage: str) -> Iterator[Progress]:
        """Bring patches to ``draws`` draws within their present block."""
        for part in self._alike(rows[self.ledger.drawn[rows] < draws]):
            yield from self._draw(part, draws - int(self.ledger.drawn[part[0]]), stage)

    def more(self, rows: np.ndarray, stage: str) -> Iterator[Progress]:
        """End the block that each patch is in, or draw another one."""
        for part in self._alike(rows):
            yield from self._draw(part, BLOCK - int(self.ledger.drawn[part[0]]) % BLOCK, stage)

    def open(self, rows: np.ndarray, settings: Settings, most: int) -> np.ndarray:
        """Which patches are not settled and can have more draws."""
        effect, stderr = np.abs(self.ledger.means()[rows]), self.ledger.stderrs()[rows]
        if settings.precision is not None:
            settled = stderr <= settings.precision
        else:
            small = effect + CONFIDENCE * stderr < settings.threshold
            sized = stderr <= np.maximum(RELATIVE * effect, settings.threshold)
            settled = small | (sized & (self.ledger.drawn[rows] >= BLOCK))
        return ~settled & (self.ledger.drawn[rows] < most)

    def _alike(self, rows: np.ndarray) -> list[np.ndarray]:
        drawn = self.ledger.drawn[rows]
        return [rows[drawn == have] for have in np.unique(drawn)]

    def _draw(self, rows: np.ndarray, count: int, stage: str) -> Iterator[Progress]:
        experiment = self._estimates.experiment
        total = experiment.evaluations + len(rows) * count
        number, first = divmod(int(self.ledger.drawn[rows[0]]), BLOCK)
        for part in chunks(rows, experiment.engine.batch // count):
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


def _some(rows: np.ndarray, seed: int) -> np.ndarray:
    """Choose the patches that get two blocks early, to learn how precise one is."""
    count = min(len(rows), max(FEWEST_REPLICATED, round(REPLICATED * len(rows))))
    generator = torch.Generator().manual_seed(key(seed, len(rows)))
    return np.sort(rows[torch.randperm(len(rows), generator=generator).numpy()[:count]])
