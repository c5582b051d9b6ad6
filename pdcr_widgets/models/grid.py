"""From the image's grid to the one a model was trained on, and back."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional

SMOOTH = {1: "linear", 2: "bilinear", 3: "trilinear"}
COARSEST = 64
Model = Callable[[Tensor], Tensor]


def resized(values: Tensor, spatial: Sequence[int]) -> Tensor:
    """Interpolate ``(batch, channels, *spatial)`` smoothly to another size."""
    if tuple(values.shape[2:]) == tuple(spatial):
        return values
    mode = SMOOTH[values.ndim - 2]
    return functional.interpolate(values, tuple(spatial), mode=mode, align_corners=False)


def margins(sides: Sequence[int], multiple: int, border: int) -> list[tuple[int, int]]:
    """Pixels before and after each axis: a border, and what is missing to a multiple."""
    missing = [-(side + 2 * border) % multiple for side in sides]
    return [(border + more // 2, border + more - more // 2) for more in missing]


def padded(values: Tensor, around: Sequence[tuple[int, int]], mode: str) -> Tensor:
    """Pad each spatial axis; an image too small to be mirrored has its edge repeated."""
    if not any(before or after for before, after in around):
        return values
    fits = all(max(pair) < side for pair, side in zip(around, values.shape[2:], strict=True))
    flat = [pixels for pair in reversed(around) for pixels in pair]
    return functional.pad(values, flat, mode=mode if fits or mode == "constant" else "replicate")


def aligned(scores: Tensor, spatial: Sequence[int]) -> Tensor:
    """Bring scores to the size of what the model was fed.

    A head of lower or higher resolution is interpolated. The loss of unpadded convolutions is not:
    that would shift every pixel.

    Raises
    ------
    ValueError
        Scores whose size is no whole fraction or multiple of the input's.
    """
    found, fed = tuple(scores.shape[2:]), tuple(spatial)
    if covers(found, fed):
        return resized(scores, fed)
    lost = max(-(-(side - out) // 2) for out, side in zip(found, fed, strict=True))
    raise ValueError(
        f"the model returned scores of {found} for an input of {fed}, which is neither its size "
        f"nor a whole fraction of it. If its convolutions are not padded, say "
        f"Prepared(..., border={max(lost, 1)})"
    )


def covers(found: Sequence[int], fed: Sequence[int]) -> bool:
    """Whether a size is a whole fraction or multiple of the input's."""
    pairs = list(zip(found, fed, strict=True))
    return any(
        all(out in (side // factor, -(-side // factor)) for out, side in pairs)
        or all(out == side * factor for out, side in pairs)
        for factor in range(1, COARSEST + 1)
    )


def centred(scores: Tensor, fed: Sequence[int], around: Sequence[tuple[int, int]]) -> Tensor:
    """Take the image's own pixels out of scores that lie in the middle of what was fed.

    Raises
    ------
    ValueError
        The scores do not cover the image.
    """
    lost = [(side - out) / 2 for out, side in zip(scores.shape[2:], fed, strict=True)]
    if any(less > min(pair) or less % 1 for less, pair in zip(lost, around, strict=True)):
        raise ValueError(
            f"the model returned scores of {tuple(scores.shape[2:])} for an input of {tuple(fed)}: "
            f"it loses {max(lost):g} pixels on a side, so border must be at least that"
        )
    for axis, ((before, after), less) in enumerate(zip(around, lost, strict=True)):
        side = fed[axis] - before - after
        scores = scores.narrow(2 + axis, before - int(less), side)
    return scores


def by_slice(model: Model, volumes: Tensor, neighbours: int, at_once: int) -> Tensor:
    """Run a model of slices on volumes; neighbouring slices are channels, outermost ones repeat.

    Parameters
    ----------
    model
        ``(batch, (2 * neighbours + 1) * channels, rows, columns)`` to scores of the middle slices.
    volumes
        ``(batch, channels, slices, rows, columns)``.
    neighbours
        Slices before and after.
    at_once
        Slices per pass.
    """
    batch, channels, slices = volumes.shape[:3]
    reach = 2 * neighbours + 1
    ends = functional.pad(volumes, (0, 0, 0, 0, neighbours, neighbours), mode="replicate")
    windows = ends.unfold(2, reach, 1).permute(0, 2, 5, 1, 3, 4)
    planes = windows.reshape(batch * slices, reach * channels, *volumes.shape[3:])
    scores = torch.cat([model(part) for part in planes.split(at_once)])
    return scores.unflatten(0, (batch, slices)).movedim(1, 2)
