"""Values as nnU-Net normalises them, inside the box where an image is not empty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from pdcr_widgets.causal.needs import needs

TINY = 1e-8
FAR = -1e4
"""Logit of what is nowhere outside the box: its probability is exactly 0."""
OWN_VALUES = ("ZScoreNormalization", "RescaleTo01Normalization")
Box = tuple[tuple[int, int], ...]
Scheme = tuple[str, Mapping[str, float], bool]


class Normalised(nn.Module):
    """An image cropped to what is not zero, brought channel by channel to what was trained on.

    Outside the box all is background, as nnU-Net writes it.

    Parameters
    ----------
    model
        Network on normalised values.
    schemes
        Name, properties of the training set, and whether what is empty is left out, for each
        channel.
    masks
        Channels after these that are left as they are.
    like
        ``(channels, ...)`` values whose box, mean, standard deviation and range are used; None:
        each image's own.
    regions
        Whether classes overlap, so that none of them is background.
    """

    def __init__(
        self,
        model: nn.Module,
        schemes: Sequence[Scheme],
        masks: int = 0,
        like: Any = None,
        regions: bool = False,
    ) -> None:
        super().__init__()
        self.model, self.schemes, self.regions = model, list(schemes), regions
        self.masks = masks
        self.box: Box | None = None
        self.statistics: Tensor | None = None
        if like is not None:
            values = torch.as_tensor(np.asarray(like), dtype=torch.float32)
            self.box = box_of(values)
            self.statistics = self._measured(_cut(values, self.box))

    def forward(self, images: Tensor) -> Tensor:
        """Scores of images in the units of the file."""
        axes, own = images.ndim - 2, len(self.schemes)
        if images.shape[1] != own + self.masks:
            raise ValueError(
                f"the network was trained on {own} channels, the image has "
                f"{images.shape[1] - self.masks}"
            )
        given = images[:, :own]
        boxes = [box_of(image) if self.box is None else self.box[-axes:] for image in given]
        if all(box == boxes[0] for box in boxes):
            return self._inside(images, boxes[0])
        alone = (self._inside(one, box) for one, box in zip(images.split(1), boxes, strict=True))
        return torch.cat(list(alone))

    def _inside(self, images: Tensor, box: Box) -> Tensor:
        """Run the model on a part of the images, and put its scores back into the whole."""
        scores: Tensor = self.model(torch.stack([self._normal(one) for one in _cut(images, box)]))
        if scores.shape[2:] == images.shape[2:]:
            return scores
        whole = scores.new_full((*scores.shape[:2], *images.shape[2:]), FAR)
        if not self.regions:
            whole[:, 0] = 0
        _cut(whole, box)[:] = scores
        return whole

    def _normal(self, image: Tensor) -> Tensor:
        own = image[: len(self.schemes)]
        told = self._measured(own) if self.statistics is None else self.statistics
        seen = self._seen(own)
        channels = zip(own, self.schemes, told.to(own), strict=True)
        done = [_channel(values, scheme, seen, numbers) for values, scheme, numbers in channels]
        return torch.stack([*done, *image[len(done) :]])

    def _seen(self, image: Tensor) -> Tensor:
        """Mask of what is not empty, where a channel asks for it."""
        if any(masked for *_, masked in self.schemes):
            return filled(image)
        return torch.ones_like(image[0], dtype=torch.bool)

    def _measured(self, image: Tensor) -> Tensor:
        """Mean, deviation, lowest and highest value ``(channels, 4)``, 0 where none is needed."""
        rows, seen = [], self._seen(image)
        for values, (scheme, _, masked) in zip(image, self.schemes, strict=True):
            counted = values[seen] if masked else values
            if scheme not in OWN_VALUES or not counted.numel():
                rows.append(values.new_zeros(4))
                continue
            numbers = counted.mean(), counted.std(correction=0), values.amin(), values.amax()
            rows.append(torch.stack(numbers))
        return torch.stack(rows)


def box_of(image: Tensor) -> Box:
    """First pixel and the one after the last, along each axis, where any channel is not zero."""
    places = (image != 0).any(dim=0).nonzero()
    if not len(places):
        return tuple((0, side) for side in image.shape[1:])
    return tuple(zip(places.amin(0).tolist(), (places.amax(0) + 1).tolist(), strict=True))


def filled(image: Tensor) -> Tensor:
    """Where any channel is not zero, with the cavities of volumes.

    A picture counts as a volume of one slice, whose cavities are all open.
    """
    seen = (image != 0).any(dim=0)
    if seen.ndim < 3:
        return seen
    closed = needs("scipy.ndimage", "nnunet").binary_fill_holes(seen.cpu().numpy())
    return torch.as_tensor(closed, device=image.device)


def _cut(values: Tensor, box: Box) -> Tensor:
    inside: Any = (..., *(slice(first, last) for first, last in box))
    return values[inside]


def _channel(values: Tensor, scheme: Scheme, seen: Tensor, told: Tensor) -> Tensor:
    name, known, masked = scheme
    if name == "RGBTo01Normalization":
        return values / 255
    if name == "CTNormalization":
        held = values.clamp(known["percentile_00_5"], known["percentile_99_5"])
        return (held - known["mean"]) / max(known["std"], TINY)
    mean, std, low, high = told
    if name == "RescaleTo01Normalization":
        return (values - low) / (high - low).clamp(min=TINY)
    if name == "ZScoreNormalization":
        scaled = (values - mean) / std.clamp(min=TINY)
        return torch.where(seen, scaled, values) if masked else scaled
    return values
