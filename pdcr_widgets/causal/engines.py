"""Which engine predicts: the fastest one that agrees with plain forward passes."""

from __future__ import annotations

from torch import Tensor

from pdcr_widgets.causal.experiment import Target
from pdcr_widgets.causal.full import Engine, FullEngine
from pdcr_widgets.causal.incremental import OneByOne, Unsupported, incremental_engine
from pdcr_widgets.causal.segmenter import Segmenter

ENGINES = ("auto", "incremental", "full")


def window_engine(target: Target, engine: str = "auto", batch: int | None = None) -> Engine:
    """The fastest engine for a target's region that agrees; may record and check the model first.

    Parameters
    ----------
    target
        What is predicted.
    engine
        ``"auto"``, ``"incremental"`` or ``"full"``.
    batch
        Images per plain forward pass; None leaves it to the engine.

    Raises
    ------
    ValueError
        An unknown engine, or a model that the incremental engine, asked for, cannot take.
    """
    return _engine(target.segmenter, target.image, target.window, engine, batch)


def whole_engine(segmenter: Segmenter, image: Tensor, engine: str) -> Engine:
    """The fastest engine for the whole image that agrees."""
    window = tuple(slice(0, n) for n in image.shape[1:])
    return _engine(segmenter, image, window, engine, None)


def _engine(
    segmenter: Segmenter, image: Tensor, window: tuple[slice, ...], engine: str, batch: int | None
) -> Engine:
    if engine not in ENGINES:
        raise ValueError(f"engine must be one of {list(ENGINES)}, got {engine!r}")
    if engine == "full":
        return FullEngine(segmenter, image, window, batch, "asked for")
    try:
        return incremental_engine(segmenter, image, window, must_be_faster=engine == "auto")
    except Unsupported as reason:
        if engine == "incremental":
            raise ValueError(f"the incremental engine cannot be used: {reason}") from reason
        if isinstance(reason, OneByOne):
            why = f"{reason}, so one image at a time"
            return FullEngine(segmenter, image, window, 1, why)
        return FullEngine(segmenter, image, window, batch, str(reason))
