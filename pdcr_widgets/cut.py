"""How a picture was cut out of a volume, as arrays and as Python."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class Cut:
    """A slice of a volume, turned as radiologists look at it.

    Parameters
    ----------
    values
        The volume, ``(channels, three axes)``.
    truth
        Its truth, a mask or labels of the three axes, or None.
    plane
        ``"axial"``, ``"coronal"`` or ``"sagittal"``.
    index
        Position along the first of `axes`.
    axes
        Axes of the volume that are slices, rows and columns of the picture.
    flips
        Whether rows and columns run against those axes.
    """

    values: np.ndarray
    truth: Any
    plane: str
    index: int
    axes: tuple[int, int, int]
    flips: tuple[bool, bool]

    def take(self, values: Any) -> np.ndarray:
        """Cut ``(..., rows, columns)`` out of ``(..., three axes)``."""
        array = np.asarray(values)
        turned = array.transpose(self._order(array.ndim))
        rows, columns = (slice(None, None, -1 if flip else 1) for flip in self.flips)
        return np.ascontiguousarray(turned[..., self.index, rows, columns])

    def is_of(self, image: Any) -> bool:
        """Whether this is how an image ``(channels, rows, columns)`` came about."""
        return np.array_equal(self.take(self.values), np.asarray(image))

    def code(self, name: str, axes: int) -> str:
        """Python that does what `take` does with an array of so many axes, 3 or 4."""
        order = self._order(axes)
        turned = f".transpose{order}" if order != tuple(range(axes)) else ""
        rest = ["::-1" if flip else ":" for flip in self.flips]
        while rest and rest[-1] == ":":
            rest.pop()
        where = ", ".join([":"] * (axes - 3) + [str(self.index), *rest])
        return f"{name}{turned}[{where}]"

    def _order(self, axes: int) -> tuple[int, ...]:
        ahead = axes - 3
        return (*range(ahead), *(ahead + axis for axis in self.axes))
