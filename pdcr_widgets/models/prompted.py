"""Promptable networks of the SAM family, asked with one fixed prompt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from pdcr_widgets.models.grid import resized

PADDED = ("sam", "sam_hq")
Point = Sequence[float]


class Prompted(nn.Module):
    """A promptable network of transformers with a prompt that never changes.

    The prompt is part of the model, so an effect is that of the image alone. The image is resized
    and padded as the network's own processor does; values are not: `segmenter` takes those from the
    folder of a network, or as options (see `Prepared`).

    Parameters
    ----------
    model
        Module such as ``transformers.SamModel``, ``SamHQModel``, ``Sam2Model`` or ``EdgeTamModel``.
    box
        ``(top, left, height, width)`` around the object, pixels of the image.
    points, outside
        ``(row, column)`` in the object, and in what does not belong to it.

    Raises
    ------
    ValueError
        No prompt, or one of another form.
    """

    clicks: Tensor | None
    kinds: Tensor | None
    corners: Tensor | None

    def __init__(
        self,
        model: nn.Module,
        *,
        box: Sequence[float] | None = None,
        points: Sequence[Point] = (),
        outside: Sequence[Point] = (),
    ) -> None:
        super().__init__()
        clicks = torch.as_tensor([*points, *outside], dtype=torch.float32)
        if box is None and not len(points):
            raise ValueError(
                "a promptable model needs a prompt: box=(top, left, height, width) or "
                "points=[(row, column), ...], in pixels of the image"
            )
        if (len(clicks) and clicks.shape[1:] != (2,)) or (box is not None and len(box) != 4):
            raise ValueError(
                "box must be (top, left, height, width) and points (row, column) each; got "
                f"{box} and {[*points, *outside]}"
            )
        config: Any = model.config
        self.model = model
        self.side = int(config.prompt_encoder_config.image_size)
        self.pads = config.model_type in PADDED
        self.register_buffer("clicks", clicks.reshape(-1, 2).flip(1) if len(clicks) else None)
        kinds = [1] * len(points) + [0] * len(outside)
        self.register_buffer("kinds", torch.tensor(kinds) if kinds else None)
        self.register_buffer("corners", None if box is None else _corners(box))

    def forward(self, images: Tensor) -> Tensor:
        """Logits of the prompted object, ``(batch, 1, height, width)``; grey is taken as colour."""
        if images.shape[1] == 1:
            images = images.expand(-1, 3, -1, -1)
        height, width = images.shape[2:]
        fitted = self._fitted(height, width)
        fed = functional.interpolate(
            images, fitted, mode="bilinear", align_corners=False, antialias=True
        )
        fed = functional.pad(fed, (0, self.side - fitted[1], 0, self.side - fitted[0]))
        scale = images.new_tensor([fitted[1] / width, fitted[0] / height])
        answer = self.model(pixel_values=fed, multimask_output=False, **self._asked(scale, images))
        masks = answer.pred_masks[:, 0, :1]
        if self.pads:
            masks = resized(masks, (self.side, self.side))[..., : fitted[0], : fitted[1]]
        return resized(masks, (height, width))

    def _fitted(self, height: int, width: int) -> tuple[int, int]:
        """Size of the image inside the square that the network takes."""
        if not self.pads:
            return self.side, self.side
        factor = self.side / max(height, width)
        return int(height * factor + 0.5), int(width * factor + 0.5)

    def _asked(self, scale: Tensor, images: Tensor) -> dict[str, Tensor]:
        """The prompt in the network's own pixels, x before y, for every image."""
        count, asked = len(images), {}
        if self.clicks is not None and self.kinds is not None:
            clicks = (self.clicks.to(scale) * scale).expand(count, 1, -1, -1)
            asked = {"input_points": clicks, "input_labels": self.kinds.expand(count, 1, -1)}
        if self.corners is not None:
            asked["input_boxes"] = (self.corners.to(scale) * scale.repeat(2)).expand(count, 1, -1)
        return asked


def _corners(box: Sequence[float]) -> Tensor:
    top, left, height, width = (float(value) for value in box)
    return torch.tensor([left, top, left + width, top + height])
