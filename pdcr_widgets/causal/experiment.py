"""One question about one image: everything that stays fixed while effects are measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pdcr_widgets.causal.arrays import as_region, as_truth, bounding_box
from pdcr_widgets.causal.baseline import Baseline, as_baseline
from pdcr_widgets.causal.full import Engine
from pdcr_widgets.causal.moving import sent
from pdcr_widgets.causal.outcome import THRESHOLDED, Empty, Outcome
from pdcr_widgets.causal.plan import PatchGrid, fit, tile
from pdcr_widgets.causal.segmenter import Segmenter, check_finite, segmenter

FAR = 2.0
"""How many times the largest change seen of a pixel's logit another may be."""


@dataclass(frozen=True, eq=False)
class Target:
    """A region of an image and how the prediction inside it is scored.

    Parameters
    ----------
    segmenter
        Resolved segmenter.
    image
        ``(channels, *spatial)`` on the segmenter's device, in its dtype.
    region, reference
        Boolean arrays of the spatial shape; the reference is the truth, or the model's own
        prediction where there is none.
    window
        Bounding box of the region.
    outcome
        Name of the outcome.
    measure
        Scores predictions inside the window.
    base
        Outcome of the unperturbed image, points 0..100.
    probability
        Prediction on the unperturbed image, spatial shape, 0..1.
    has_truth
        Whether the reference is a ground truth.
    """

    segmenter: Segmenter
    image: Tensor
    region: np.ndarray
    reference: np.ndarray
    window: tuple[slice, ...]
    outcome: str
    measure: Outcome
    base: float
    probability: Tensor
    has_truth: bool

    @classmethod
    def of(
        cls,
        model: Any,
        image: Any,
        region: Any,
        truth: Any = None,
        outcome: str = "dice",
        empty: Empty = "agree",
    ) -> Target:
        """Check what the user gave and predict the unperturbed image once."""
        wrapped = segmenter(model)
        held = wrapped.prepare(image)
        inside = as_region(region, held.shape[1:])
        resolved = wrapped.resolve(held)
        scores = resolved.scores(held[None])
        probability = check_finite(resolved.probability(scores)[0].clone())
        given = as_truth(truth, held.shape[1:], resolved.target, scores.shape[1])
        own = (probability > resolved.threshold).cpu().numpy()
        reference = own if given is None else given
        window = bounding_box(inside)
        measure = Outcome(
            outcome, inside[window], reference[window], resolved.threshold, empty, held.device
        )
        base = float(measure(probability[window][None])[0])
        return cls(
            resolved, held, inside, reference, window, outcome, measure, base, probability,
            given is not None,
        )  # fmt: skip


class Experiment:
    """Interventions on the patches of one image, counted.

    Parameters
    ----------
    target
        What is measured.
    grid
        Where interventions are made.
    baseline
        What is put in.
    engine
        How predictions are made; may be replaced between calls by one that agrees.
    seed
        Of the draws.
    """

    def __init__(
        self, target: Target, grid: PatchGrid, baseline: Baseline, engine: Engine, seed: int
    ) -> None:
        self.target, self.grid, self.baseline, self.seed = target, grid, baseline, seed
        self.engine = engine
        self.evaluations = 0

    @classmethod
    def of(
        cls, target: Target, patch_size: int, baseline: Any, engine: Engine, seed: int
    ) -> Experiment:
        """Check patch size and baseline against the target's image."""
        grid = PatchGrid(tuple(target.image.shape[1:]), patch_size, target.region)
        return cls(target, grid, as_baseline(baseline, target.image, grid.size), engine, seed)

    def effects(self, cells: np.ndarray, choices: np.ndarray) -> np.ndarray:
        """Effect of each intervention: patch ``cells[i]`` := content number ``choices[i]``.

        Returns
        -------
        ndarray
            ``(n,)`` float64 points; negative where losing the patch hurts.
        """
        return self._effects(self._intervened(cells, choices))

    def responses(self, cells: np.ndarray, choices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Effects, and what they are read off, in a unit in which content acts smoothly.

        Returns
        -------
        effects : ndarray
            ``(n,)`` points, as of `effects`.
        responses : ndarray
            ``(n, responses)`` float32 changes of the logit of every pixel of the region; for
            outcomes that are not read off the thresholded prediction, the effects themselves.
        """
        probability = self._intervened(cells, choices)
        effects = self._effects(probability)
        if self.target.outcome not in THRESHOLDED:
            return effects, effects[:, None].astype(np.float32)
        return effects, self._logits(probability) - self._margins

    @property
    def width(self) -> int:
        """Number of responses of an intervention."""
        return len(self._margins) if self.target.outcome in THRESHOLDED else 1

    def telling(self, largest: np.ndarray) -> np.ndarray:
        """Which responses may tell of an effect where the ``largest`` seen are ``(width,)``."""
        if self.target.outcome not in THRESHOLDED:
            return np.arange(1)
        return np.flatnonzero(np.abs(self._margins) <= FAR * largest)

    def read(self, responses: np.ndarray, which: np.ndarray) -> np.ndarray:
        """Effects that ``(n, k)`` responses would mean, the others being 0, ``(n,)`` points."""
        if self.target.outcome not in THRESHOLDED:
            return responses[:, 0].astype(np.float64)
        above = torch.from_numpy(responses + self._margins[which] > 0)
        base = torch.from_numpy(self._margins > 0)
        points = self.target.measure.at(above, torch.from_numpy(which), base)
        return points.numpy() - self.target.base

    def group_effects(
        self, cells: np.ndarray, corners: np.ndarray, choices: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Effect of replacing all patches of each group at once, each with its own content.

        Parameters
        ----------
        cells, choices
            ``(n, factor ** d)``; -1 marks a place that stays as it is.
        corners
            ``(n, d)`` first cell of each group on each axis.

        Returns
        -------
        effects : ndarray
            ``(n,)`` points.
        nearness : ndarray
            ``(n,)`` largest part of its way to the threshold that a pixel of the region went, 1 or
            more where it flipped; 0 for outcomes that are not read off the thresholded prediction.
        """
        grid, image = self.grid, self.target.image
        factor = round(cells.shape[1] ** (1 / len(grid.shape)))
        starts = grid.starts(cells.reshape(-1).clip(0))
        flat = self.baseline.content(starts, choices.reshape(-1))
        block = tile(flat.reshape(*cells.shape, *flat.shape[1:]), factor, grid.size)
        stays = torch.as_tensor(cells < 0)[:, :, None].expand(*cells.shape, 1)
        keep = tile(
            stays.reshape(*cells.shape, 1, *[1] * len(grid.shape)), factor, [1] * len(grid.shape)
        )
        for axis in range(len(grid.shape)):
            keep = keep.repeat_interleave(grid.patch_size, dim=axis + 2)
        boxes = fit(image, corners * grid.patch_size, block, keep[:, 0].numpy())
        probability = self._predict(*boxes)
        return self._effects(probability), self._nearness(probability)

    def reaching(self, cells: np.ndarray) -> np.ndarray:
        """Whether each cell can change the prediction inside the region, ``(n,)`` booleans."""
        return self.engine.reaches(_inside(self.grid, cells), self.grid.size)

    def _intervened(self, cells: np.ndarray, choices: np.ndarray) -> Tensor:
        image = self.target.image
        return self._predict(*interventions(self.grid, self.baseline, image, cells, choices))

    def _predict(self, starts: np.ndarray, content: Tensor) -> Tensor:
        self.evaluations += len(starts)
        return self.engine.probabilities(starts, content)

    @cached_property
    def _pixels(self) -> Tensor:
        """Places of the region's pixels in its window, flat."""
        target = self.target
        return sent(np.flatnonzero(target.region[target.window]), target.image.device)

    @cached_property
    def _margins(self) -> np.ndarray:
        """Logit of each pixel of the region over that of the threshold, ``(responses,)``."""
        window = self.target.probability[self.target.window]
        return self._logits(window[None])[0]

    def _logits(self, probability: Tensor) -> np.ndarray:
        inside = probability.flatten(1)[:, self._pixels].float()
        level = torch.special.logit(torch.tensor(self.target.segmenter.threshold), eps=1e-7)
        return (torch.special.logit(inside, eps=1e-7).cpu() - level).numpy()

    def _nearness(self, probability: Tensor) -> np.ndarray:
        target = self.target
        if target.outcome not in THRESHOLDED:
            return np.zeros(len(probability))
        base = target.probability[target.window].flatten()[self._pixels]
        margin = (base - target.segmenter.threshold).abs().clamp(min=1e-6)
        way = (probability.flatten(1)[:, self._pixels] - base).abs() / margin
        return way.amax(dim=1).double().cpu().numpy()

    def _effects(self, probability: Tensor) -> np.ndarray:
        finite = torch.isfinite(probability).flatten(1).all(dim=1)
        measured = self.target.measure(probability)
        measured = torch.where(finite, measured, torch.full_like(measured, torch.nan))
        points = measured.cpu().double().numpy()
        if np.isnan(points).any():
            raise ValueError(
                f"the model returned NaN or infinite values for {int(np.isnan(points).sum())} of "
                f"{len(points)} intervened images; the baseline may be far outside its input range"
            )
        return points - self.target.base


def interventions(
    grid: PatchGrid, baseline: Baseline, image: Tensor, cells: np.ndarray, choices: np.ndarray
) -> tuple[np.ndarray, Tensor]:
    """Boxes inside the image, and what is pasted there, for patch := content number choice."""
    starts = grid.starts(cells)
    return fit(image, starts, baseline.content(starts, choices))


def _inside(grid: PatchGrid, cells: np.ndarray) -> np.ndarray:
    limit: Sequence[int] = [n - grid.patch_size for n in grid.spatial]
    return np.minimum(grid.starts(cells), limit)
