"""What users hand in, checked once and brought to one form."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral, Real
from os import PathLike
from typing import Any

import numpy as np
import torch
from torch import Tensor

Spatial = tuple[int, ...]


def as_tensor(values: Any, name: str) -> Tensor:
    """Give a plain tensor of ``values``, whatever strides and byte order they have."""
    if isinstance(values, Tensor):
        return values.detach().as_subclass(Tensor)
    if isinstance(values, str | PathLike):
        opener = "open_truth(path, like=image)" if name == "truth" else "open_image(path)"
        raise TypeError(f"{name} is a path; open it first: `pdcr.{opener}`")
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} must be real numbers, got an array of {array.dtype}")
    dtype = array.dtype.newbyteorder("=")
    if dtype.kind == "u" and dtype.itemsize > 1:
        dtype = np.dtype(np.int64)
    elif dtype.kind == "f" and dtype.itemsize > 8:
        dtype = np.dtype(np.float64)
    if any(stride < 0 for stride in array.strides):
        array = array.copy()
    return torch.from_numpy(np.require(array, dtype, ["C", "W"]))


def as_whole(value: Any, name: str, least: int) -> int:
    """Check a whole number of at least ``least``."""
    number = isinstance(value, Integral) or (isinstance(value, Real) and float(value).is_integer())
    if isinstance(value, (bool, np.bool_)) or not number:
        raise TypeError(f"{name} must be a whole number of at least {least}, got {value!r}")
    if value < least:
        raise ValueError(f"{name} must be at least {least}, got {value}")
    return int(value)


def as_image(image: Any, name: str = "image") -> Tensor:
    """Check an image and give it as a contiguous floating point tensor.

    Parameters
    ----------
    image
        ``(channels, *spatial)`` or, for one channel in two dimensions, ``(height, width)``;
        float16, bfloat16, float32 or float64, in the units the model takes. Arrays and
        tensors with any strides are fine.
    name
        What to call it in an error.

    Returns
    -------
    Tensor
        ``(channels, *spatial)``, contiguous, on the device it came from, same dtype.

    Raises
    ------
    TypeError
        Integers or booleans: the scaling to the model's units is not guessed.
    ValueError
        Wrong number of dimensions, an empty axis, NaN or infinite values.
    """
    tensor = as_tensor(image, name)
    if not tensor.is_floating_point():
        raise TypeError(
            f"{name} has dtype {str(tensor.dtype).removeprefix('torch.')}; give floats in the "
            f"units the model takes, for example `image.astype('float32') / 255`"
        )
    if tensor.ndim == 2:
        tensor = tensor[None]
    if not 3 <= tensor.ndim <= 4:
        raise ValueError(
            f"{name} must be (channels, height, width), (height, width) or "
            f"(channels, depth, height, width), got shape {tuple(tensor.shape)}"
        )
    if 0 in tensor.shape:
        raise ValueError(f"{name} has an empty axis: shape {tuple(tensor.shape)}")
    if not bool(torch.isfinite(tensor).all()):
        bad = int((~torch.isfinite(tensor)).sum())
        raise ValueError(
            f"{name} has {bad} NaN or infinite values; replace them first, "
            f"for example with `numpy.nan_to_num`"
        )
    return tensor.contiguous()


def grid_of(image: Any) -> dict[str, Any] | None:
    """Where the pixels of an opened image are, as JSON can hold it; None for plain arrays."""
    affine = getattr(image, "affine", None)
    if affine is None or not hasattr(image, "oriented"):
        return None
    return {"affine": np.asarray(affine, float).tolist(), "oriented": bool(image.oriented)}


def as_region(region: Any, spatial: Sequence[int]) -> np.ndarray:
    """Check a target region and give it as a boolean array of the image's spatial shape.

    Parameters
    ----------
    region
        Boolean (or 0/1) array of shape ``spatial``, or a box: ``(top, left, height, width)`` in
        pixels for two dimensions, ``(z, y, x, depth, height, width)`` for three.
    spatial
        Spatial shape of the image, pixels.

    Raises
    ------
    ValueError
        An empty region, a region of the whole image (no patch is left to intervene on), a box that
        leaves the image, a wrong shape.
    """
    spatial = tuple(int(n) for n in spatial)
    values = as_tensor(region, "region").cpu().numpy()
    if values.ndim == 1 and values.size == 2 * len(spatial) and values.dtype != bool:
        mask = _box(values, spatial)
    elif values.shape == spatial:
        if values.dtype != bool and not np.isin(values, (0, 1)).all():
            raise ValueError(
                f"region must be boolean, got {values.dtype} values between {values.min()} and "
                f"{values.max()}; compare first, for example `labels == 1`"
            )
        mask = values.astype(bool)
    else:
        raise ValueError(
            f"region has shape {values.shape}, the image is {spatial}; give a boolean array of "
            f"that shape or a box {_box_form(spatial)}"
        )
    if not mask.any():
        raise ValueError("region is empty; it needs at least one pixel")
    if mask.all():
        raise ValueError(
            f"region covers the whole {_times(spatial)} image, so no patch is left outside it; "
            f"use a smaller region"
        )
    return mask


def _box(values: np.ndarray, spatial: Spatial) -> np.ndarray:
    starts, sizes = values[: len(spatial)], values[len(spatial) :]
    inside = (starts >= 0) & (sizes >= 1) & (starts + sizes <= spatial)
    if not (inside.all() and np.array_equal(values, np.trunc(values))):
        raise ValueError(
            f"box {tuple(values.tolist())} leaves the {_times(spatial)} image or is empty; "
            f"give whole pixels {_box_form(spatial)} inside it"
        )
    mask = np.zeros(spatial, dtype=bool)
    mask[tuple(slice(int(a), int(a + n)) for a, n in zip(starts, sizes, strict=True))] = True
    return mask


def as_truth(
    truth: Any, spatial: Sequence[int], target: int | None = None, classes: int | None = None
) -> np.ndarray | None:
    """Check a ground truth and give it as a boolean array of its own, or None.

    Parameters
    ----------
    truth
        None, a boolean or 0/1 mask, or an integer label map of shape ``spatial`` (a leading axis of
        length 1 is dropped). A label map is compared with ``target``. Values of 0 and 1 alone are
        taken as the target's mask where that and labels mean the same, and refused otherwise.
    spatial
        Spatial shape of the image, pixels.
    target
        Class index that a label map is compared with.
    classes
        Number of classes of the model; None where it is not known.

    Raises
    ------
    ValueError
        A wrong shape, or values that are neither a mask nor labels of the model's classes.
    """
    if truth is None:
        return None
    values = as_tensor(truth, "truth").cpu().numpy()
    spatial = tuple(int(n) for n in spatial)
    if values.ndim == len(spatial) + 1 and values.shape[0] == 1:
        values = values[0]
    if values.shape != spatial:
        raise ValueError(f"truth has shape {values.shape}, the image is {spatial}; they must agree")
    if values.dtype == bool:
        return values.copy()
    several = bool(target) if classes is None else classes > 1
    if np.isin(values, (0, 1)).all():
        if several and target != 1 and (target == 0 or values.any()):
            raise ValueError(
                f"truth has values 0 and 1 only, which may be a mask of class {target} or labels; "
                f"give a boolean array: `truth == {target}` for labels, `truth == 1` for a mask"
            )
        return np.asarray(values == 1)
    largest = np.inf if classes is None else classes - 1
    labels = several and np.array_equal(values, np.rint(values))
    if not labels or values.min() < 0 or values.max() > largest:
        known = f"0..{classes - 1}" if classes is not None and several else "of the model"
        raise ValueError(
            f"truth must be a boolean mask or class labels {known}, got {values.dtype} values "
            f"between {values.min()} and {values.max()}; compare first, for example `truth > 0`"
        )
    return np.asarray(values == target)


def bounding_box(mask: np.ndarray) -> tuple[slice, ...]:
    """Smallest box of slices around the true pixels of ``mask``."""
    box = []
    for axis in range(mask.ndim):
        others = tuple(a for a in range(mask.ndim) if a != axis)
        hits = np.flatnonzero(mask.any(axis=others))
        box.append(slice(int(hits[0]), int(hits[-1]) + 1))
    return tuple(box)


def _box_form(spatial: Spatial) -> str:
    if len(spatial) == 2:
        return "(top, left, height, width)"
    return "(z, y, x, depth, height, width)"


def _times(shape: Sequence[int]) -> str:
    return " x ".join(str(n) for n in shape)
