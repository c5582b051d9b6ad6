"""Which engine predicts: the fastest one that agrees with plain forward passes."""

from __future__ import annotations

from torch import Tensor

from pdcr_widgets.causal.experiment import Target
from pdcr_widgets.causal.full import Engine, FullEngine
from pdcr_widgets.causal.segmenter import Segmenter

ENGINES = ("auto", "incremental", "full")


def window_engine(target: Target, engine: str, batch: int | None) -> Engine:
    """Give the engine to begin with."""
    if engine not in ENGINES:
        raise ValueError(f"engine must be one of {list(ENGINES)}, got {engine!r}")
    return FullEngine(target.segmenter, target.image, target.window, batch)


def choose_engine(current: Engine, target: Target, engine: str, batch: int | None) -> Engine:
    """Give the engine to go on with."""
    del target, engine, batch
    return current


def whole_engine(segmenter: Segmenter, image: Tensor, engine: str) -> Engine:
    """Give an engine that predicts the whole image."""
    if engine not in ENGINES:
        raise ValueError(f"engine must be one of {list(ENGINES)}, got {engine!r}")
    return FullEngine(segmenter, image, tuple(slice(0, n) for n in image.shape[1:]))
