"""One sweep of interventions, every region: what each one did to the whole prediction."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pdcr_widgets.causal.archive import read_npz, write_npz
from pdcr_widgets.causal.arrays import as_region, as_truth
from pdcr_widgets.causal.ingredients import mask_digest, mask_to_runs
from pdcr_widgets.causal.outcome import THRESHOLDED, Empty, Outcome
from pdcr_widgets.causal.pictured import Pictured
from pdcr_widgets.causal.plan import PatchGrid
from pdcr_widgets.causal.results import ATEMap
from pdcr_widgets.causal.sweep_index import Bands

FORMAT = 1
STEPS = 8191
SMALLEST = 1 / 508


@dataclass(frozen=True, eq=False, repr=False)
class Sweep(Pictured):
    """What interventions on every patch did to the whole prediction, compressed.

    `ate_map` then gives the map of any region without a forward pass.

    Parameters
    ----------
    probability
        ``spatial`` float32: the unperturbed prediction, 0..1.
    threshold
        Probability above which a pixel is predicted.
    patch_size
        Side of a patch, pixels.
    cells
        ``(n,)`` patch number of each intervention.
    offsets
        ``(n + 1,)``: the changed pixels of intervention i are ``pixels[offsets[i]:offsets[i+1]]``.
    pixels
        uint32 numbers of changed pixels, row-major.
    change
        int16, twice the change of probability at those pixels in steps of 1/8191, plus 1 where the
        thresholded prediction flipped; empty when only flips were kept.
    recipe
        The parameters it was computed with.
    """

    probability: np.ndarray
    threshold: float
    patch_size: int
    cells: np.ndarray
    offsets: np.ndarray
    pixels: np.ndarray
    change: np.ndarray
    recipe: Mapping[str, Any] = field(default_factory=dict)

    @property
    def spatial(self) -> tuple[int, ...]:
        """Shape of the image, pixels."""
        return self.probability.shape

    def _drawable(self) -> bool:
        return len(self.spatial) == 2 and len(self.cells) > 0

    def _draw(self, figure: Any, **options: Any) -> None:
        from pdcr_widgets.causal.figure import COLUMN, map_height
        from pdcr_widgets.causal.sweep_figure import plot_sweep

        figure.set_size_inches(COLUMN, map_height(self.spatial, None, COLUMN))
        plot_sweep(self, figure.add_subplot(), **options)

    def __repr__(self) -> str:
        sides = " x ".join(map(str, self.spatial))
        return (
            f"Sweep({len(self.cells)} interventions on patches of {self.patch_size} pixels, image "
            f"of {sides}, {self.nbytes / 1e6:.1f} MB)"
        )

    @property
    def soft(self) -> bool:
        """Whether changes of probability were kept, so that every outcome can be read."""
        return len(self.change) > 0 or len(self.pixels) == 0

    @property
    def nbytes(self) -> int:
        """Memory that the sweep takes, bytes; a first map adds 520 per intervention at most."""
        held = (self.probability, self.cells, self.offsets, self.pixels, self.change)
        return sum(a.nbytes for a in held)

    @cached_property
    def bands(self) -> Bands:
        """Where the changed pixels of each band of rows are; found once, when first asked for."""
        return Bands.of(self.offsets, self.pixels, self.spatial)

    def ready(self) -> Sweep:
        """The same sweep, with what `ate_map` finds out when it is first called."""
        assert self.bands is not None
        return self

    @property
    def rounds(self) -> int:
        """Draws that every patch has had."""
        patches = int(np.prod([-(-n // self.patch_size) for n in self.spatial]))
        return int(np.bincount(self.cells, minlength=patches).min())

    def first(self, count: int) -> Sweep:
        """The sweep as it was after its first ``count`` interventions."""
        changed = int(self.offsets[count])
        return replace(
            self,
            cells=self.cells[:count],
            offsets=self.offsets[: count + 1],
            pixels=self.pixels[:changed],
            change=self.change[:changed],
        )

    def ate_map(
        self,
        region: Any,
        truth: Any = None,
        *,
        outcome: str = "dice",
        threshold: float = 0.02,
        empty: Empty = "agree",
    ) -> ATEMap:
        """Read the map of a region off the sweep, without a forward pass.

        Parameters are those of `pdcr_widgets.ate_map`. The effects are the means over the sweep's
        draws; hard outcomes ("dice", "iou", "area") are exact for those draws, soft ones leave out
        changes of probability below 1/508.

        Raises
        ------
        ValueError
            As `pdcr_widgets.ate_map`; a soft outcome when only flips were kept.
        """
        if outcome not in THRESHOLDED and not self.soft:
            raise ValueError(
                f"this sweep kept flipped pixels only, which give {THRESHOLDED}; make it with "
                f"soft=True to read {outcome!r}"
            )
        inside = as_region(region, self.spatial)
        own = self.probability > self.threshold
        given = as_truth(truth, self.spatial, self.recipe.get("target"), self.recipe.get("classes"))
        reference = own if given is None else given
        grid = PatchGrid(self.spatial, self.patch_size, inside)
        outside = ~grid.touching.reshape(-1)
        score = _Scores(self, inside, reference, outcome, empty)
        effects = score.perturbed() - score.base
        read = {
            "region": mask_to_runs(inside),
            "truth": given is not None,
            "truth_digest": None if given is None else mask_digest(given),
            "outcome": outcome,
            "threshold": threshold,
            "empty": empty,
            "evaluations": len(self.cells),
        }
        return self._map(grid, effects, outside, score.base, {**self.recipe, **read})

    def _map(
        self, grid: PatchGrid, effects: np.ndarray, outside: np.ndarray, base: float,
        recipe: dict[str, Any],
    ) -> ATEMap:  # fmt: skip
        size = len(outside)
        samples = np.bincount(self.cells, minlength=size)
        count = np.maximum(samples, 1)
        mean = np.bincount(self.cells, effects, size) / count
        square = np.bincount(self.cells, (effects - mean[self.cells]) ** 2, size)
        stderr = np.sqrt(square / np.maximum(count - 1, 1) / count)
        if not self.recipe.get("deterministic", False):
            stderr = np.where(samples == 1, np.abs(mean), stderr)
        stderr = np.where(samples == 0, np.inf, stderr)
        grids = [np.where(outside, v, np.nan).astype(np.float32) for v in (mean, stderr)]
        effect, stderr = (v.reshape(grid.shape) for v in grids)
        return ATEMap(
            effect=effect,
            stderr=stderr,
            samples=np.where(outside, samples, 0).reshape(grid.shape),
            base=base,
            evaluations=len(self.cells),
            patch_size=self.patch_size,
            region=grid.region,
            engine="sweep",
            reason="read off a sweep, without a forward pass",
            recipe=recipe,
        )

    @classmethod
    def run(cls, model: Any, image: Any, **options: Any) -> Sweep:
        """Make a sweep in one go; see `pdcr_widgets.iter_sweep` for the parameters."""
        from pdcr_widgets.causal.sweeping import iter_sweep

        return deque(iter_sweep(model, image, **options), maxlen=1).pop().sweep

    def save(self, path: str | Path) -> None:
        """Write everything to an ``.npz`` file; an older file stays whole until the new one is."""
        head = {
            "format": FORMAT,
            "threshold": self.threshold,
            "patch_size": self.patch_size,
            "recipe": dict(self.recipe),
        }
        write_npz(path, head, {n: getattr(self, n) for n in _ARRAYS})

    @classmethod
    def load(cls, path: str | Path) -> Sweep:
        """Read a file written by `save`; ValueError when it is no such file."""
        head, arrays = read_npz(path, _ARRAYS, FORMAT)
        return cls(**{**arrays, **head})


_ARRAYS = ("probability", "cells", "offsets", "pixels", "change")


class _Scores:
    """Outcomes of a sweep's predictions inside a region, from sums over changed pixels."""

    def __init__(
        self, sweep: Sweep, inside: np.ndarray, reference: np.ndarray, outcome: str, empty: Empty
    ) -> None:
        self._sweep, self._outcome, self._empty = sweep, outcome, empty
        self._inside, self._reference = inside.reshape(-1), reference.reshape(-1)
        box = Outcome(outcome, inside, reference, sweep.threshold, empty)
        self.base = float(box(torch.from_numpy(sweep.probability)[None])[0])

    def perturbed(self) -> np.ndarray:
        """Outcome of every intervention, points."""
        sweep = self._sweep
        hit, owner = sweep.bands.inside(self._inside.reshape(sweep.spatial), sweep.pixels)
        pixels = sweep.pixels[hit]
        base = sweep.probability.reshape(-1).astype(np.float64)
        truth = self._reference
        if self._outcome in THRESHOLDED:
            level = (base > sweep.threshold).astype(np.float64)
            flipped = sweep.change[hit] & 1 if len(sweep.change) else 1
            moved = flipped * (1 - 2 * level[pixels])
        else:
            level = base
            moved = (sweep.change[hit] >> 1) / STEPS
        size = len(sweep.cells)
        mass = level[self._inside].sum() + np.bincount(owner, moved, size)
        both = (level * truth)[self._inside].sum() + np.bincount(owner, moved * truth[pixels], size)
        return self._points(mass, both, float(truth[self._inside].sum()))

    def _points(self, mass: np.ndarray, both: np.ndarray, truth: float) -> np.ndarray:
        if self._outcome in ("area", "mean_probability"):
            return 100 * mass / self._inside.sum()
        total = mass + truth - both if self._outcome == "iou" else mass + truth
        part = both if self._outcome == "iou" else 2 * both
        nothing = 100.0 if self._empty == "agree" else 0.0
        return np.where(total > 1e-12, 100 * part / np.where(total > 1e-12, total, 1), nothing)
