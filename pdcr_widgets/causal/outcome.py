"""What is measured inside the target region, in points of 0..100."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import torch
from torch import Tensor

Empty = Literal["agree", "paper"]
Measure = Callable[[Tensor, Tensor, float, Empty], Tensor]


def dice(probability: Tensor, reference: Tensor, threshold: float, empty: Empty) -> Tensor:
    """Dice of the thresholded prediction, 200 |P G| / (|P| + |G|)."""
    predicted = probability > threshold
    both = (predicted & reference).sum(dim=1)
    total = predicted.sum(dim=1) + reference.sum()
    return _ratio(2 * both, total, empty)


def iou(probability: Tensor, reference: Tensor, threshold: float, empty: Empty) -> Tensor:
    """Intersection over union of the thresholded prediction, 100 |P G| / |P or G|."""
    predicted = probability > threshold
    return _ratio((predicted & reference).sum(dim=1), (predicted | reference).sum(dim=1), empty)


def soft_dice(probability: Tensor, reference: Tensor, threshold: float, empty: Empty) -> Tensor:
    """Dice of the probabilities themselves, 200 sum(p g) / (sum p + sum g)."""
    del threshold
    p = probability.to(_exact(probability))
    g = reference.to(p.dtype)
    return _ratio(2 * (p * g).sum(dim=1), p.sum(dim=1) + g.sum(), empty)


def mean_probability(
    probability: Tensor, reference: Tensor, threshold: float, empty: Empty
) -> Tensor:
    """Mean probability of the target class over the region, times 100."""
    del reference, threshold, empty
    return 100 * probability.to(_exact(probability)).mean(dim=1)


def area(probability: Tensor, reference: Tensor, threshold: float, empty: Empty) -> Tensor:
    """Share of the region that is predicted as the target, times 100."""
    del reference, empty
    return 100 * (probability > threshold).to(_exact(probability)).mean(dim=1)


OUTCOMES: dict[str, Measure] = {
    "dice": dice,
    "iou": iou,
    "soft_dice": soft_dice,
    "mean_probability": mean_probability,
    "area": area,
}


THRESHOLDED = ("dice", "iou", "area")


class Outcome:
    """One outcome, bound to a region and its reference.

    Parameters
    ----------
    name
        A key of `OUTCOMES`.
    region
        Boolean array of the window's shape: the pixels that count.
    reference
        Boolean array of the window's shape: the truth, or the model's own prediction.
    threshold
        Probability above which a pixel is predicted, 0..1.
    empty
        ``"agree"``: prediction and reference both empty is 100 points. ``"paper"``: it is 0, as in
        the reference implementation of PdCR (arXiv 2602.20511).
    device
        Where the probabilities will be.
    """

    def __init__(
        self,
        name: str,
        region: np.ndarray,
        reference: np.ndarray,
        threshold: float,
        empty: Empty = "agree",
        device: torch.device | str = "cpu",
    ) -> None:
        if name not in OUTCOMES:
            raise ValueError(f"outcome must be one of {list(OUTCOMES)}, got {name!r}")
        if empty not in ("agree", "paper"):
            raise ValueError(f"empty must be 'agree' or 'paper', got {empty!r}")
        self._measure = OUTCOMES[name]
        self._inside = torch.from_numpy(np.flatnonzero(region)).to(device)
        self._host = torch.from_numpy(np.ascontiguousarray(reference[region]))
        self._reference = self._host.to(device)
        self._threshold = threshold
        self._empty: Empty = empty

    def __call__(self, probability: Tensor) -> Tensor:
        """Points of each prediction, ``(batch, *window) -> (batch,)``, 0..100."""
        inside = probability.flatten(1).index_select(1, self._inside)
        return self._measure(inside, self._reference, self._threshold, self._empty)

    def at(self, margins: Tensor) -> Tensor:
        """Points where each pixel of the region is so far above the threshold, ``(batch, pixels)``.

        For the outcomes that are read off the thresholded prediction, and margins on the host.
        """
        return self._measure(margins, self._host, 0.0, self._empty)


def _ratio(part: Tensor, total: Tensor, empty: Empty) -> Tensor:
    kind = part.dtype if part.is_floating_point() else _exact(part)
    points = 100 * part.to(kind) / total.to(kind)
    nothing = 100.0 if empty == "agree" else 0.0
    return torch.where(total > 0, points, torch.full_like(points, nothing))


def _exact(values: Tensor) -> torch.dtype:
    return torch.float32 if values.device.type == "mps" else torch.float64
