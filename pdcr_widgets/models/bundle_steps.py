"""Images as the preprocessing of a MONAI bundle makes them, and scores back on the image's grid."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from pdcr_widgets.causal.needs import needs
from pdcr_widgets.causal.scores import scores_in
from pdcr_widgets.causal.segmenter import ACTIVATIONS
from pdcr_widgets.models.grid import aligned


class Transformed(nn.Module):
    """A network behind transforms of MONAI, whose inverse brings its scores back.

    Parameters
    ----------
    model
        Network on transformed images.
    steps
        Transforms after loading, of one image or of dictionaries.
    key
        Name of the image in dictionaries.
    turned
        Whether axes are reversed, as the library's readers give x first.
    stored
        Where the axes of volumes led in their file, x first, such as ``"RAS"``; empty where that
        is not known, or does not matter.
    like
        Opened image that tells where images are in space; None: spacing 1.
    activation
        Activation before the way back, or empty for raw scores.
    nearest
        Whether the way back takes the nearest value.
    """

    def __init__(
        self,
        model: nn.Module,
        steps: Sequence[Any],
        key: str,
        *,
        turned: bool,
        stored: str = "",
        like: Any = None,
        activation: str = "",
        nearest: bool = False,
    ) -> None:
        super().__init__()
        self.model, self.key, self.turned, self.like = model, key, turned, like
        self.activation, self.nearest = activation, nearest
        self.named = any(is_named(step) for step in steps)
        for step in filter(is_named, steps):
            step.allow_missing_keys = True
        library = needs("monai.transforms", "models")
        turn: list[Any] = []
        if stored:
            turn = [
                library.Orientationd(key, stored) if self.named else library.Orientation(stored)
            ]
        self.steps = {2: library.Compose(list(steps)), 3: library.Compose([*turn, *steps])}
        self.undoes = library.InvertibleTransform

    def forward(self, images: Tensor) -> Tensor:
        """Scores of images ``(batch, channels, *spatial)`` on their own grid."""
        return torch.stack([self._one(image) for image in images])

    def feed(self, image: Tensor) -> Tensor:
        """What the network is shown of one image ``(channels, *spatial)``, with its way back."""
        kind = needs("monai.data", "models").MetaTensor
        given = kind(self._reversed(image), affine=self._affine(image.ndim - 1))
        steps = self.steps[image.ndim - 1]
        shown: Tensor = steps({self.key: given})[self.key] if self.named else steps(given)
        return shown

    def _one(self, image: Tensor) -> Tensor:
        shown: Any = self.feed(image)
        scores = scores_in(self.model(shown.as_tensor().to(image)[None]))
        if scores is None:
            raise TypeError("the network returned no tensor")
        if self.activation:
            scores = ACTIVATIONS[self.activation](scores)
        back = self._back(aligned(scores, shown.shape[1:])[0], shown)
        if back.shape[1:] != image.shape[1:]:
            raise ValueError(
                f"the preprocessing cannot be undone: an image of {tuple(image.shape[1:])} came "
                f"back as {tuple(back.shape[1:])}; one of {told(self.steps[2].transforms)} has no "
                "inverse in MONAI"
            )
        return back

    def _back(self, scores: Tensor, shown: Any) -> Tensor:
        steps = self.steps[scores.ndim - 1]
        if not any(isinstance(step, self.undoes) for step in steps.transforms):
            return self._reversed(scores)
        done = deepcopy(shown.applied_operations)
        if self.nearest:
            convert = needs("monai.transforms.utils", "models").convert_applied_interp_mode
            done = convert(done, mode="nearest", align_corners=None)
        held = type(shown)(scores, meta=deepcopy(shown.meta), applied_operations=done)
        held = steps.inverse({self.key: held})[self.key] if self.named else steps.inverse(held)
        return self._reversed(held.as_tensor())

    def _reversed(self, values: Tensor) -> Tensor:
        axes = range(values.ndim - 1, 0, -1)
        return values.permute(0, *axes) if self.turned else values

    def _affine(self, axes: int) -> Tensor:
        """From the image's index to millimetres, in the order of the axes that are given."""
        affine = np.eye(4)
        held = getattr(self.like, "affine", None)
        steps = getattr(self.like, "spacing", None)
        if axes == 3 and held is not None and getattr(self.like, "oriented", True):
            affine = np.asarray(held)[:, [2, 1, 0, 3] if self.turned else [0, 1, 2, 3]]
        elif steps is not None:
            flat = list(steps)[-axes:]
            affine[range(axes), range(axes)] = flat[::-1] if self.turned else flat
        return torch.as_tensor(affine.copy(), dtype=torch.float64)


def is_named(step: Any) -> bool:
    """Whether a transform works on dictionaries."""
    return hasattr(step, "keys") and hasattr(step, "allow_missing_keys")


def told(steps: Sequence[Any]) -> str:
    """Names of transforms, for people to read."""
    return ", ".join(type(step).__name__ for step in steps)


def moves(step: Any) -> bool:
    """Whether a transform changes the grid."""
    return any(part in type(step).__module__ for part in (".spatial", ".croppad"))
