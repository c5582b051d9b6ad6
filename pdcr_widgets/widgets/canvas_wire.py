"""Arrays as the browser gets them: a dictionary of numbers and raw bytes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from torch import Tensor

Wire = dict[str, Any]
Windows = list[tuple[float, float]]

MOST_LOOKED_AT = 1_000_000

ROUNDING = 1e-3
"""How far half precision may take a probability out of 0..1."""

QUANTILES = (0.005, 0.995)
"""Shares of pixels that the suggested window leaves darker and brighter."""


def as_picture(image: Any) -> np.ndarray:
    """Check a picture and give it as ``(channels, height, width)``.

    Parameters
    ----------
    image
        Array or tensor of numbers: ``(height, width)``, ``(channels, height, width)`` or
        ``(height, width, 3)``. NaN is allowed and shown as such.

    Raises
    ------
    TypeError
        Not numbers.
    ValueError
        Another number of dimensions, or an empty axis.
    """
    array = image.detach().cpu().numpy() if isinstance(image, Tensor) else np.asarray(image)
    if array.dtype.kind not in "buif":
        raise TypeError(f"image must be real numbers, got an array of {array.dtype}")
    if array.ndim == 2:
        array = array[None]
    if array.ndim == 3 and array.shape[-1] == 3 and array.shape[0] > 4:
        array = np.moveaxis(array, -1, 0)
    if array.ndim != 3 or 0 in array.shape:
        raise ValueError(
            "image must be (height, width), (channels, height, width) or (height, width, 3), "
            f"got shape {tuple(np.shape(image))}; give one slice of a volume, for example "
            "`volume[:, :, k]`"
        )
    return array


def as_mask(mask: Any, shape: tuple[int, int], name: str = "region") -> np.ndarray:
    """Check a mask and give it as a boolean array of its own.

    Parameters
    ----------
    mask
        Boolean array (or zeros and ones) of the picture's shape, or a box
        ``(top, left, height, width)`` in pixels.
    shape
        Height and width of the picture.
    name
        What to call it in an error.

    Raises
    ------
    ValueError
        Another shape, other values, or a box that leaves the picture.
    """
    if isinstance(mask, tuple) and len(mask) == 4 and all(np.ndim(side) == 0 for side in mask):
        return _box(mask, shape, name)
    array = mask.detach().cpu().numpy() if isinstance(mask, Tensor) else np.asarray(mask)
    if array.shape != shape:
        raise ValueError(
            f"{name} must have the shape of the image, {shape}, got {array.shape}; give a boolean "
            "array, or a box (top, left, height, width)"
        )
    if array.dtype != bool and not np.isin(array, (0, 1)).all():
        raise ValueError(
            f"{name} must be boolean, got {array.dtype} values from {array.min()} to "
            f"{array.max()}; compare it with a threshold first, for example `{name} > 0.5`"
        )
    return array.astype(bool)


def as_probability(values: Any, shape: tuple[int, int]) -> np.ndarray:
    """Check probabilities and give them as float32.

    Raises
    ------
    ValueError
        Another shape, or values outside 0..1.
    """
    array = values.detach().cpu().numpy() if isinstance(values, Tensor) else np.asarray(values)
    if array.shape != shape:
        raise ValueError(f"probability must have the image's shape, {shape}, got {array.shape}")
    if not (array.min() >= -ROUNDING and array.max() <= 1 + ROUNDING):
        raise ValueError(f"probability must be in 0..1, got {array.min()} to {array.max()}")
    return np.clip(array, 0, 1).astype(np.float32)


def _box(box: tuple[Any, ...], shape: tuple[int, int], name: str) -> np.ndarray:
    top, left, height, width = (int(side) for side in box)
    if min(top, left) < 0 or min(height, width) < 1:
        raise ValueError(f"{name} needs top, left >= 0 and height, width >= 1, got {box}")
    if top + height > shape[0] or left + width > shape[1]:
        raise ValueError(f"{name} {box} (top, left, height, width) leaves the {shape} image")
    mask = np.zeros(shape, bool)
    mask[top : top + height, left : left + width] = True
    return mask


def image_to_wire(picture: np.ndarray, identity: int, windows: Windows | None = None) -> Wire:
    """Pack a picture: whole numbers exactly in 8 or 16 bits, everything else as float32.

    `windows` are the suggested ones, one per channel; the picture's own when not given.
    """
    low, high = float(picture.min()), float(picture.max())
    whole = picture.dtype.kind in "bui" or bool((picture == np.rint(picture)).all())
    offset = 0.0
    if whole and high - low <= 65535:
        offset = low
        values = (picture - low).astype(np.uint8 if high - low <= 255 else np.uint16)
    else:
        values = picture.astype(np.float32)
    windows = windows or [suggested_window(channel) for channel in picture]
    return {
        "id": identity,
        "shape": list(picture.shape),
        "dtype": str(values.dtype),
        "offset": offset,
        "lo": [window[0] for window in windows],
        "hi": [window[1] for window in windows],
        "data": np.ascontiguousarray(values).tobytes(),
    }


def suggested_window(channel: np.ndarray) -> tuple[float, float]:
    """Intensities shown as black and as white: quantiles, or the extremes where those agree.

    Of a large slice or volume a part of the pixels is looked at, evenly spread.
    """
    step = max(1, math.ceil((channel.size / MOST_LOOKED_AT) ** (1 / channel.ndim)))
    looked_at = channel[(slice(None, None, step),) * channel.ndim]
    finite = looked_at[np.isfinite(looked_at)]
    if not finite.size:
        return 0.0, 1.0
    low, high = (float(value) for value in np.quantile(finite.astype(float), QUANTILES))
    if high <= low:
        low, high = float(finite.min()), float(finite.max())
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def mask_to_wire(mask: np.ndarray | None, _owner: object = None) -> Wire | None:
    """Pack a mask as bits, first pixel in the highest bit."""
    if mask is None:
        return None
    return {"shape": list(mask.shape), "data": np.packbits(mask).tobytes()}


def probability_to_wire(values: np.ndarray | None, _owner: object = None) -> Wire | None:
    """Pack probabilities into 16 bits each."""
    if values is None:
        return None
    return {"shape": list(values.shape), "data": np.rint(values * 65535).astype("<u2").tobytes()}


def mask_from_wire(wire: Wire) -> np.ndarray:
    """Unpack a mask.

    Raises
    ------
    ValueError
        The bytes do not fill the shape.
    """
    height, width = (int(side) for side in wire["shape"])
    packed = np.frombuffer(wire["data"], dtype=np.uint8)
    if len(packed) != -(-height * width // 8):
        raise ValueError(f"{height} x {width} bits do not fit {len(packed)} bytes")
    bits = np.unpackbits(packed, count=height * width)
    return bits.reshape(height, width).astype(bool)


def effect_to_wire(ate: Any, identity: int, generation: int) -> Wire:
    """Pack an :class:`~pdcr_widgets.ATEMap`."""
    return {
        "id": identity,
        "generation": int(generation),
        "shape": list(ate.effect.shape),
        "patch_size": int(ate.patch_size),
        "limit": nice_limit(ate.effect),
        "effect": _bytes(ate.effect, np.float32),
        "stderr": _bytes(ate.stderr, np.float32),
        "samples": _bytes(ate.samples, np.int32),
        "significant": _bytes(ate.significant, np.uint8),
    }


def nice_limit(effect: np.ndarray) -> float:
    """Give the smallest of 1, 2, 5 x 10^n points that holds every effect, 0.1 at least."""
    finite = np.abs(effect[np.isfinite(effect)])
    largest = float(finite.max()) if finite.size else 0.0
    for power in range(-1, 3):
        for step in (1, 2, 5):
            if step * 10.0**power >= largest:
                return float(f"{step}e{power}")
    return 100.0


def _bytes(values: np.ndarray, dtype: Any) -> bytes:
    return np.ascontiguousarray(values, dtype=dtype).tobytes()
