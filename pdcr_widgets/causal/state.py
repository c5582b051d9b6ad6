"""Running estimates, one row per patch."""

from __future__ import annotations

from typing import Any

import numpy as np

from pdcr_widgets.causal.experiment import Experiment
from pdcr_widgets.causal.results import ATEMap, ATEUpdate

DONE = "done"


class Estimates:
    """Effect, standard error and draws of every patch, filled in by a sampler.

    Parameters
    ----------
    experiment
        Whose patches they are.
    recipe
        Parameters to hand to every map.

    Attributes
    ----------
    ended
        Whether the last update is where the sampler or the budget ends; False when time ran out.
    """

    def __init__(self, experiment: Experiment, recipe: dict[str, Any]) -> None:
        cells = int(np.prod(experiment.grid.shape))
        self.experiment, self.recipe = experiment, recipe
        self.effect = np.zeros(cells)
        self.stderr = np.full(cells, np.inf)
        self.samples = np.zeros(cells, dtype=np.int64)
        self.ended = True
        self._updates = 0

    def settle(self, cells: np.ndarray, effect: Any, stderr: Any, samples: Any) -> None:
        """Replace what is known of some patches."""
        self.effect[cells], self.stderr[cells], self.samples[cells] = effect, stderr, samples

    def sketch(self, cells: np.ndarray, effect: np.ndarray) -> None:
        """Show a group's effect, shared out over its patches, until they are measured.

        Its standard error is its own size, or the threshold where that is more.
        """
        members = cells >= 0
        share = np.broadcast_to(effect[:, None] / members.sum(axis=1, keepdims=True), cells.shape)
        unmeasured = members & (self.samples[cells.clip(0)] == 0)
        self.effect[cells[unmeasured]] = share[unmeasured]
        unsure = np.maximum(np.abs(share), float(self.recipe.get("threshold", 0.0)))
        self.stderr[cells[unmeasured]] = unsure[unmeasured]

    def dismiss(self, cells: np.ndarray, stderr: float) -> None:
        """Take patches to have no effect on the word of a group that they were members of."""
        self.effect[cells], self.stderr[cells] = 0.0, stderr

    def update(self, total: int, stage: str) -> ATEUpdate:
        """Freeze the present state, and how to come to it again."""
        experiment = self.experiment
        done = stage == DONE
        self._updates += not done
        stopped_after = None if done and self.ended else self._updates
        grid = experiment.grid
        ate = ATEMap(
            effect=_masked(self.effect, grid.touching),
            stderr=_masked(self.stderr, grid.touching),
            samples=self.samples.reshape(grid.shape).copy(),
            base=experiment.target.base,
            evaluations=experiment.evaluations,
            patch_size=grid.patch_size,
            region=experiment.target.region,
            engine=experiment.engine.name,
            reason=experiment.engine.reason,
            recipe={**self.recipe, "stopped_after": stopped_after},
        )
        return ATEUpdate(ate, experiment.evaluations, max(total, experiment.evaluations), stage)


def _masked(values: np.ndarray, touching: np.ndarray) -> np.ndarray:
    grid = values.reshape(touching.shape).astype(np.float32)
    grid[touching] = np.nan
    return grid
