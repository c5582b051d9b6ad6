"""The input effect: what replacing each patch does to the prediction inside the region."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from pdcr_widgets.causal.arrays import as_whole, grid_of
from pdcr_widgets.causal.engines import window_engine
from pdcr_widgets.causal.experiment import Experiment, Target
from pdcr_widgets.causal.full import FullEngine
from pdcr_widgets.causal.mixed import mixed_engine
from pdcr_widgets.causal.outcome import Empty
from pdcr_widgets.causal.recipe import ate_recipe
from pdcr_widgets.causal.results import ATEMap, ATEUpdate
from pdcr_widgets.causal.sampling import SAMPLING, Limits, Settings
from pdcr_widgets.causal.spending import spending
from pdcr_widgets.causal.state import DONE, Estimates


def iter_ate(
    model: Any,
    image: Any,
    region: Any,
    truth: Any = None,
    *,
    patch_size: int = 8,
    baseline: Any = 0.0,
    outcome: str = "dice",
    sampling: str = "adaptive",
    screening: int = 3,
    samples: int = 50,
    threshold: float = 0.02,
    seed: int = 0,
    engine: str = "auto",
    batch: int | None = None,
    empty: Empty = "agree",
    budget: int | str | timedelta | None = None,
    seconds: float | None = None,
    precision: float | None = None,
    half: bool = False,
    grid: dict[str, Any] | None = None,
) -> Iterator[ATEUpdate]:
    """Measure the effect of every patch outside a region, from coarse to fine.

    Stop iterating to cancel. Between updates nothing is attached to the model. The arguments are
    checked when the first update is asked for. See `ate_map` for the parameters.

    Yields
    ------
    ATEUpdate
        ``update.map`` is complete and drawable from the first update on.
    """
    settings = Settings(screening, samples, threshold, precision)
    limits = Limits(*spending(budget, seconds))
    if sampling not in SAMPLING:
        raise ValueError(f"sampling must be one of {list(SAMPLING)}, got {sampling!r}")
    target = Target.of(model, image, region, truth, outcome, empty)
    experiment = _experiment(target, patch_size, baseline, seed, engine, batch)
    if half:
        experiment.engine = mixed_engine(experiment, settings.threshold)
    recipe = ate_recipe(experiment, settings, limits, sampling, empty, batch)
    estimates = Estimates(experiment, recipe | {"grid": grid or grid_of(image)})
    began = time.monotonic()
    for progress in SAMPLING[sampling](estimates, settings):
        yield estimates.update(progress.total, progress.stage)
        if limits.reached(experiment.evaluations, time.monotonic() - began):
            estimates.ended = limits.reached(experiment.evaluations, 0.0)
            break
    yield estimates.update(experiment.evaluations, DONE)


def _experiment(
    target: Target, patch_size: int, baseline: Any, seed: int, engine: str, batch: int | None
) -> Experiment:
    """Check patch size and baseline before an engine is looked for, which takes longer."""
    plain = FullEngine(target.segmenter, target.image, target.window, batch)
    experiment = Experiment.of(target, patch_size, baseline, plain, as_whole(seed, "seed", 0))
    experiment.engine = window_engine(target, engine, batch)
    return experiment


def ate_map(model: Any, image: Any, region: Any, truth: Any = None, **options: Any) -> ATEMap:
    """Average treatment effect of every patch outside a region on the prediction inside it.

    Parameters
    ----------
    model
        Model or `Segmenter`, ``(batch, channels, *spatial) -> (batch, classes, *spatial)``.
    image
        Float array or tensor ``(channels, *spatial)`` or ``(height, width)``, in the model's units.
    region
        Boolean array of the spatial shape, or a box ``(top, left, height, width)`` in pixels.
    truth
        Boolean mask or class labels of the spatial shape; None compares with the model's own
        prediction on the unperturbed image.
    patch_size : int, default 8
        Side of a patch, pixels.
    baseline : default 0.0
        What is pasted: a constant (or one per channel) in the image's units, ``"zero"``,
        ``"mean"``, ``"blur"``, ``"noise"``, or a `PatchBank`.
    outcome : str, default "dice"
        ``"dice"``, ``"iou"``, ``"soft_dice"``, ``"mean_probability"`` or ``"area"``; points 0..100.
    sampling : {"adaptive", "paper"}
        ``"paper"``: screen with ``screening`` draws, refine with ``samples`` fresh ones, as the
        reference. ``"adaptive"``: the same mean over the baseline with fewer evaluations.
    screening, samples : int, default 3 and 50
        Draws that screen, and draws that refine a patch (at most, when adaptive).
    threshold : float, default 0.02
        Effects below this size count as none, points.
    seed : int, default 0
        Of the draws, which are keyed by (seed, patch, sample).
    engine : {"auto", "incremental", "full"}
        ``"auto"`` takes the exact incremental engine where it is faster and agrees.
    batch : int, optional
        Interventions per call; the engine's own choice by default.
    empty : {"agree", "paper"}
        Outcome where prediction and reference are both empty inside the region: 100, or 0 as in the
        reference implementation.
    budget : int, str or timedelta, optional
        Stop after about this many evaluations, or about this time: ``2000``, ``"2 s"``,
        ``"500 ms"``, ``"1.5 min"``, or a `datetime.timedelta`.
    seconds : float, optional
        Stop after about this time, whatever the budget of evaluations.
    precision : float, optional
        Target standard error of every patch, points (adaptive).
    half : bool, default False
        Use torch's automatic mixed precision (float16 on CUDA, bfloat16 on a CPU) if 16
        interventions come out the same to ``threshold``; ``reason`` of the map says whether it is
        used. Outcomes of other interventions may differ by more.
    grid : dict, optional
        Where the pixels are, for `ATEMap.to_nifti`: ``affine``, (4, 4) from index (slice, row,
        column) to millimetres, and ``oriented``, whether its directions are the patient's. An
        opened image brings its own.

    Returns
    -------
    ATEMap
        ``effect`` in points: negative where the patch supports the target, positive where it harms
        it, NaN on patches that touch the region.

    Raises
    ------
    TypeError, ValueError
        Bad input; the message says what was given and what to do.

    References
    ----------
    Jiang et al., PdCR, arXiv 2602.20511.
    """
    return deque(iter_ate(model, image, region, truth, **options), maxlen=1).pop().map
