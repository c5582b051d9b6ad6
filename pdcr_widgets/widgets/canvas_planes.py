"""Axial, coronal and sagittal slices of a volume, turned as radiologists look at them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

PLANES = {"axial": "SPL", "coronal": "AIL", "sagittal": "LIP"}
"""Where slices, rows (downwards) and columns (to the right) of a picture lead."""

OPPOSITE = {"L": "R", "R": "L", "P": "A", "A": "P", "S": "I", "I": "S"}


@dataclass(frozen=True)
class Plane:
    """How slices of one plane are cut from volumes of one orientation.

    Parameters
    ----------
    axes
        Axes of the volume that are slices, rows and columns of the picture.
    flips
        Whether rows and columns run against those axes.
    letters
        Directions at the top, bottom, left and right of the picture.
    """

    axes: tuple[int, int, int]
    flips: tuple[bool, bool]
    letters: tuple[str, str, str, str]

    def take(self, volume: np.ndarray, index: int) -> np.ndarray:
        """Give ``(..., rows, columns)`` of a ``(..., three axes)`` volume; a view, not a copy."""
        return self._turned(volume)[..., index, :, :]

    def put(self, volume: np.ndarray, index: int, picture: np.ndarray) -> None:
        """Write a picture into its place in a volume."""
        self._turned(volume)[..., index, :, :] = picture

    def affine(self, affine: np.ndarray, shape: Sequence[int], index: int) -> np.ndarray:
        """Where a picture lies: ``(4, 4)`` from (slice, row, column) of it to millimetres.

        Parameters
        ----------
        affine
            The same for the volume, from its own index.
        shape
            Of the volume.
        index
            The slice that the picture is.
        """
        turned = np.array(affine, dtype=float)[:, [*self.axes, 3]]
        for place, flip in enumerate(self.flips, start=1):
            if flip:
                turned[:3, 3] += turned[:3, place] * (shape[self.axes[place]] - 1)
                turned[:3, place] *= -1
        turned[:3, 3] += turned[:3, 0] * index
        return turned

    def _turned(self, volume: np.ndarray) -> np.ndarray:
        ahead = volume.ndim - 3
        order = (*range(ahead), *(ahead + axis for axis in self.axes))
        rows, columns = (slice(None, None, -1 if flip else 1) for flip in self.flips)
        return volume.transpose(order)[..., rows, columns]


def plane_of(name: str, orientation: str) -> Plane:
    """Find how to cut a plane.

    Parameters
    ----------
    name
        ``"axial"``, ``"coronal"`` or ``"sagittal"``.
    orientation
        Where the three axes of the volume lead, such as ``"SPL"`` (slices to the head, rows to the
        back, columns to the patient's left).

    Raises
    ------
    ValueError
        The letters do not name three axes.
    """
    wanted = PLANES[name]
    axes, flips = [], []
    for letter in wanted:
        found = [i for i, given in enumerate(orientation) if given in (letter, OPPOSITE[letter])]
        if len(found) != 1 or len(orientation) != 3:
            raise ValueError(
                f"orientation must name three axes with one letter each of L/R, A/P and I/S, such "
                f"as 'SPL', got {orientation!r}"
            )
        axes.append(found[0])
        flips.append(orientation[found[0]] != letter)
    down, right = wanted[1], wanted[2]
    letters = (OPPOSITE[down], down, OPPOSITE[right], right)
    return Plane((axes[0], axes[1], axes[2]), (flips[1], flips[2]), letters)
