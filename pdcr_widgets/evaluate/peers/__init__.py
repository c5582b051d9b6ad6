"""What other methods say on the same question: one map per pixel, larger supports the target more.

Each method is a generator that yields (done, total) between steps and returns its map, so that it
can be cancelled; `saliency` runs one to its end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pdcr_widgets.causal.experiment import Target
from pdcr_widgets.causal.outcome import Empty
from pdcr_widgets.evaluate.peers.cam import Steps, seg_grad_cam, seg_hires_grad_cam, seg_xres_cam
from pdcr_widgets.evaluate.peers.masks import occlusion, rise
from pdcr_widgets.evaluate.peers.misure import misure

PEERS: dict[str, Callable[..., Steps]] = {
    "seg_grad_cam": seg_grad_cam,
    "seg_hires_grad_cam": seg_hires_grad_cam,
    "seg_xres_cam": seg_xres_cam,
    "misure": misure,
    "rise": rise,
    "occlusion": occlusion,
}

__all__ = ["PEERS", "Steps", "finished", "saliency"]


def saliency(
    method: str,
    model: Any,
    image: Any,
    region: Any,
    truth: Any = None,
    *,
    outcome: str = "dice",
    empty: Empty = "agree",
    **options: Any,
) -> np.ndarray:
    """Ask another method what the prediction in a region depends on.

    Parameters
    ----------
    method
        A key of `PEERS`: ``"seg_grad_cam"``, ``"seg_hires_grad_cam"``, ``"seg_xres_cam"``,
        ``"misure"``, ``"rise"`` or ``"occlusion"``.
    model, image, region, truth, outcome, empty
        As for `pdcr_widgets.ate_map`. Only RISE and occlusion read the truth and the outcome; the
        others explain the model's own prediction inside the region.
    **options
        The method's own; see its docstring.

    Returns
    -------
    ndarray
        Of the image's spatial shape: the larger, the more it supports the target, in the method's
        own unit. **The opposite sign of an effect.**

    Raises
    ------
    TypeError, ValueError
        An unknown method or bad input; a model that the method cannot be used with.
    """
    if method not in PEERS:
        raise ValueError(f"method must be one of {list(PEERS)}, got {method!r}")
    return finished(
        PEERS[method](Target.of(model, image, region, truth, outcome, empty), **options)
    )


def finished(steps: Steps) -> np.ndarray:
    """Run a method to its end."""
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return stop.value
