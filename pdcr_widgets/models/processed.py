"""Images as an image processor of transformers prepares them, and the way back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from pdcr_widgets.causal.scores import scores_in
from pdcr_widgets.models.grid import aligned, covers, resized
from pdcr_widgets.models.prepared import NOTES
from pdcr_widgets.models.queries import MaskQueries

MODES = {0: "nearest-exact", 2: "bilinear", 3: "bicubic"}
"""Filters by the numbers that Pillow gives them."""
BYTE = 255.0
LEVELS = 2.0  # of 255: what a processor may round away
Size = tuple[int, int]


class Processed(nn.Module):
    """A network behind its image processor: resizing, centre crop, channel order and values.

    The same is done on tensors, in any floating point type and on any device, and the scores come
    back to the image's grid. What the centre crop leaves out has the scores of its nearest pixel
    inside. For every new size of image one picture is given to the processor itself; where it does
    something else, the image is refused.

    Parameters
    ----------
    model
        ``(batch, channels, height, width)`` to scores.
    processor
        Image processor of transformers.
    """

    def __init__(self, model: nn.Module, processor: Any) -> None:
        super().__init__()
        self.model, self.processor = model, processor
        said = processor.to_dict()
        self.mode = MODES.get(int(said.get("resample") or 0), "bilinear")
        self.crop = _pair(said.get("crop_size")) if said.get("do_center_crop") else None
        self.flips = bool(said.get("do_flip_channel_order"))
        self.scale, self.mean, self.std = values_of(said)
        self.colours = bool(said.get("do_convert_rgb")) or len(self.mean) == 3
        self._known: dict[Size, Size] = {}
        setattr(self, NOTES, _notes(said))

    def forward(self, images: Tensor) -> Tensor:
        """Scores of images ``(batch, channels, height, width)`` on their own grid."""
        height, width = images.shape[2:]
        fed = self.feed(images)
        if isinstance(self.model, MaskQueries) and self.crop is None:
            queried: Tensor = self.model(fed, (height, width))
            return queried
        scores = scores_in(self.model(fed))
        if scores is None:
            raise TypeError("the network returned no tensor")
        if self.crop is None and covers(scores.shape[2:], fed.shape[2:]):
            return resized(scores, (height, width))
        whole = aligned(scores, fed.shape[2:])
        if self.crop is not None:
            whole = _uncropped(whole, self._known[height, width])
        return resized(whole, (height, width))

    def feed(self, images: Tensor) -> Tensor:
        """What the network is shown.

        Raises
        ------
        ValueError
            The processor does something that is not known here.
        """
        spatial = (int(images.shape[2]), int(images.shape[3]))
        if spatial not in self._known:
            self._known[spatial] = self._size_of(spatial)
            self._check(spatial)
        return self._done(images, self._known[spatial])

    def _done(self, images: Tensor, size: Size) -> Tensor:
        if images.shape[1] == 1 and self.colours:
            images = images.expand(-1, 3, -1, -1)
        if tuple(images.shape[2:]) != size:
            images = self._resized(images, size)
        if self.crop is not None:
            images = _cropped(images, self.crop)
        if self.flips:
            images = images.flip(1)
        mean, std = (images.new_tensor(v).reshape(-1, 1, 1) for v in (self.mean, self.std))
        return (images * self.scale - mean) / std

    def _resized(self, images: Tensor, size: Size) -> Tensor:
        if self.mode == "nearest-exact":
            return functional.interpolate(images, size, mode=self.mode)
        done = functional.interpolate(
            images, size, mode=self.mode, align_corners=False, antialias=True
        )
        low, high = images.amin().clamp(max=0.0), images.amax().clamp(min=BYTE)
        return done.clamp(low, high)

    def _size_of(self, spatial: Size) -> Size:
        """Size to which the processor resizes, before it crops."""
        shown = np.zeros((*spatial, 3), np.uint8)
        done = self._ask(shown, do_center_crop=False)
        return int(done.shape[-2]), int(done.shape[-1])

    def _ask(self, picture: np.ndarray, **how: Any) -> Tensor:
        values = self.processor(images=picture, return_tensors="pt", **how)["pixel_values"]
        return values[0] if isinstance(values, list) else values

    def _check(self, spatial: Size) -> None:
        """Compare with the processor itself on one picture."""
        rows, columns = (np.linspace(0, 6, side) for side in spatial)
        waves = np.sin(rows[:, None, None] + [0.0, 1.0, 2.0]) * np.cos(columns)[:, None]
        picture = np.rint(127.5 + 120 * waves).astype(np.uint8)
        expected = self._ask(picture).squeeze(0)
        given = torch.from_numpy(picture).movedim(-1, 0)[None].float()
        found = self._done(given, self._known[spatial])[0]
        most = LEVELS * self.scale / min(self.std)
        if found.shape == expected.shape and bool((found - expected).abs().max() <= most):
            return
        del self._known[spatial]
        raise ValueError(
            f"{type(self.processor).__name__} brings an image of {spatial} to "
            f"{tuple(expected.shape)} in a way that is not known here (resizing, centre crop, "
            "channel order and values are); give an image for which it does nothing else, or the "
            "network itself with what it needs: pdcr.segmenter(network, scale=..., mean=..., ...)"
        )


def values_of(said: Mapping[str, Any]) -> tuple[float, list[float], list[float]]:
    """Factor, mean and standard deviation that a processor's settings apply; 1, 0 and 1 if none."""
    known = "rescale_factor" in said
    scale = float(said.get("rescale_factor", 1 / BYTE)) if said.get("do_rescale", known) else 1.0
    if not said.get("do_normalize") or said.get("image_mean") is None:
        return scale, [0.0], [1.0]
    mean, std = (np.atleast_1d(said[name]).tolist() for name in ("image_mean", "image_std"))
    return scale, mean, std


def _pair(size: Any) -> Size | None:
    if size is None or size.get("height") is None:
        return None
    return int(size["height"]), int(size["width"])


def _around(side: int, wanted: int) -> tuple[int, int]:
    """Pixels to add before and after an axis; what is cut off is negative."""
    if wanted > side:
        return (wanted - side) // 2, (wanted - side + 1) // 2
    before = (side - wanted) // 2
    return -before, wanted - side + before


def _margins(spatial: Sequence[int], wanted: Sequence[int]) -> list[int]:
    pairs = [_around(side, to) for side, to in zip(spatial, wanted, strict=True)]
    return [*pairs[1], *pairs[0]]


def _cropped(images: Tensor, size: Size) -> Tensor:
    """Take the middle; what is smaller is surrounded by zeros."""
    return functional.pad(images, _margins(images.shape[2:], size))


def _uncropped(scores: Tensor, size: Size) -> Tensor:
    """Put the middle back into the whole."""
    back = [-more for more in _margins(size, scores.shape[2:])]
    inside = functional.pad(scores, [min(more, 0) for more in back])
    return functional.pad(inside, [max(more, 0) for more in back], mode="replicate")


def _notes(said: Mapping[str, Any]) -> list[str]:
    """What the processor does, for people to read."""
    size = {name: value for name, value in dict(said.get("size") or {}).items() if value}
    scale, mean, std = values_of(said)
    told = {
        "resized to "
        + " and ".join(f"{n.replace('_', ' ')} {v}" for n, v in size.items()): said.get(
            "do_resize"
        ),
        f"centre crop of {_pair(said.get('crop_size'))}, nothing outside it is seen": said.get(
            "do_center_crop"
        ),
        "channels in reverse order": said.get("do_flip_channel_order"),
        f"values times {scale:.4g}": scale != 1,
        f"minus {_words(mean)} over {_words(std)}": said.get("do_normalize"),
    }
    return [f"as its {said.get('image_processor_type', 'image processor')}"] + [
        words for words, done in told.items() if done
    ]


def _words(numbers: Sequence[float]) -> str:
    return ", ".join(f"{number:.3g}" for number in numbers)
