"""What a model needs before its input and after its output, declared once and undone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from pdcr_widgets.causal.full import uses_batch_statistics
from pdcr_widgets.causal.needs import needs
from pdcr_widgets.causal.scores import scores_in
from pdcr_widgets.models.grid import aligned, by_slice, centred, margins, padded, resized

Number = float | Sequence[float]
PADDINGS = ("reflect", "replicate", "constant")
OWN = "image"
DECLARED = "declared_activation"
"""Attribute in which a model that was loaded keeps the activation that its folder tells."""
CLASSES = "declared_classes"
"""Attribute in which it keeps the names of its classes."""
VALUES = "declared_values"
"""Attribute in which a promptable network keeps the values that its processor makes."""
NOTES = "declared_notes"
"""Attribute in which it keeps what its folder has done to each image, and what is left out."""
AT_ONCE = 4  # slices of a volume, or windows of an image, per forward pass


class Prepared(nn.Module):
    """A model together with its preprocessing, from the image's own grid back to it.

    Regions, patches and maps stay on the grid and in the units of the image; the model sees what it
    was trained on. In this order: channels are picked, values are clipped and become
    ``(scale * value - mean) / std``, a volume is cut into slices, the image is resized, then
    padded; the scores are cropped and resized back. A head of lower resolution is brought up to its
    input.

    Parameters
    ----------
    model
        Module or callable that returns scores, or a dict or list that starts with them.
    channels
        Which channels of the image the model takes, in its order: ``(2, 1, 0)`` turns RGB to BGR,
        ``(0, 0, 0)`` repeats grey.
    clip
        Lowest and highest value that the model is shown, in the image's units, such as a CT window.
    scale, mean, std
        Numbers, or one per channel: ``scale=1 / 255`` for bytes. ``mean="image", std="image"`` are
        those of each image; an intervention on one patch then changes all values a little, as it
        does for the model in use.
    zoom
        Factor by which the image is resized, or one per axis: its spacing over the model's.
    size
        Spatial shape that the model takes, to which the image is resized.
    multiple
        Sides are padded up to a multiple of this number, such as 32 for a U-Net of five levels.
    border
        Pixels that unpadded convolutions lose on each side: the image is padded by as many, so that
        the scores cover it.
    padding
        ``"reflect"``, ``"replicate"`` or ``"constant"`` (zeros). Where an image is too small to be
        reflected, its edge is repeated.
    window
        Spatial shape of the windows the model was trained on. A larger image is covered by
        overlapping windows whose scores are blended, a smaller one is padded with zeros to one
        window (needs MONAI).
    overlap
        Share of a window that overlaps the next, 0 to 1.
    neighbours
        For a model of slices that is given volumes: slices before and after, as further channels
        (2.5-D, ``2 * neighbours + 1`` slices); 0 for a plain 2-D model. The outermost slices
        repeat. None: the model takes what the image is.
    output
        Which of several outputs is the prediction: a position, such as -1 for the last of a list,
        or a key. None: the first of a sequence, ``"out"`` or ``"logits"`` of a dict.

    Raises
    ------
    ValueError
        A number that cannot be: ``std`` of 0, ``multiple`` below 1, an unknown padding.
    """

    mean: Tensor | None
    std: Tensor | None

    def __init__(
        self,
        model: Any,
        *,
        channels: Sequence[int] | None = None,
        clip: Sequence[float] | None = None,
        scale: Number = 1.0,
        mean: Number | str = 0.0,
        std: Number | str = 1.0,
        zoom: Number | None = None,
        size: Sequence[int] | None = None,
        multiple: int = 1,
        border: int = 0,
        padding: str = "reflect",
        window: Sequence[int] | None = None,
        overlap: float = 0.5,
        neighbours: int | None = None,
        output: int | str | None = None,
    ) -> None:
        super().__init__()
        if padding not in PADDINGS:
            raise ValueError(f"padding must be one of {PADDINGS}, got {padding!r}")
        if multiple < 1 or border < 0 or (neighbours or 0) < 0:
            raise ValueError(
                "multiple must be at least 1, border and neighbours at least 0; got "
                f"{multiple}, {border} and {neighbours}"
            )
        if zoom is not None and size is not None:
            raise ValueError("give the size that the model takes, or the zoom to it; not both")
        self.model = model
        self.channels = None if channels is None else list(channels)
        self.clip = None if clip is None else _ordered(clip)
        self.register_buffer("scale", _numbers("scale", scale))
        self.register_buffer("mean", _numbers("mean", mean))
        self.register_buffer("std", _numbers("std", std))
        self.zoom = zoom
        self.size = None if size is None else tuple(size)
        self.multiple, self.border, self.padding = multiple, border, padding
        self.window = None if window is None else tuple(window)
        self.overlap, self.neighbours, self.output = overlap, neighbours, output

    def forward(self, images: Tensor) -> Tensor:
        """Scores of images ``(batch, channels, *spatial)`` on their own grid."""
        fed = self.feed(images)
        if self.neighbours is None:
            return self._on_grid(fed)
        if fed.ndim != 5:
            raise ValueError(
                "neighbours= is for volumes (channels, slices, rows, columns), got an image of "
                f"{fed.ndim - 2} axes; for one slice take volume.slice(index, neighbours=...)"
            )
        return by_slice(self._on_grid, fed, self.neighbours, self._at_once())

    def feed(self, images: Tensor) -> Tensor:
        """What the model is shown, before resizing and padding: look when a prediction is odd."""
        if self.channels is not None:
            images = images[:, self.channels]
        if self.clip is not None:
            images = images.clamp(*self.clip)
        images = images * self._per_channel("scale", images)
        axes = tuple(range(2, images.ndim))
        mean = images.mean(axes, True) if self.mean is None else self._per_channel("mean", images)
        if self.std is None:
            std = images.std(axes, correction=0, keepdim=True).clamp(min=1e-8)
        else:
            std = self._per_channel("std", images)
        return (images - mean) / std

    def _per_channel(self, name: str, images: Tensor) -> Tensor:
        values: Tensor = getattr(self, name).to(images.dtype)
        if values.ndim and len(values) != images.shape[1]:
            raise ValueError(f"{name} has {len(values)} values for {images.shape[1]} channels")
        return values.reshape(-1, *(1,) * (images.ndim - 2))

    def _on_grid(self, fed: Tensor) -> Tensor:
        spatial = fed.shape[2:]
        fitted = resized(fed, self._size_of(spatial))
        around = margins(fitted.shape[2:], self.multiple, self.border)
        given = padded(fitted, around, self.padding)
        scores = self._run(given)
        if not self.border:
            scores = aligned(scores, given.shape[2:])
        return resized(centred(scores, given.shape[2:], around), spatial)

    def _size_of(self, spatial: Sequence[int]) -> Sequence[int]:
        if self.zoom is None:
            return self.size or spatial
        factors = torch.as_tensor(self.zoom, dtype=torch.float64).expand(len(spatial)).tolist()
        return [max(1, round(side * by)) for side, by in zip(spatial, factors, strict=True)]

    def _run(self, images: Tensor) -> Tensor:
        if self.window is None or tuple(images.shape[2:]) == self.window:
            return self._scores(images)
        inferers = needs("monai.inferers", "models")
        blended: Tensor = inferers.sliding_window_inference(
            images, self.window, self._at_once(), self._scores, self.overlap, mode="gaussian"
        )
        return blended

    def _at_once(self) -> int:
        return 1 if uses_batch_statistics(self.model) else AT_ONCE

    def _scores(self, images: Tensor) -> Tensor:
        output = self.model(images)
        scores = scores_in(output if self.output is None else output[self.output])
        if scores is None:
            raise TypeError(f"the model returned {type(output).__name__} without a tensor in it")
        return scores if scores.ndim == images.ndim else scores[:, None]


def _numbers(name: str, value: Any) -> Tensor | None:
    """Numbers as a tensor; None for those of each image."""
    if isinstance(value, str):
        if value == OWN and name != "scale":
            return None
        raise ValueError(f"{name} must be numbers or {OWN!r}, got {value!r}")
    numbers = torch.as_tensor(value, dtype=torch.float32)
    if name == "std" and not numbers.gt(0).all():
        raise ValueError(f"std must be above 0, got {value}")
    return numbers


def _ordered(clip: Sequence[float]) -> tuple[float, float]:
    low, high = (float(value) for value in clip)
    if not low < high:
        raise ValueError(f"clip must be a lower and a higher value, got {tuple(clip)}")
    return low, high
