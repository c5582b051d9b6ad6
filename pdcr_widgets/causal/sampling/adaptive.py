"""The same estimand with fewer evaluations."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pdcr_widgets.causal.sampling.drawing import Drawing
from pdcr_widgets.causal.sampling.groups import first_picture
from pdcr_widgets.causal.sampling.independent import Independent
from pdcr_widgets.causal.sampling.measuring import FEW, Exhausting, Measuring
from pdcr_widgets.causal.sampling.progress import Progress, Settings, exactly, skip_unreached
from pdcr_widgets.causal.sampling.search import Offers, Search
from pdcr_widgets.causal.state import Estimates

ROUND, GROWTH = 32, 8
SUGGESTED = 0.5
"""Part of the squared draws around a patch that its own error may have."""


def adaptive(estimates: Estimates, settings: Settings) -> Iterator[Progress]:
    """Spend evaluations where most of the map's error is.

    Patches that cannot reach the region are exactly 0. Of the others, groups are replaced at once,
    from coarse to fine, and those that bring no pixel near to a change are left at 0 (see
    `Search`). At patches of the remaining groups those contents of a bank are tried that tell most,
    and the others guessed (see `Surrogate` and `Ledger`); of other baselines independent draws are
    made. Every draw is kept. In every round those tests and draws are made from which most squared
    error per evaluation is expected to go. A patch is settled when, after 16 draws at least, its
    standard error is that of ``samples`` independent draws, a quarter of its effect or below the
    threshold, or at any time its 95 % interval lies below the threshold (or, with ``precision``,
    when its standard error is that small), or after ``samples`` draws. A bank of at most 16 patches
    is drawn to its end, and a deterministic baseline evaluated once: both are exact.
    """
    reached = skip_unreached(estimates)
    groups = yield from first_picture(estimates, reached)
    if estimates.experiment.baseline.deterministic:
        yield from exactly(estimates, settings, reached)
        return
    measuring = _measuring(estimates, settings, reached)
    search = Search(estimates, settings, reached, groups, measuring.first)
    yield from search.begin()
    yield from measuring.begin(search.found, search.expected)
    yield from _rounds(estimates, search, measuring)


def _measuring(estimates: Estimates, settings: Settings, reached: np.ndarray) -> Measuring:
    """Every content of a small bank, some that stand for a large one, or independent draws."""
    baseline = estimates.experiment.baseline
    if baseline.choices <= FEW:
        return Exhausting(estimates)
    if baseline.bank is None or baseline.bank.nearest is not None:
        return Independent(estimates, settings, reached)
    return Drawing(estimates, settings, baseline.bank)


def _rounds(estimates: Estimates, search: Search, measuring: Measuring) -> Iterator[Progress]:
    """Take the best offers, a few more evaluations every time, until there are none."""
    experiment, shape = estimates.experiment, estimates.experiment.grid.shape
    while True:
        hints = SUGGESTED * around(measuring.squares().reshape(shape)).reshape(-1)
        groups, draws = search.offers(hints), measuring.offers()
        offers = Offers.joined([groups, draws])
        if not len(offers.what):
            return
        expected = experiment.evaluations + int(offers.cost.sum())
        best = offers.best(max(ROUND, experiment.evaluations // GROWTH))
        group = best < len(groups.what)
        for progress in search.take(groups.what[best[group]]):
            yield Progress(max(expected, progress.total), progress.stage)
        for progress in measuring.begin(search.found, search.expected):
            yield Progress(max(expected, progress.total), progress.stage)
        for progress in measuring.take(draws.what[best[~group] - len(groups.what)]):
            yield Progress(max(expected, progress.total), progress.stage)


def around(values: np.ndarray) -> np.ndarray:
    """Mean of the next neighbours of each place of a grid, also diagonal ones; 0 beyond it."""
    summed = values
    for axis in range(values.ndim):
        padded = np.pad(summed, [(int(a == axis),) * 2 for a in range(values.ndim)])
        three = np.lib.stride_tricks.sliding_window_view(padded, 3, axis=axis)
        summed = three.sum(axis=-1)
    return (summed - values) / (3**values.ndim - 1)
