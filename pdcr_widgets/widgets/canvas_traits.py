"""Traits whose values are numpy arrays and cross to the browser as bytes."""

from __future__ import annotations

from itertools import count
from typing import Any

import numpy as np
import traitlets as t

from pdcr_widgets.widgets.canvas_wire import (
    Wire,
    as_mask,
    as_picture,
    as_probability,
    image_to_wire,
    mask_from_wire,
    mask_to_wire,
    probability_to_wire,
)

_IDS = count(1)
FROM_PAGE = frozenset(
    {"active", "brush_size", "channel", "colormap", "contour_opacity", "cursor", "drawing", "index",
     "limit", "mode", "opacity", "patch", "plane", "region", "regions", "significant", "smooth",
     "snap", "target_patches", "tool", "view", "window"}
    | {f"show_{name}" for name in ("crosshair", "grid", "notes", "prediction", "region", "scale",
                                   "truth")}
)  # fmt: skip
"""Traits that the tools of a canvas on a page set."""


class ArrayTrait(t.TraitType[Any, Any]):
    """An array. Setting equal values is no change; traitlets would ask for one truth value."""

    def set(self, obj: Any, value: Any) -> None:
        """Set the trait and tell its observers."""
        new = self._validate(obj, value)
        old = obj._trait_values.get(self.name, self.default_value)
        obj._trait_values[self.name] = new
        if not self.same(old, new):
            obj._notify_trait(self.name, old, new)

    def same(self, old: Any, new: Any) -> bool:
        """Whether two values are equal."""
        if old is None or new is None:
            return old is new
        return bool(np.array_equal(old, new))


class Picture(ArrayTrait):
    """A picture, kept as ``(channels, height, width)``. The browser cannot change it."""

    info_text = (
        "a picture: (channels, height, width), (height, width) or (height, width, 3) numbers"
    )

    def __init__(self) -> None:
        super().__init__(default_value=None, allow_none=True)
        self.metadata.update(to_json=self._to_json, from_json=self._from_json)

    def validate(self, _owner: Any, value: Any) -> np.ndarray:
        """Bring a picture to its one form."""
        return as_picture(value)

    @staticmethod
    def _to_json(value: np.ndarray | None, owner: Any) -> Wire | None:
        if value is None:
            return None
        wire = image_to_wire(value, next(_IDS), getattr(owner, "suggested_windows", None))
        return wire | {"place": getattr(owner, "place", "")}

    def same(self, old: Any, new: Any) -> bool:
        """Whether two values are one: a picture is too large to compare, so setting it is news."""
        return old is new

    def _from_json(self, _value: Any, owner: Any) -> Any:
        return getattr(owner, str(self.name))


class Probability(ArrayTrait):
    """Probabilities of 0..1 of the shape of the owner's image; 16 bits each on the wire."""

    info_text = "probabilities of the shape of the image, or None"

    def __init__(self) -> None:
        super().__init__(default_value=None, allow_none=True)
        self.metadata.update(to_json=probability_to_wire, from_json=self._from_json)

    def validate(self, owner: Any, value: Any) -> np.ndarray:
        """Check probabilities against the owner's image."""
        return as_probability(value, owner.image.shape[1:])

    def _from_json(self, _value: Any, owner: Any) -> Any:
        return getattr(owner, str(self.name))


class _Compared(np.ndarray):
    def __bool__(self) -> bool:
        return bool(np.asarray(self).any())


class MaskArray(np.ndarray):
    """A boolean array; whether two of them differ is one answer, as :func:`traitlets.link` asks."""

    def __ne__(self, other: object) -> Any:
        return np.asarray(np.asarray(self) != other).view(_Compared)


class Mask(ArrayTrait):
    """A boolean array of the shape of the owner's image; packed bits on the wire.

    A mask from the browser that does not fit the image was drawn on a picture that has been
    replaced meanwhile: it is dropped.
    """

    info_text = "a boolean array of the shape of the image, or a box (top, left, height, width)"

    def __init__(self, what: str, allow_none: bool = False) -> None:
        super().__init__(default_value=None, allow_none=allow_none)
        self._what = what
        self.metadata.update(to_json=mask_to_wire, from_json=self._from_json)

    def validate(self, owner: Any, value: Any) -> np.ndarray:
        """Check a mask against the owner's image."""
        if value is None:
            raise t.TraitError(f"{self._what} cannot be None; clear it with an all-False array")
        return as_mask(value, owner.image.shape[1:], self._what).view(MaskArray)

    def _from_json(self, value: Wire | None, owner: Any) -> np.ndarray | None:
        if value is None:
            return None
        mask = mask_from_wire(value)
        fits = owner.image is None or mask.shape == owner.image.shape[1:]
        return mask if fits else getattr(owner, str(self.name))
