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
    return _dice(*_counts(probability > threshold, reference), reference, empty)


def iou(probability: Tensor, reference: Tensor, threshold: float, empty: Empty) -> Tensor:
    """Intersection over union of the thresholded prediction, 100 |P G| / |P or G|."""
    return _iou(*_counts(probability > threshold, reference), reference, empty)


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
    return _area(*_counts(probability > threshold, reference), reference, empty)


def _counts(predicted: Tensor, reference: Tensor) -> tuple[Tensor, Tensor]:
    """Pixels predicted, and pixels predicted that the reference holds."""
    return predicted.sum(dim=1), (predicted & reference).sum(dim=1)


def _dice(predicted: Tensor, both: Tensor, reference: Tensor, empty: Empty) -> Tensor:
    return _ratio(2 * both, predicted + reference.sum(), empty)


def _iou(predicted: Tensor, both: Tensor, reference: Tensor, empty: Empty) -> Tensor:
    return _ratio(both, predicted + reference.sum() - both, empty)


def _area(predicted: Tensor, both: Tensor, reference: Tensor, empty: Empty) -> Tensor:
    del both, empty
    kind = predicted.dtype if predicted.is_floating_point() else _exact(predicted)
    return 100 * (predicted.to(kind) / len(reference))


OUTCOMES: dict[str, Measure] = {
    "dice": dice,
    "iou": iou,
    "soft_dice": soft_dice,
    "mean_probability": mean_probability,
    "area": area,
}


_COUNTED = {"dice": _dice, "iou": _iou, "area": _area}
THRESHOLDED = tuple(_COUNTED)


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
        self._name, self._measure = name, OUTCOMES[name]
        self._inside = torch.from_numpy(np.flatnonzero(region)).to(device)
        self._host = torch.from_numpy(np.ascontiguousarray(reference[region]))
        self._reference = self._host.to(device)
        self._threshold = threshold
        self._empty: Empty = empty

    def __call__(self, probability: Tensor) -> Tensor:
        """Points of each prediction, ``(batch, *window) -> (batch,)``, 0..100."""
        inside = probability.flatten(1).index_select(1, self._inside)
        return self._measure(inside, self._reference, self._threshold, self._empty)

    def at(self, above: Tensor, pixels: Tensor, otherwise: Tensor) -> Tensor:
        """Points of predictions that are given for some pixels only, on the host.

        For the outcomes that are read off the thresholded prediction.

        Parameters
        ----------
        above
            ``(batch, k)`` booleans: which of those pixels are predicted.
        pixels
            ``(k,)`` their places among the region's.
        otherwise
            ``(region pixels,)`` booleans: what is predicted at all others.

        Returns
        -------
        Tensor
            ``(batch,)`` float64 points.
        """
        kinds = torch.stack([torch.ones(len(pixels)), self._host[pixels].float()], dim=1)
        base = torch.stack([otherwise.sum(), (otherwise & self._host).sum()])
        rest = base - otherwise[pixels].float() @ kinds
        predicted, both = (above.float() @ kinds + rest).double().T
        return _COUNTED[self._name](predicted, both, self._host, self._empty)


def _ratio(part: Tensor, total: Tensor, empty: Empty) -> Tensor:
    kind = part.dtype if part.is_floating_point() else _exact(part)
    points = 100 * part.to(kind) / total.to(kind)
    nothing = 100.0 if empty == "agree" else 0.0
    return torch.where(total > 0, points, torch.full_like(points, nothing))


def _exact(values: Tensor) -> torch.dtype:
    return torch.float32 if values.device.type == "mps" else torch.float64
