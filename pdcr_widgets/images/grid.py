"""Where pixels are: affines from array index (slice, row, column) to millimetres.

The world is that of NIfTI: x grows to the patient's right, y to the front, z to the head (RAS+).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from typing import Any

import numpy as np

FloatArray = np.ndarray[Any, np.dtype[np.float64]]
LETTERS = ("LR", "PA", "IS")
# Slices towards the head, rows towards the back, columns towards the patient's left: a slice looks
# as radiologists see it.
SEEN = ((2, 1), (1, -1), (0, -1))


def affine_of(
    spacing: Sequence[float],
    directions: np.ndarray | None = None,
    origin: Sequence[float] = (0.0, 0.0, 0.0),
) -> FloatArray:
    """Affine of (slice, row, column) spacing in mm and unit vectors, the columns of a matrix."""
    affine = np.eye(4)
    affine[:3, :3] = (np.eye(3) if directions is None else directions) * np.asarray(spacing)
    affine[:3, 3] = origin
    return affine


def spacing_of(affine: np.ndarray) -> tuple[float, float, float]:
    """Millimetres between neighbours along (slice, row, column)."""
    slices, rows, columns = np.linalg.norm(affine[:3, :3], axis=0).tolist()
    return slices, rows, columns


def orientation_of(affine: np.ndarray) -> str:
    """Where each axis leads: ``"SPL"`` is slices to the head, rows to the back, columns left."""
    return "".join(
        LETTERS[world][int(affine[world, axis] > 0)]
        for axis, world in enumerate(np.abs(affine[:3, :3]).argmax(axis=0))
    )


def reorient(array: np.ndarray, affine: np.ndarray) -> tuple[np.ndarray, FloatArray]:
    """Turn ``(channels, *three axes)`` so that slices are seen as usual; values do not change."""
    directions = np.abs(affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0))

    def agreement(order: tuple[int, ...]) -> float:
        return float(sum(directions[w, a] for (w, _), a in zip(SEEN, order, strict=True)))

    order = max(permutations(range(3)), key=agreement)
    array = array.transpose(0, *(1 + axis for axis in order))
    turned = affine[:, [*order, 3]].astype(np.float64)
    for axis, (world, sign) in enumerate(SEEN):
        if turned[world, axis] * sign < 0:
            array = np.flip(array, 1 + axis)
            turned[:3, 3] += turned[:3, axis] * (array.shape[1 + axis] - 1)
            turned[:3, axis] *= -1
    return array, turned


def is_usable(affine: np.ndarray) -> bool:
    """Whether an affine is finite and flattens no axis."""
    if not np.isfinite(affine).all() or min(spacing_of(affine)) <= 0:
        return False
    directions = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    return bool(abs(np.linalg.det(directions)) > 1e-3)
