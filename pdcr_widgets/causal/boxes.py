"""Equal boxes of pixels: reading them from an image and pasting them into it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from pdcr_widgets.causal.moving import sent


def boxes(image: Tensor, starts: np.ndarray, size: Sequence[int]) -> Tensor:
    """Read boxes of one size.

    Parameters
    ----------
    image
        ``(channels, *spatial)``.
    starts
        ``(n, d)`` first pixel of each box. Positions outside the image read its nearest pixel.
    size
        Side on each axis, pixels.

    Returns
    -------
    Tensor
        ``(n, channels, *size)``.
    """
    index: list[Tensor] = []
    for axis, (side, extent) in enumerate(zip(size, image.shape[1:], strict=True)):
        positions = np.clip(starts[:, axis, None] + np.arange(side), 0, extent - 1)
        shape = [len(starts)] + [1] * len(size)
        shape[axis + 1] = side
        index.append(sent(positions.reshape(shape), image.device))
    return image[(slice(None), *index)].movedim(0, 1)  # type: ignore[index]


FORMATS = {4: torch.channels_last, 5: torch.channels_last_3d}


def channels_last(images: Tensor) -> Tensor:
    """Copy of ``(n, channels, *spatial)`` whose channels lie together, as convolutions like it.

    Strides of one channel are ambiguous, and ``contiguous`` would leave them as they are.
    """
    layout = FORMATS.get(images.ndim, torch.contiguous_format)
    return torch.empty_like(images, memory_format=layout).copy_(images)


def pasted(image: Tensor, starts: np.ndarray, content: Tensor) -> Tensor:
    """Copy the image once per box and paste each box into its copy.

    Parameters
    ----------
    image
        ``(channels, *spatial)``.
    starts
        ``(n, d)`` first pixel of each box, inside the image.
    content
        ``(n, channels, *size)``.

    Returns
    -------
    Tensor
        ``(n, channels, *spatial)``.
    """
    copies = image.expand(len(starts), *image.shape).clone()
    for copy, start, block in zip(copies, starts.tolist(), content, strict=True):
        where = tuple(slice(a, a + n) for a, n in zip(start, block.shape[1:], strict=True))
        copy[(slice(None), *where)] = block
    return copies
