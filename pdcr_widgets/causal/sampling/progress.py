"""What a sampler is told, and what it tells."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pdcr_widgets.causal.arrays import as_whole
from pdcr_widgets.causal.state import Estimates


@dataclass(frozen=True)
class Settings:
    """The parameters of a sampler.

    Parameters
    ----------
    screening
        Draws that decide whether a patch matters at all.
    samples
        Draws of a patch that does: exactly (paper) or at most (adaptive).
    threshold
        Effects below this size count as none, points.
    precision
        Target standard error, points; None settles sign and size only (adaptive).
    """

    screening: int = 3
    samples: int = 50
    threshold: float = 0.02
    precision: float | None = None

    def __post_init__(self) -> None:
        for name in ("screening", "samples"):
            object.__setattr__(self, name, as_whole(getattr(self, name), name, 1))
        for name in ("threshold", "precision"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, float(getattr(self, name)))
        if not self.threshold >= 0:
            raise ValueError(f"threshold is in points and at least 0, got {self.threshold}")
        if self.precision is not None and not self.precision > 0:
            raise ValueError(
                f"precision is a standard error in points above 0, got {self.precision}"
            )


@dataclass(frozen=True)
class Limits:
    """When to stop before a sampler ends: after about so many evaluations, or so many seconds."""

    budget: int | None = None
    seconds: float | None = None

    def __post_init__(self) -> None:
        if self.budget is not None:
            object.__setattr__(self, "budget", as_whole(self.budget, "budget", 1))
        if self.seconds is not None and not self.seconds > 0:
            raise ValueError(f"seconds must be above 0, got {self.seconds}")

    def reached(self, evaluations: int, seconds: float) -> bool:
        """Whether it is time to stop."""
        spent = self.budget is not None and evaluations >= self.budget
        return spent or (self.seconds is not None and seconds >= self.seconds)


@dataclass(frozen=True)
class Progress:
    """A point where the estimates are complete: expected evaluations in all, and what is done."""

    total: int
    stage: str


def chunks(items: np.ndarray, size: int) -> Iterator[np.ndarray]:
    """Split along the first axis into parts of at most ``size``."""
    for start in range(0, len(items), max(1, size)):
        yield items[start : start + max(1, size)]


def standard_error(draws: np.ndarray) -> np.ndarray:
    """Standard error of the mean of independent draws, ``(n, draws) -> (n,)``.

    A single draw says nothing of its spread: its own size is given.
    """
    if draws.shape[1] == 1:
        return np.abs(draws[:, 0])
    return np.asarray(draws.std(axis=1, ddof=1) / np.sqrt(draws.shape[1]))


def skip_unreached(estimates: Estimates) -> np.ndarray:
    """Settle the patches that cannot change the region at exactly 0; the others, nearest first."""
    cells = estimates.experiment.grid.cells
    reached = estimates.experiment.reaching(cells)
    estimates.settle(cells[~reached], 0.0, 0.0, 0)
    return cells[reached]


def exactly(estimates: Estimates, settings: Settings, cells: np.ndarray) -> Iterator[Progress]:
    """One evaluation per patch, where every draw is the same."""
    experiment = estimates.experiment
    total = experiment.evaluations + len(cells)
    done = 0
    while done < len(cells):
        part = cells[done : done + experiment.engine.batch]
        effect = experiment.effects(part, np.zeros(len(part), dtype=np.int64))
        effect[np.abs(effect) < settings.threshold] = 0
        estimates.settle(part, effect, 0.0, 1)
        done += len(part)
        yield Progress(total, "measuring")
