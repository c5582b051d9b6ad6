"""One image whose patches can be replaced in any combination."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pdcr_widgets.causal.arrays import as_whole
from pdcr_widgets.causal.baseline import Baseline, as_baseline
from pdcr_widgets.causal.draws import draw
from pdcr_widgets.causal.experiment import Target
from pdcr_widgets.causal.full import FullEngine
from pdcr_widgets.causal.outcome import Empty
from pdcr_widgets.causal.plan import PatchGrid
from pdcr_widgets.causal.results import ATEMap


@dataclass(frozen=True, eq=False)
class Erasure:
    """An image, what each of its patches is replaced with, and what that does in the region.

    Parameters
    ----------
    target
        What is measured.
    grid
        The patches; those that touch the region are never replaced.
    filled
        ``(channels, *spatial)``: the image with every patch outside the region replaced.
    baseline
        Where the replacements come from.
    engine
        How the images are predicted.
    """

    target: Target
    grid: PatchGrid
    filled: Tensor
    baseline: Baseline
    engine: FullEngine

    @classmethod
    def of(
        cls,
        model: Any,
        image: Any,
        region: Any,
        truth: Any = None,
        *,
        patch_size: int = 8,
        baseline: Any = "mean",
        outcome: str = "dice",
        empty: Empty = "agree",
        seed: int = 0,
        batch: int | None = None,
    ) -> Erasure:
        """Check what the user gave; see `pdcr_widgets.ate_map` for the parameters.

        Each patch is replaced by one content, drawn once where the baseline is random.
        """
        target = Target.of(model, image, region, truth, outcome, empty)
        return cls.on(target, patch_size, baseline, seed, batch)

    @classmethod
    def asked(cls, *question: Any, scores: Any, **options: Any) -> Erasure:
        """Replace patches of the size that a map has, unless another one is asked for."""
        size = {"patch_size": scores.patch_size} if isinstance(scores, ATEMap) else {}
        return cls.of(*question, **{**size, **options})

    @classmethod
    def on(
        cls, target: Target, patch_size: int, baseline: Any, seed: int = 0, batch: int | None = None
    ) -> Erasure:
        """Replace patches of a target that was checked before."""
        spatial = tuple(target.image.shape[1:])
        grid = PatchGrid(spatial, patch_size, target.region)
        content = as_baseline(baseline, target.image, grid.size)
        whole = tuple(slice(0, n) for n in spatial)
        engine = FullEngine(target.segmenter, target.image, whole, batch)
        filled = _filled(target.image, grid, content, as_whole(seed, "seed", 0))
        return cls(target, grid, filled, content, engine)

    @cached_property
    def cells(self) -> np.ndarray:
        """Numbers of the patches that may be replaced, ascending."""
        return np.sort(self.grid.cells)

    def images(self, replaced: np.ndarray) -> Tensor:
        """Images with some patches replaced.

        Parameters
        ----------
        replaced
            ``(n, cells of the grid)`` booleans; patches that touch the region stay in any case.

        Returns
        -------
        Tensor
            ``(n, channels, *spatial)``.
        """
        chosen = replaced & ~self.grid.touching.reshape(-1)
        pixels = torch.from_numpy(chosen[:, self._cell_of_pixel]).to(self.filled.device)
        return torch.where(pixels[:, None], self.filled, self.target.image)

    def probabilities(self, replaced: np.ndarray) -> Iterator[Tensor]:
        """Predict the whole images in parts of a batch, ``(n, *spatial)`` in 0..1 each."""
        done = 0
        while done < len(replaced):
            part = replaced[done : done + self.engine.batch]
            corners = np.zeros((len(part), self.filled.ndim - 1), dtype=int)
            yield self.engine.probabilities(corners, self.images(part))
            done += len(part)

    def iter_outcomes(self, replaced: np.ndarray) -> Iterator[np.ndarray]:
        """Outcome in the region of each image, in parts of a batch; ``(n,)`` points each.

        Raises
        ------
        ValueError
            The model returned NaN or infinite values.
        """
        for probability in self.probabilities(replaced):
            inside = probability[(slice(None), *self.target.window)]
            if not bool(torch.isfinite(inside).all()):
                raise ValueError(
                    "the model returned NaN or infinite values after patches were replaced; the "
                    "baseline may be far outside its input range"
                )
            yield self.target.measure(inside).double().cpu().numpy()

    def outcomes(self, replaced: np.ndarray) -> np.ndarray:
        """Outcome in the region of each image, ``(n,)`` points."""
        return np.concatenate([np.zeros(0), *self.iter_outcomes(replaced)])

    @cached_property
    def _cell_of_pixel(self) -> np.ndarray:
        numbers = np.arange(self.grid.touching.size).reshape(self.grid.shape)
        for axis, extent in enumerate(self.grid.spatial):
            numbers = np.repeat(numbers, self.grid.patch_size, axis=axis)
            numbers = numbers[(slice(None),) * axis + (slice(0, extent),)]
        return numbers


def _filled(image: Tensor, grid: PatchGrid, baseline: Baseline, seed: int) -> Tensor:
    filled = image.clone()
    starts = grid.starts(grid.cells)
    choices = draw(seed, grid.cells, np.zeros(len(grid.cells), dtype=int), baseline.choices)
    for start, content in zip(starts.tolist(), baseline.content(starts, choices), strict=True):
        sides = [min(grid.patch_size, n - a) for a, n in zip(start, grid.spatial, strict=True)]
        here = tuple(slice(a, a + n) for a, n in zip(start, sides, strict=True))
        filled[(slice(None), *here)] = content[(slice(None), *(slice(0, n) for n in sides))]
    return filled
