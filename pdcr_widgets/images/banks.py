"""Banks of natural patches from study folders, volumes and other cases."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pdcr_widgets.causal import PatchBank
from pdcr_widgets.causal.bank_cutting import others
from pdcr_widgets.images.opened import OpenedImage
from pdcr_widgets.images.opening import open_image, recognise
from pdcr_widgets.images.series import files_of

APART = 20.0  # how many times one range of values may exceed the other's before it is odd
MOST_SLICES = 64


def open_bank(
    source: Any,
    like: OpenedImage | None = None,
    patch_size: int = 8,
    *,
    per_image: int = 40,
    gap: int = 3,
    seed: int = 0,
    keep: Callable[[Tensor], bool] | None = None,
    tolerance: float | None = 0.02,
    **choices: Any,
) -> PatchBank:
    """Make a bank of patches in the units of the files they come from.

    Parameters
    ----------
    source
        A folder of pictures or volumes, or of one DICOM series; the path of one of them, for
        patches of another case; an opened image or volume; or a list of those. Of a volume the
        slices are cut, evenly chosen if there are many. A file of exactly the size of a patch is
        one patch.
    like
        The opened image that the bank is for. Patches need as many channels; of the same volume,
        slices near it are left out.
    patch_size
        Side, pixels.
    per_image
        Patches cut from each picture or slice.
    gap
        Slices on either side of ``like`` that are left out.
    seed
        Of the places.
    keep
        Optional test ``(channels, *patch) -> bool``, for example against empty background.
    tolerance
        Patches that differ less from one before them, as `PatchBank.distinct`, are left out; None
        keeps all.
    **choices
        As for `open_image`, for sources that are paths.

    Returns
    -------
    PatchBank

    Raises
    ------
    ValueError
        Nothing that can be opened, other channels than ``like``, images smaller than a patch.

    Warns
    -----
    UserWarning
        The patches' values are of another size than those of ``like``: other units, probably.
    """
    images = list(_pictures(source, like, gap, choices))
    _check_pictures(images, like, patch_size)
    whole = [image for _, image in images if image.shape[1:] == (patch_size, patch_size)]
    larger = [image for _, image in images if image.shape[1:] != (patch_size, patch_size)]
    if whole and larger:
        raise ValueError(
            f"{len(whole)} images are single patches of {patch_size} pixels and {len(larger)} are "
            "not; one bank holds either"
        )
    if whole:
        bank = PatchBank(torch.stack([as_float(image) for image in whole]))
    else:
        bank = PatchBank.from_images(
            [as_float(image) for image in larger], patch_size, per_image, seed, keep
        )
    if like is not None:
        _compare_units(bank, like)
    return bank if tolerance is None else bank.distinct(tolerance)


def _check_pictures(
    images: Sequence[tuple[str, Any]], like: OpenedImage | None, patch_size: int
) -> None:
    """Refuse pictures of other channels than the image has, or smaller than a patch."""
    for name, image in images:
        told = name or "an image"
        if like is not None and image.shape[0] != like.channels:
            raise ValueError(
                f"the bank's images have {image.shape[0]} channels, the image that it is for has "
                f"{like.channels} ({told}); pick or repeat channels with numpy first"
            )
        if min(image.shape[1:]) < patch_size:
            raise ValueError(
                f"{told} is {image.shape[1]} x {image.shape[2]} pixels, too small for patches of "
                f"{patch_size}"
            )


def _pictures(
    source: Any, like: OpenedImage | None, gap: int, choices: dict[str, Any]
) -> Iterator[tuple[str, Any]]:
    """Name and values ``(channels, rows, columns)`` of every picture in a source."""
    for opened in _opened(source, choices):
        name = str(opened.provenance.get("file", ""))
        if len(opened.spatial) == 2:
            yield name, opened.array
            continue
        place = None if like is None else _place(like, opened)
        if place is None:
            slices: Sequence[Any] = list(np.moveaxis(opened.array, 1, 0))
        else:
            index, axis, flipped = place
            far = others(opened.array, index, axis, gap)
            slices = [np.flip(each.numpy(), flipped) for each in far]
        step = -(-len(slices) // MOST_SLICES)
        for each in slices[step // 2 :: step]:
            yield name, each


def _place(like: OpenedImage, volume: OpenedImage) -> tuple[int, int, tuple[int, ...]] | None:
    """Index, axis and turned axes of a slice in its volume; None for another volume."""
    told = like.provenance
    index, axis = (int(told.get(name, -1)) for name in ("slice", "axis"))
    if axis < 0 or index >= volume.spatial[axis]:
        return None
    there = volume.slice(index, axis, int(told.get("neighbours", 0))).array
    for flipped in ((), (1,), (2,), (1, 2)):
        if np.array_equal(np.flip(there, flipped), like.array):
            return index, axis, flipped
    return None


def _opened(source: Any, choices: dict[str, Any]) -> Iterator[OpenedImage]:
    if isinstance(source, list | tuple):
        for each in source:
            yield from _opened(each, choices)
        return
    if not isinstance(source, str | os.PathLike) or not Path(source).is_dir():
        yield open_image(source, **choices)
        return
    files = [path for path in files_of(Path(source)) if _kind(path)]
    if not files:
        raise ValueError(f"{Path(source).name} holds no images that can be opened")
    if {_kind(path) for path in files} == {"dicom"}:
        yield open_image(source, **choices)
        return
    for path in files:
        yield open_image(path, **choices)


def _kind(path: Path) -> str:
    try:
        return recognise(path)
    except ValueError:
        return ""


def as_float(values: Any) -> Tensor:
    """Values as a tensor of floats."""
    return torch.as_tensor(np.ascontiguousarray(values), dtype=torch.float32)


def _compare_units(bank: PatchBank, like: OpenedImage) -> None:
    mine, theirs = (_size(np.asarray(values)) for values in (bank.patches, like.array))
    if max(mine, theirs) > APART * min(mine, theirs):
        warnings.warn(
            f"the bank's values reach {mine:.3g}, the image's {theirs:.3g}: are they in the same "
            "units?",
            stacklevel=3,
        )


def _size(values: np.ndarray) -> float:
    return float(max(np.percentile(np.abs(values), 99), 1e-9))
