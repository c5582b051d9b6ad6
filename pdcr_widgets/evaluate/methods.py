"""Every method by its name, ours among them, on a question that was checked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pdcr_widgets.causal.ate import iter_ate
from pdcr_widgets.causal.experiment import Target
from pdcr_widgets.evaluate.peers import PEERS, Steps


def pdcr(target: Target, **options: Any) -> Steps:
    """Effects of natural or other interventions on patches, with the sign turned.

    Parameters
    ----------
    target
        What is explained.
    **options
        As for `pdcr_widgets.ate_map`.

    References
    ----------
    Jiang et al., PdCR, arXiv 2602.20511.
    """
    truth = target.reference if target.has_truth else None
    asked = (target.segmenter, target.image, target.region, truth)
    ate = None
    for update in iter_ate(*asked, outcome=target.outcome, **options):
        yield update.done, update.total
        ate = update.map
    assert ate is not None  # the last update is always given
    return -ate.to_image()


def chance(target: Target, *, seed: int = 0) -> Steps:
    """Random numbers: what any method has to beat."""
    yield 0, 1
    return np.random.default_rng(seed).random(target.region.shape)


METHODS: dict[str, Callable[..., Steps]] = {"pdcr": pdcr, **PEERS, "random": chance}
SIGNED = ("pdcr", "occlusion")
"""Methods whose maps say what harms, too."""
