"""Making an engine for a model, or saying why there is none."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from pdcr_widgets.causal.boxes import pasted
from pdcr_widgets.causal.incremental.budget import default_budget
from pdcr_widgets.causal.incremental.cache import LOCK, Prepared, prepared
from pdcr_widgets.causal.incremental.capture import Recording, Unsupported, record
from pdcr_widgets.causal.incremental.check import (
    CHECKED,
    disagreement,
    interventions,
    seconds,
    spread_out,
)
from pdcr_widgets.causal.incremental.engine import IncrementalEngine, as_images
from pdcr_widgets.causal.scores import first_tensor
from pdcr_widgets.causal.segmenter import Segmenter


def incremental_engine(
    segmenter: Segmenter,
    image: Tensor,
    window: Sequence[slice],
    *,
    box: Sequence[int] | None = None,
    memory: int | None = None,
    must_be_faster: bool = True,
) -> IncrementalEngine:
    """Record a model on an image and make an exact incremental engine for one window.

    The model's graph is checked against plain forward passes when a model is first seen with images
    of a shape, and the faster of the two ways is found by timing both. Costs one forward pass when
    the model is known already.

    Parameters
    ----------
    segmenter
        Resolved segmenter.
    image
        ``(channels, *spatial)``, one to three spatial axes.
    window
        Part of the spatial axes that predictions are wanted for; may be the whole image.
    box
        Side of the boxes that will be replaced, for the timing; a 32nd of the image by default.
    memory
        Bytes that may be used at a time; a quarter of the free memory by default.
    must_be_faster
        Whether to refuse when plain forward passes are faster.

    Returns
    -------
    IncrementalEngine

    Raises
    ------
    Unsupported
        The graph cannot be recorded or does not agree, or plain forward passes are faster; the
        message says why.
    """
    window = tuple(window)
    images = as_images(image, segmenter)
    memory = default_budget(images.device) if memory is None else memory

    def recorded(batch: Tensor) -> Recording:
        with LOCK, segmenter.evaluating():
            return record(segmenter.model, batch, first_tensor)

    recording = recorded(images)
    known = prepared(segmenter.model, recording, lambda: recorded(torch.cat([images, images])))
    engine = IncrementalEngine(segmenter, recording, known, window, memory)
    size = tuple(box) if box is not None else tuple(max(1, n // 32) for n in image.shape[1:])
    reason = _verdict(known, engine, segmenter, images[0], window, size, must_be_faster)
    if reason:
        raise Unsupported(reason)
    return engine


def _verdict(
    known: Prepared,
    engine: IncrementalEngine,
    segmenter: Segmenter,
    image: Tensor,
    window: tuple[slice, ...],
    size: tuple[int, ...],
    must_be_faster: bool,
) -> str:
    extents = tuple(s.stop - s.start for s in window)
    if "equal" not in known.verdicts or (must_be_faster and extents not in known.verdicts):
        equal, speed = _compared(engine, segmenter, image, window, size)
        known.verdicts["equal"] = known.verdicts.get("equal") or equal
        known.verdicts[extents] = speed
    return known.verdicts["equal"] or (known.verdicts[extents] if must_be_faster else "")


@torch.no_grad()
def _compared(
    engine: IncrementalEngine,
    segmenter: Segmenter,
    image: Tensor,
    window: tuple[slice, ...],
    size: tuple[int, ...],
) -> tuple[str, str]:
    """Reasons not to trust and not to prefer the engine."""
    starts = _starts(image, size)
    starts = starts[engine.reaches(starts, size)]
    if not len(starts):
        return "", ""
    few = spread_out(starts, window, CHECKED)
    content = interventions(few, few, image, size)
    ours = engine.scores(few, content)
    where = (slice(None), slice(None), *window)
    changed = pasted(image, few, content)
    plain: list[Tensor] = []
    full = seconds(lambda: plain.append(segmenter.scores(changed)), image.device) / len(few)
    reason = disagreement(ours, plain[0][where], engine.original_scores)
    if reason:
        return reason, ""
    many = spread_out(starts, window, engine.batch // 4)
    content = interventions(many, many, image, size)
    each = min(
        seconds(lambda: engine.scores(many, content), image.device) / len(many) for _ in range(2)
    )
    if each < 0.5 * full:
        return "", ""
    full = min(full, seconds(lambda: segmenter.scores(changed), image.device) / len(few))
    slower = f"not faster: {each * 1e3:.3g} ms for a window, {full * 1e3:.3g} ms for the image"
    return "", slower if each > 0.9 * full else ""


def _starts(image: Tensor, size: tuple[int, ...]) -> np.ndarray:
    """Corners of a grid of boxes."""
    axes = [np.arange(0, n - side + 1, side) for n, side in zip(image.shape[1:], size, strict=True)]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))
