"""Plain forward passes: what every other engine must agree with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from pdcr_widgets.causal.arrays import as_whole
from pdcr_widgets.causal.boxes import channels_last, pasted
from pdcr_widgets.causal.memory import is_out_of_memory as is_out_of_memory
from pdcr_widgets.causal.segmenter import Segmenter

CPU_BATCH, DEVICE_BATCH = 4, 128


class Engine(Protocol):
    """Predicts inside a window after interventions on one image."""

    name: str
    reason: str
    batch: int

    def reaches(self, starts: np.ndarray, size: Sequence[int]) -> np.ndarray:
        """Whether each box can change the prediction inside the window, ``(n,)`` booleans."""

    def probabilities(self, starts: np.ndarray, content: Tensor) -> Tensor:
        """Predictions after pasting each box, ``(n, *window)`` in 0..1."""


class FullEngine:
    """One forward pass of the whole image per intervention, in batches.

    Parameters
    ----------
    segmenter
        Resolved segmenter.
    image
        ``(channels, *spatial)`` on the segmenter's device.
    window
        Slices of the spatial axes that are read.
    batch
        Images per forward pass; None takes 4 on a CPU (larger batches are slower there) and 128 on
        an accelerator. Halved for good when memory runs out. Planar images lie channels last on a
        CPU and in half precision, which convolutions like, unless the model cannot read them so.
    reason
        Why plain passes are used, in words.
    """

    name = "full"

    def __init__(
        self,
        segmenter: Segmenter,
        image: Tensor,
        window: tuple[slice, ...],
        batch: int | None = None,
        reason: str = "",
    ) -> None:
        chosen = CPU_BATCH if image.device.type == "cpu" else DEVICE_BATCH
        self.batch = chosen if batch is None else as_whole(batch, "batch", 1)
        self._segmenter, self._image, self._window = segmenter, image, window
        self.reason = reason
        self._may_be_channels_last = image.ndim == 3
        if uses_batch_statistics(segmenter.model):
            self.batch = 1
            self.reason = "normalises over the batch even in evaluation, so one image at a time"

    def reaches(self, starts: np.ndarray, size: Sequence[int]) -> np.ndarray:
        """Every box may reach the window: nothing is known of the model."""
        del size
        return np.ones(len(starts), dtype=bool)

    def probabilities(self, starts: np.ndarray, content: Tensor) -> Tensor:
        """Predictions after pasting each box, ``(n, *window)`` in 0..1."""
        parts: list[Tensor] = []
        done = 0
        while done < len(starts):
            part = slice(done, done + self.batch)
            try:
                parts.append(self._predict(starts[part], content[part]))
            except Exception as error:
                count = len(starts[part])
                if not is_out_of_memory(error) or count == 1:
                    raise
                self.batch = count // 2
            else:
                done = part.stop
        return torch.cat(parts)

    def _predict(self, starts: np.ndarray, content: Tensor) -> Tensor:
        images = pasted(self._image, starts, content)
        kind = images.device.type
        liked = kind == "cpu" or torch.is_autocast_enabled(kind)
        if liked and self._may_be_channels_last:
            try:
                return self._read(channels_last(images))
            except ValueError as error:
                if "view size is not compatible" not in str(error):
                    raise
                self._may_be_channels_last = False
        return self._read(images)

    def _read(self, images: Tensor) -> Tensor:
        inside = self._segmenter(images)[(slice(None), *self._window)]
        return inside.clone(memory_format=torch.contiguous_format)


def uses_batch_statistics(model: object) -> bool:
    """Whether a batch norm without running statistics mixes the images of a batch."""
    return isinstance(model, nn.Module) and any(
        isinstance(m, nn.modules.batchnorm._BatchNorm) and m.running_mean is None
        for m in model.modules()
    )
