"""Whether the numbers of a map say what happens when many patches change at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from pdcr_widgets.causal.arrays import as_whole
from pdcr_widgets.causal.outcome import Outcome
from pdcr_widgets.evaluate.erasure import Erasure
from pdcr_widgets.evaluate.ranking import per_patch, ranked
from pdcr_widgets.evaluate.statistics import pearson


@dataclass(frozen=True, eq=False)
class Subsets:
    """Random subsets of patches, and what replacing each did.

    Parameters
    ----------
    replaced
        ``(n, cells of the grid)`` booleans.
    changes
        ``(n,)`` points: outcome afterwards minus before.
    """

    replaced: np.ndarray
    changes: np.ndarray

    @classmethod
    def draw(cls, erasure: Erasure, draws: int, share: float, seed: int) -> Iterator[Subsets]:
        """Draw subsets and measure them, batch by batch; yields what is known so far."""
        draws = as_whole(draws, "draws", 2)
        if not 0 < share < 1:
            raise ValueError(f"share is a part of the patches between 0 and 1, got {share}")
        cells = erasure.cells
        number = min(max(round(share * len(cells)), 1), max(len(cells) - 1, 1))
        generator = np.random.default_rng(seed)
        replaced = np.zeros((draws, erasure.grid.touching.size), dtype=bool)
        for row in replaced:
            row[generator.choice(cells, number, replace=False)] = True
        found = np.zeros(0)
        for part in erasure.iter_outcomes(replaced):
            found = np.concatenate([found, part - erasure.target.base])
            yield cls(replaced[: len(found)], found)

    def correlation(self, scores: Any, erasure: Erasure) -> float:
        """Pearson's correlation of the summed effects with the change, -1..1."""
        values = np.nan_to_num(per_patch(scores, erasure.grid).reshape(-1))
        return pearson(self.replaced @ values, self.changes)


def faithfulness_correlation(
    model: Any,
    image: Any,
    region: Any,
    scores: Any,
    truth: Any = None,
    *,
    draws: int = 100,
    share: float = 0.1,
    **options: Any,
) -> float:
    """Correlation between what a map says of random subsets of patches and what happens.

    Parameters
    ----------
    model, image, region, scores, truth, **options
        As for `deletion_curve`.
    draws
        Number of subsets.
    share
        Part of the patches outside the region in each, 0..1.

    Returns
    -------
    float
        Pearson's correlation, over the subsets, between the sum of the map's effects and the change
        of the outcome when the whole subset is replaced; -1..1. NaN where one does not vary.

    References
    ----------
    Bhatt, Weller, Moura: Evaluating and aggregating feature-based model explanations, IJCAI 2020,
    arXiv 2005.00631.
    """
    erasure = Erasure.asked(model, image, region, truth, scores=scores, **options)
    *_, subsets = Subsets.draw(erasure, draws, share, options.get("seed", 0))
    return subsets.correlation(scores, erasure)


@dataclass(frozen=True, eq=False)
class Drops:
    """What losing the top patches of a map does to the region and to the rest of the image.

    Parameters
    ----------
    shares
        Parts of the patches that were replaced, 0..1.
    tdd
        Fall of the outcome in the region, points, for each share.
    odd
        Absolute change of the outcome outside the region, points.
    """

    shares: tuple[float, ...]
    tdd: np.ndarray
    odd: np.ndarray

    @property
    def leakage(self) -> np.ndarray:
        """``odd / tdd``; NaN where the region lost nothing."""
        return np.where(self.tdd > 0, self.odd / np.where(self.tdd > 0, self.tdd, 1), np.nan)


def drops(erasure: Erasure, scores: Any, shares: Sequence[float], seed: int = 0) -> Drops:
    """Replace the most supporting patches of each share; see `target_and_outside_drop`."""
    if not shares or not all(0 < share <= 1 for share in shares):
        raise ValueError(f"shares are parts of the patches in 0..1, got {list(shares)}")
    order = ranked(scores, erasure.grid, "supporting", seed)
    replaced = np.zeros((len(shares), erasure.grid.touching.size), dtype=bool)
    for row, share in zip(replaced, shares, strict=True):
        row[order[: max(round(share * len(order)), 1)]] = True
    target = erasure.target
    outside = Outcome(
        target.outcome, ~target.region, target.reference, target.segmenter.threshold,
        device=target.image.device,
    )  # fmt: skip
    before = float(outside(target.probability[None])[0])
    after = torch.cat(list(erasure.probabilities(replaced)))
    inside = target.measure(after[(slice(None), *target.window)]).double().cpu().numpy()
    other = outside(after).double().cpu().numpy()
    return Drops(tuple(shares), target.base - inside, np.abs(before - other))


def target_and_outside_drop(
    model: Any,
    image: Any,
    region: Any,
    scores: Any,
    truth: Any = None,
    *,
    shares: Sequence[float] = (0.05, 0.1, 0.2),
    **options: Any,
) -> Drops:
    """TDD and ODD: what the region loses with a map's top patches, and what the rest changes.

    **A reconstruction**: the names are those of DEA, whose formulas we could not read. Here
    ``TDD_k = s_T(x) - s_T(x without its top k)`` and ``ODD_k = |s_O(x) - s_O(x without its top
    k)|``, with the outcome ``s`` on the region T and on the pixels outside it O. Compare numbers of
    this function with each other only.

    Parameters
    ----------
    model, image, region, scores, truth, **options
        As for `deletion_curve`.
    shares
        Parts of the patches outside the region, 0..1.

    Returns
    -------
    Drops

    References
    ----------
    DEA, arXiv 2603.22624 (for the names).
    """
    erasure = Erasure.asked(model, image, region, truth, scores=scores, **options)
    return drops(erasure, scores, shares, options.get("seed", 0))
