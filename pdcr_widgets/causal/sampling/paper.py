"""The estimator of the paper, number for number."""

from __future__ import annotations

from collections.abc import Generator, Iterator

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


def paper(estimates: Estimates, settings: Settings) -> Iterator[Progress]:
    """Screen every patch, then refine the survivors with fresh draws.

    A patch whose ``screening`` draws all change the outcome by less than ``threshold`` has effect
    0; any other gets the mean of ``samples`` fresh draws, set to 0 below the threshold. A patch
    that cannot reach the region would pass no screening: its 0 costs no evaluation; a
    deterministic baseline needs one. The coarse first picture is not part of any number.

    References
    ----------
    Jiang et al., PdCR, arXiv 2602.20511.
    """
    reached = skip_unreached(estimates)
    yield from first_picture(estimates, reached)
    if estimates.experiment.baseline.deterministic:
        yield from exactly(estimates, settings, reached)
        return
    survivors = yield from _screen(estimates, settings, reached)
    yield from _refine(estimates, settings, survivors)


def _screen(
    estimates: Estimates, settings: Settings, cells: np.ndarray
) -> Generator[Progress, None, np.ndarray]:
    experiment, count = estimates.experiment, settings.screening
    survivors = []
    left = len(cells)
    for part in chunks(cells, max(1, experiment.engine.batch // count)):
        draws = _draws(estimates, part, 0, count)
        irrelevant = (np.abs(draws) < settings.threshold).all(axis=1)
        mean = np.where(irrelevant, 0.0, draws.mean(axis=1))
        estimates.settle(part, mean, standard_error(draws), count)
        survivors.append(part[~irrelevant])
        left -= len(part)
        expected = sum(map(len, survivors)) * len(cells) / (len(cells) - left)
        total = experiment.evaluations + left * count + round(expected) * settings.samples
        yield Progress(total, "screening")
    return np.concatenate(survivors) if survivors else cells


def _refine(estimates: Estimates, settings: Settings, cells: np.ndarray) -> Iterator[Progress]:
    experiment, count = estimates.experiment, settings.samples
    total = experiment.evaluations + len(cells) * count
    for part in chunks(cells, max(1, experiment.engine.batch // count)):
        draws = _draws(estimates, part, settings.screening, count)
        mean = draws.mean(axis=1)
        mean[np.abs(mean) < settings.threshold] = 0
        estimates.settle(part, mean, standard_error(draws), count)
        yield Progress(total, "refining")


def _draws(estimates: Estimates, cells: np.ndarray, first: int, count: int) -> np.ndarray:
    experiment = estimates.experiment
    each = np.repeat(cells, count)
    samples = np.tile(np.arange(first, first + count), len(cells))
    choices = draw(experiment.seed, each, samples, experiment.baseline.choices)
    return experiment.effects(each, choices).reshape(len(cells), count)
