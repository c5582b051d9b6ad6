"""The same estimand with fewer evaluations."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pdcr_widgets.causal.draws import draw
from pdcr_widgets.causal.sampling.coarse import first_picture
from pdcr_widgets.causal.sampling.progress import (
    Progress,
    Settings,
    chunks,
    exactly,
    skip_unreached,
    standard_error,
)
from pdcr_widgets.causal.state import Estimates

FIRST = 4
CONFIDENCE = 1.96


def adaptive(estimates: Estimates, settings: Settings) -> Iterator[Progress]:
    """Draw for each patch until its confidence interval settles sign and size.

    Every draw is kept. Rounds double the draws of the patches that are still open, nearest to the
    region first, up to ``samples`` each.
    """
    reached = skip_unreached(estimates)
    yield from first_picture(estimates, reached)
    if estimates.experiment.baseline.deterministic:
        yield from exactly(estimates, settings, reached)
        return
    draws = {int(c): np.empty(0) for c in reached}
    open_cells, count = reached, min(FIRST, settings.samples)
    while len(open_cells):
        yield from _round(estimates, draws, open_cells, count)
        if count >= settings.samples:
            return
        open_cells = open_cells[~_settled(estimates, settings, open_cells)]
        count = min(2 * count, settings.samples)


def _round(
    estimates: Estimates, draws: dict[int, np.ndarray], cells: np.ndarray, count: int
) -> Iterator[Progress]:
    experiment = estimates.experiment
    have = len(draws[int(cells[0])])
    total = experiment.evaluations + len(cells) * (count - have)
    for part in chunks(cells, max(1, experiment.engine.batch // (count - have))):
        each = np.repeat(part, count - have)
        samples = np.tile(np.arange(have, count), len(part))
        choices = draw(experiment.seed, each, samples, experiment.baseline.choices)
        fresh = experiment.effects(each, choices).reshape(len(part), -1)
        for cell, row in zip(part.tolist(), fresh, strict=True):
            draws[cell] = np.concatenate([draws[cell], row])
        held = np.stack([draws[cell] for cell in part.tolist()])
        estimates.settle(part, held.mean(axis=1), standard_error(held), count)
        yield Progress(total, "measuring")


def _settled(estimates: Estimates, settings: Settings, cells: np.ndarray) -> np.ndarray:
    effect, stderr = np.abs(estimates.effect[cells]), estimates.stderr[cells]
    small = effect + CONFIDENCE * stderr < settings.threshold
    signed = effect - CONFIDENCE * stderr > settings.threshold
    if settings.precision is None:
        return small | (signed & (stderr <= 0.1 * effect))
    return stderr <= settings.precision
