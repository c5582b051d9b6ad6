"""What a model needs before its input and after its output, declared once and undone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from pdcr_widgets.causal.needs import needs
from pdcr_widgets.causal.scores import first_tensor

Number = float | Sequence[float]
SMOOTH = {1: "linear", 2: "bilinear", 3: "trilinear"}


class Prepared(nn.Module):
    """A model together with its preprocessing, from the image's own grid back to it.

    Regions, patches and maps stay on the grid and in the units of the image; the model sees what it
    was trained on. In this order: channels are picked, values become
    ``(scale * value - mean) / std``, the image is resized, then padded; the scores are cropped and
    resized back. A head of lower resolution is brought up to its input.

    Parameters
    ----------
    model
        Module or callable that returns scores, or a dict or list that starts with them.
    channels
        Which channels of the image the model takes, in its order: ``(2, 1, 0)`` turns RGB to BGR,
        ``(0, 0, 0)`` repeats grey.
    scale, mean, std
        Numbers, or one per channel: ``scale=1 / 255`` for bytes. Fixed numbers, not those of each
        image: an intervention on one patch must not change all others.
    size
        Spatial shape that the model takes, to which the image is resized.
    multiple
        Sides are padded up to a multiple of this number, such as 32 for a U-Net of five levels.
    padding
        ``"reflect"``, ``"replicate"`` or ``"constant"`` (zeros).
    window
        Spatial shape of the windows the model was trained on; a larger image is covered by
        overlapping windows whose scores are blended (needs MONAI).
    overlap
        Share of a window that overlaps the next, 0 to 1.

    Raises
    ------
    ValueError
        A number that cannot be: ``std`` of 0, ``multiple`` below 1, an unknown padding.
    """

    def __init__(
        self,
        model: Any,
        *,
        channels: Sequence[int] | None = None,
        scale: Number = 1.0,
        mean: Number = 0.0,
        std: Number = 1.0,
        size: Sequence[int] | None = None,
        multiple: int = 1,
        padding: str = "reflect",
        window: Sequence[int] | None = None,
        overlap: float = 0.5,
    ) -> None:
        super().__init__()
        if padding not in ("reflect", "replicate", "constant"):
            raise ValueError(
                f"padding must be 'reflect', 'replicate' or 'constant', got {padding!r}"
            )
        if multiple < 1:
            raise ValueError(f"multiple must be at least 1, got {multiple}")
        if not torch.as_tensor(std).gt(0).all():
            raise ValueError(f"std must be above 0, got {std}")
        self.model = model
        self.channels = None if channels is None else list(channels)
        self.register_buffer("scale", torch.as_tensor(scale, dtype=torch.float32))
        self.register_buffer("mean", torch.as_tensor(mean, dtype=torch.float32))
        self.register_buffer("std", torch.as_tensor(std, dtype=torch.float32))
        self.size = None if size is None else tuple(size)
        self.multiple, self.padding = multiple, padding
        self.window = None if window is None else tuple(window)
        self.overlap = overlap

    def forward(self, images: Tensor) -> Tensor:
        """Scores of images ``(batch, channels, *spatial)`` on their own grid."""
        fed = self.feed(images)
        margins = self._margins(fed.shape[2:])
        padded = functional.pad(fed, margins, mode=self.padding) if any(margins) else fed
        scores = _resized(self._run(padded), padded.shape[2:])
        before = margins[::2][::-1]
        for axis, (start, side) in enumerate(zip(before, fed.shape[2:], strict=True)):
            scores = scores.narrow(2 + axis, start, side)
        return _resized(scores, images.shape[2:])

    def feed(self, images: Tensor) -> Tensor:
        """What the model is shown, before padding: look at it when a prediction is odd."""
        if self.channels is not None:
            images = images[:, self.channels]
        scale, mean, std = (self._per_channel(name, images) for name in ("scale", "mean", "std"))
        fed = (images * scale - mean) / std
        return fed if self.size is None else _resized(fed, self.size)

    def _per_channel(self, name: str, images: Tensor) -> Tensor:
        values: Tensor = getattr(self, name).to(images.dtype)
        if values.ndim and len(values) != images.shape[1]:
            raise ValueError(f"{name} has {len(values)} values for {images.shape[1]} channels")
        return values.reshape(-1, *(1,) * (images.ndim - 2))

    def _margins(self, sides: Sequence[int]) -> list[int]:
        """Padding in torch's order: last axis first, before and after."""
        missing = [-side % self.multiple for side in sides]
        return [part for more in reversed(missing) for part in (more // 2, more - more // 2)]

    def _run(self, images: Tensor) -> Tensor:
        larger = self.window and any(
            side > limit for side, limit in zip(images.shape[2:], self.window, strict=True)
        )
        if not larger:
            return self._scores(images)
        inferers = needs("monai.inferers", "models")
        blended: Tensor = inferers.sliding_window_inference(
            images, self.window, 4, self._scores, overlap=self.overlap, mode="gaussian"
        )
        return blended

    def _scores(self, images: Tensor) -> Tensor:
        output = self.model(images)
        scores = first_tensor(output)
        if scores is None:
            raise TypeError(f"the model returned {type(output).__name__} without a tensor in it")
        return scores if scores.ndim == images.ndim else scores[:, None]


def _resized(values: Tensor, spatial: Sequence[int]) -> Tensor:
    if tuple(values.shape[2:]) == tuple(spatial):
        return values
    mode = SMOOTH[values.ndim - 2]
    return functional.interpolate(values, tuple(spatial), mode=mode, align_corners=False)
