"""Which engine predicts: the fastest one that agrees with plain forward passes."""

from __future__ import annotations

from pdcr_widgets.causal.experiment import Target
from pdcr_widgets.causal.full import Engine, FullEngine

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
