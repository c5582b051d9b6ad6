"""The estimator of the paper, number for number."""

from __future__ import annotations

from collections.abc import Generator, Iterator

import numpy as np

from pdcr_widgets.causal.draws import draw
from pdcr_widgets.causal.sampling.groups import first_picture
from pdcr_widgets.causal.sampling.progress import (
    Progress,
    Settings,
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
    survives = np.zeros(len(cells), dtype=bool)
    for finished, draws in _draws(estimates, cells, 0, count):
        survives[finished] = (np.abs(draws) >= settings.threshold).any(axis=1)
        mean = np.where(survives[finished], draws.mean(axis=1), 0.0)
        estimates.settle(cells[finished], mean, standard_error(draws), count)
        left = len(cells) - finished.stop
        expected = survives.sum() * len(cells) / max(finished.stop, 1)
        total = experiment.evaluations + left * count + round(expected) * settings.samples
        yield Progress(total, "screening")
    return cells[survives]


def _refine(estimates: Estimates, settings: Settings, cells: np.ndarray) -> Iterator[Progress]:
    total = estimates.experiment.evaluations + len(cells) * settings.samples
    for finished, draws in _draws(estimates, cells, settings.screening, settings.samples):
        mean = draws.mean(axis=1)
        mean[np.abs(mean) < settings.threshold] = 0
        estimates.settle(cells[finished], mean, standard_error(draws), settings.samples)
        yield Progress(total, "refining")


def _draws(
    estimates: Estimates, cells: np.ndarray, first: int, count: int
) -> Iterator[tuple[slice, np.ndarray]]:
    """Evaluate ``count`` draws of each patch in batches that mix patches.

    Yields after each batch the patches that it completed, and their draws ``(patches, count)``.
    """
    experiment = estimates.experiment
    effects = np.empty(len(cells) * count)
    done = complete = 0
    while done < len(effects):
        part = np.arange(done, min(done + experiment.engine.batch, len(effects)))
        each = cells[part // count]
        choices = draw(experiment.seed, each, first + part % count, experiment.baseline.choices)
        effects[part] = experiment.effects(each, choices)
        done += len(part)
        finished = slice(complete, done // count)
        complete = finished.stop
        yield finished, effects.reshape(-1, count)[finished]
