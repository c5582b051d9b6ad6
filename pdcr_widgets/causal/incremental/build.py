"""Making an engine for a model, or saying why there is none."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from torch import Tensor

from pdcr_widgets.causal.boxes import channels_last, pasted
from pdcr_widgets.causal.incremental.budget import default_budget
from pdcr_widgets.causal.incremental.cache import LOCK, known_verdict, prepared
from pdcr_widgets.causal.incremental.capture import Recording, Unsupported, record
from pdcr_widgets.causal.incremental.check import (
    CHECKED,
    CLOSE,
    TURNS,
    WORTHWHILE,
    contents,
    disagreement,
    seconds,
    spread_out,
)
from pdcr_widgets.causal.incremental.engine import FEWEST, IncrementalEngine, as_images
from pdcr_widgets.causal.incremental.pace import pace
from pdcr_widgets.causal.incremental.tables import inside
from pdcr_widgets.causal.scores import first_tensor
from pdcr_widgets.causal.segmenter import Segmenter

FAILURES = (RuntimeError, TypeError, ValueError, LookupError, AttributeError, AssertionError)


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

    question = tuple(s.stop - s.start for s in window)
    slow = known_verdict(segmenter.model, images, question)
    if must_be_faster and slow:
        raise Unsupported(slow)

    def recorded(batch: Tensor) -> Recording:
        with LOCK, segmenter.evaluating(batch.device):
            return record(segmenter.model, batch, first_tensor, 2 * len(batch) * memory)

    try:
        recording = recorded(images)
        known = prepared(
            segmenter.model,
            recording,
            lambda: recorded(channels_last(images.repeat_interleave(2, 0))),
        )
        engine = IncrementalEngine(segmenter, recording, known, window, memory)
        size = tuple(box) if box is not None else tuple(max(1, n // 32) for n in image.shape[1:])
        held = sum(v.nbytes for v in recording.values if isinstance(v, Tensor))
        trial = _Trial(engine, segmenter, images[0], window, size, memory // max(held, 1))
        share = trial.share()
        reason = _verdict(known.verdicts, trial, share, question if must_be_faster else None)
    except FAILURES as error:
        raise Unsupported(f"its windows cannot be computed: {error}") from error
    if reason:
        raise Unsupported(reason)
    return engine


def _verdict(verdicts: dict[Any, str], trial: _Trial, share: float, question: Any) -> str:
    """Reason against the engine, found out where it is not known."""
    if "equal" not in verdicts:
        verdicts["equal"] = trial.disagreement()
    if verdicts["equal"] or question is None:
        return verdicts["equal"]
    if question not in verdicts:
        verdicts[question] = trial.slowness(share)
    return verdicts[question]


class _Trial:
    """Interventions of which plain forward passes give the truth, ``fit`` images at a time."""

    def __init__(
        self,
        engine: IncrementalEngine,
        segmenter: Segmenter,
        image: Tensor,
        window: tuple[slice, ...],
        size: tuple[int, ...],
        fit: int,
    ) -> None:
        self._engine, self._segmenter, self._image, self._fit = engine, segmenter, image, fit
        self._size, self._window = size, window
        starts = _grid(image, size)
        self._starts = starts[engine.reaches(starts, size)]

    def _some(self, count: int) -> tuple[np.ndarray, Tensor]:
        starts = spread_out(self._starts, self._window, count)
        return starts, contents(len(starts), self._image, self._size)

    def share(self) -> float:
        """Work for an intervention over that of a plain forward pass."""
        if not len(self._starts):
            return 0.0
        return self._engine.share(self._some(FEWEST)[0], self._size)

    def disagreement(self) -> str:
        """Why not to trust the engine, or ""."""
        if not len(self._starts):
            return ""
        starts, content = self._some(CHECKED)
        changed = pasted(self._image, starts, content)
        plain = inside(self._plain(changed)[0], self._window)
        return disagreement(
            self._engine.scores(starts, content), plain, self._engine.original_scores
        )

    def _plain(self, images: Tensor) -> tuple[Tensor, float]:
        """Scores of a plain pass, and seconds per image."""
        scores: list[Tensor] = []
        if images.device.type == "cpu":
            images = channels_last(images)
        taken = seconds(lambda: scores.append(self._segmenter.scores(images)), images.device)
        return scores[0], taken / len(images)

    def slowness(self, share: float) -> str:
        """Why not to prefer the engine to plain forward passes, or ""."""
        if not len(self._starts):
            return ""
        if share > WORTHWHILE:
            return (
                f"not faster: what a patch changes and the region reads is {share:.0%} of the work"
            )
        suits = pace(self._image.device)
        starts, content = self._some(min(suits.timed, self._engine.batch))
        few = pasted(self._image, *self._some(max(1, min(suits.images, self._fit))))
        if self._image.device.type != "cpu":
            self._windowed(starts, content)
            self._plain(few)
        windows, plain = math.inf, math.inf
        for _ in range(TURNS):
            windows = min(windows, self._windowed(starts, content))
            plain = min(plain, self._plain(few)[1])
            if not CLOSE[0] < windows / plain < CLOSE[1]:
                break
        if windows < plain:
            return ""
        return f"not faster: {windows * 1e3:.3g} ms for windows, {plain * 1e3:.3g} ms for an image"

    def _windowed(self, starts: np.ndarray, content: Tensor) -> float:
        run = partial(self._engine.scores, starts, content)
        return seconds(run, self._image.device) / len(starts)


def _grid(image: Tensor, size: tuple[int, ...]) -> np.ndarray:
    """Corners of a grid of boxes."""
    axes = [np.arange(0, n - side + 1, side) for n, side in zip(image.shape[1:], size, strict=True)]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))
