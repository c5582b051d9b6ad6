"""Half precision where it gives the same outcomes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from pdcr_widgets.causal.experiment import Experiment, interventions
from pdcr_widgets.causal.full import Engine
from pdcr_widgets.causal.incremental.check import spread_out

CHECKED = 16


class Mixed:
    """Another engine, with torch's automatic choice of half precision for products.

    Parameters
    ----------
    engine
        Whose predictions they are.
    device
        Where it runs.
    """

    def __init__(self, engine: Engine, device: torch.device) -> None:
        self._engine, self._kind = engine, device.type
        self.name, self.reason, self.batch = engine.name, engine.reason, engine.batch

    def reaches(self, starts: np.ndarray, size: Sequence[int]) -> np.ndarray:
        """See `Engine`."""
        return self._engine.reaches(starts, size)

    def probabilities(self, starts: np.ndarray, content: Tensor) -> Tensor:
        """See `Engine`; of the type of the content."""
        with torch.autocast(self._kind):
            found = self._engine.probabilities(starts, content)
        self.batch = self._engine.batch
        return found.to(content.dtype)


def mixed_engine(experiment: Experiment, tolerance: float) -> Engine:
    """The experiment's engine in half precision, if some interventions come out the same.

    Interventions on patches from the nearest to the region to the farthest are predicted both ways;
    no outcome may differ by more than the tolerance.

    Parameters
    ----------
    tolerance
        Points.

    Returns
    -------
    Mixed or Engine
        Half precision, or the one that was there; its reason says why.
    """
    engine, target, grid = experiment.engine, experiment.target, experiment.grid
    kind = str(torch.get_autocast_dtype(target.image.device.type)).removeprefix("torch.")
    half = Mixed(engine, target.image.device)
    starts = spread_out(grid.starts(grid.cells), target.window, CHECKED)
    cells = grid.cells[(grid.starts(grid.cells)[:, None] == starts).all(axis=2).any(axis=1)]
    boxes = interventions(
        grid, experiment.baseline, target.image, cells, np.zeros(len(cells), dtype=np.int64)
    )
    plain = target.measure(engine.probabilities(*boxes))
    try:
        changed = target.measure(half.probabilities(*boxes))
    except (RuntimeError, TypeError, ValueError) as failure:
        return _told(engine, f"{kind} fails: {failure}")
    off = float((plain - changed).abs().max())
    words = f"{kind} changes {len(cells)} outcomes by up to {off:.2g} points"
    if not off <= tolerance:
        return _told(engine, f"{words}, more than {tolerance:g}: not used")
    return _told(half, f"{words}: used")


def _told(engine: Engine, words: str) -> Engine:
    engine.reason = "; ".join(part for part in (engine.reason, words) if part)
    return engine
