"""Which engine predicts: the fastest one that agrees with plain forward passes."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from pdcr_widgets.causal.experiment import Target
from pdcr_widgets.causal.full import Engine, FullEngine
from pdcr_widgets.causal.incremental import Unsupported, incremental_engine, is_prepared
from pdcr_widgets.causal.segmenter import Segmenter

ENGINES = ("auto", "incremental", "full")
AGAIN = "full, incremental"


class Engines:
    """The engines for one target, made when they are wanted.

    Parameters
    ----------
    target
        What is predicted.
    engine
        ``"auto"``, ``"incremental"`` or ``"full"``; or ``"full, incremental"``, which repeats what
        "auto" did for a model that it did not know yet.
    batch
        Images per plain forward pass; None leaves it to the engine.

    Raises
    ------
    ValueError
        An unknown engine; or, from `first`, a model that the incremental engine cannot take.
    """

    def __init__(self, target: Target, engine: str = "auto", batch: int | None = None) -> None:
        if engine not in (*ENGINES, AGAIN):
            raise ValueError(f"engine must be one of {list(ENGINES)}, got {engine!r}")
        self._target, self._engine, self._batch = target, engine, batch

    def first(self) -> Engine:
        """One that predicts at once: plain passes while the model's graph is not known yet."""
        target = self._target
        known = is_prepared(target.segmenter.model, target.image)
        if self._engine == "incremental" or (self._engine == "auto" and known):
            return self.best(None)
        return self._full("asked for" if self._engine == "full" else "")

    def best(self, box: Sequence[int] | None) -> Engine:
        """The fastest one that agrees; may record and check the model first.

        Parameters
        ----------
        box
            Side of the boxes that will be replaced, pixels.
        """
        if self._engine == "full":
            return self._full("asked for")
        try:
            return _incremental(
                self._target.segmenter, self._target.image, self._target.window, self._engine, box
            )
        except Unsupported as reason:
            if self._engine != "auto":
                raise ValueError(f"the incremental engine cannot be used: {reason}") from reason
            return self._full(str(reason))

    def _full(self, reason: str) -> Engine:
        target = self._target
        return FullEngine(target.segmenter, target.image, target.window, self._batch, reason)


def whole_engine(segmenter: Segmenter, image: Tensor, engine: str) -> Engine:
    """The fastest engine for the whole image that agrees."""
    if engine not in ENGINES:
        raise ValueError(f"engine must be one of {list(ENGINES)}, got {engine!r}")
    window = tuple(slice(0, n) for n in image.shape[1:])
    if engine == "full":
        return FullEngine(segmenter, image, window, None, "asked for")
    try:
        return _incremental(segmenter, image, window, engine, None)
    except Unsupported as reason:
        if engine == "incremental":
            raise ValueError(f"the incremental engine cannot be used: {reason}") from reason
        return FullEngine(segmenter, image, window, None, str(reason))


def _incremental(
    segmenter: Segmenter, image: Tensor, window: tuple[slice, ...], engine: str,
    box: Sequence[int] | None,
) -> Engine:  # fmt: skip
    asked = engine != "auto"
    return incremental_engine(segmenter, image, window, box=box, must_be_faster=not asked)
