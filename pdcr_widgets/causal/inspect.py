"""One patch under the lens: each of its interventions on its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from pdcr_widgets.causal.arrays import as_whole
from pdcr_widgets.causal.draws import draw
from pdcr_widgets.causal.engines import window_engine
from pdcr_widgets.causal.experiment import Experiment, Target
from pdcr_widgets.causal.figure import COLORS, COLUMN, SMALL
from pdcr_widgets.causal.outcome import Empty
from pdcr_widgets.causal.pictured import Pictured


@dataclass(frozen=True, eq=False)
class PatchDraws(Pictured):
    """The interventions on one patch.

    Parameters
    ----------
    row, col
        The patch's place in the grid.
    effects
        ``(n,)`` points, one per draw: negative where losing the patch hurts.
    contents
        ``(n, channels, patch, patch)``: what was pasted, in the image's units.
    base
        Outcome of the unperturbed image, points 0..100.
    """

    row: int
    col: int
    effects: np.ndarray
    contents: np.ndarray
    base: float

    def _draw(self, figure: Any, **_options: Any) -> None:
        figure.set_size_inches(COLUMN, 0.6 * COLUMN)
        ax = figure.add_subplot()
        colors = [COLORS["supports" if effect < 0 else "harms"] for effect in self.effects]
        ax.bar(np.arange(1, len(self.effects) + 1), self.effects, color=colors)
        ax.axhline(0, color="black", linewidth=0.8)
        ax.axhline(float(self.effects.mean()), color="#444444", linewidth=0.8, linestyle="--")
        ax.locator_params(axis="x", integer=True)
        ax.set_xlabel(f"draw at patch ({self.row}, {self.col}); dashes: mean", fontsize=SMALL)
        ax.set_ylabel("effect, points", fontsize=SMALL)
        ax.tick_params(labelsize=SMALL)
        ax.spines[["top", "right"]].set_visible(False)

    def __repr__(self) -> str:
        return (
            f"PatchDraws(patch ({self.row}, {self.col}): {len(self.effects)} draws, "
            f"mean effect {float(self.effects.mean()):+.2f} points, base {self.base:.2f} of 100)"
        )


def patch_draws(
    model: Any,
    image: Any,
    region: Any,
    row: int,
    col: int,
    truth: Any = None,
    *,
    patch_size: int = 8,
    baseline: Any = 0.0,
    outcome: str = "dice",
    samples: int = 50,
    seed: int = 0,
    empty: Empty = "agree",
) -> PatchDraws:
    """Draw interventions for one patch and keep each effect and what was pasted.

    The draws are the first ones of ``ate_map(..., sampling="paper")`` with the same seed. A
    deterministic baseline gives one.

    Parameters
    ----------
    row, col
        Place of the patch in the grid, outside the region.
    samples
        Number of draws.

    Other parameters are those of `ate_map`.

    Raises
    ------
    ValueError
        No such patch, or one that touches the region; and all that `ate_map` raises.
    """
    target = Target.of(model, image, region, truth, outcome, empty)
    engine = window_engine(target)
    experiment = Experiment.of(target, patch_size, baseline, engine, seed)
    rows, cols = experiment.grid.shape[-2:]
    if len(experiment.grid.shape) != 2 or not (0 <= row < rows and 0 <= col < cols):
        raise ValueError(f"there is no patch ({row}, {col}) in a grid of {experiment.grid.shape}")
    if experiment.grid.touching[row, col]:
        raise ValueError(f"patch ({row}, {col}) touches the region and is not intervened on")
    samples = as_whole(samples, "samples", 1)
    count = 1 if experiment.baseline.deterministic else samples
    cells = np.full(count, row * cols + col)
    choices = draw(seed, cells, np.arange(count), experiment.baseline.choices)
    contents = experiment.baseline.content(experiment.grid.starts(cells), choices)
    effects = experiment.effects(cells, choices)
    pasted = contents.float() if contents.dtype == torch.bfloat16 else contents
    return PatchDraws(row, col, effects, pasted.cpu().numpy(), target.base)
