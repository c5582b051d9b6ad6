"""A picture on which one patch is dragged, or patches are chosen."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import anywidget
import numpy as np
import traitlets as t
from ipywidgets import CallbackDispatcher

from pdcr_widgets.causal import ATEMap
from pdcr_widgets.widgets.arrivals import Arriving
from pdcr_widgets.widgets.canvas_picture import (
    OUTLINE_COLORS,
    color_effects,
    compose,
    grey_or_color,
)
from pdcr_widgets.widgets.canvas_traits import Mask, Picture
from pdcr_widgets.widgets.canvas_wire import (
    as_picture,
    effect_to_wire,
    image_to_wire,
    nice_limit,
    suggested_window,
)
from pdcr_widgets.widgets.colors import COLORMAPS
from pdcr_widgets.widgets.guarded import Guarded
from pdcr_widgets.widgets.region_canvas import STATIC
from pdcr_widgets.widgets.stills import Stilled

MODES = ("drag", "tap", "still")
MOST = 4096
"""Patches that may be chosen at most: a page cannot make the list any longer."""

_PASTES = count(1)


def cell(**options: Any) -> t.Tuple:
    """Give a trait of a row and a column, whole numbers from 0 on."""
    return t.Tuple(t.Int(min=0), t.Int(min=0), **options)


class PatchStage(Guarded, Stilled, Arriving, anywidget.AnyWidget):
    """Show a picture; let one patch be dragged over it, or patches of a grid be chosen.

    Made for fingers: the whole picture is the handle, and the arrow keys do the same. Drawn in the
    browser, so that a patch follows the finger whatever Python does.

    Parameters
    ----------
    image
        ``(channels, height, width)`` or ``(height, width)`` numbers, in any unit.
    **traits
        Any trait below.

    Attributes
    ----------
    region, prediction, original, truth
        Boolean arrays of the image's shape, drawn as outlines: the target region (yellow), the
        prediction (cyan), the prediction on the untouched image (white, dotted), the truth (green,
        dashed); None draws none. The region's patches cannot be chosen.
    mode : {"still", "drag", "tap"}
        What a finger does.
    place : (row, column) or None
        First pixel of the dragged patch.
    chosen : tuple of (row, column)
        Cells of the patch grid, in the order in which they were chosen.
    most
        Cells that may be chosen; of one, the newest stays.
    numbered
        Write the order into the chosen cells.
    patch_size
        Side of a patch, pixels.
    max_height
        Height on the screen at most, pixels.
    label
        What the picture shows, for screen readers.
    """

    _esm = STATIC / "patch_stage.js"
    _css = STATIC / "patch_stage.css"

    FROM_PAGE = frozenset({"place", "chosen"})

    image = Picture().tag(sync=True)
    region = Mask("region", allow_none=True).tag(sync=True)
    prediction = Mask("prediction", allow_none=True).tag(sync=True)
    original = Mask("original", allow_none=True).tag(sync=True)
    truth = Mask("truth", allow_none=True).tag(sync=True)
    effect: Any = t.Dict(allow_none=True, default_value=None).tag(sync=True)
    patch_size = t.Int(16, min=1).tag(sync=True)
    mode = t.Enum(MODES, "still").tag(sync=True)
    place: Any = cell(allow_none=True, default_value=None).tag(sync=True)
    paste: Any = t.Dict(allow_none=True, default_value=None).tag(sync=True)
    chosen: Any = t.List(cell(), maxlen=MOST).tag(sync=True)
    most = t.Int(1, min=1, max=MOST).tag(sync=True)
    numbered = t.Bool(False).tag(sync=True)
    colormap = t.Enum(tuple(COLORMAPS), "red-blue").tag(sync=True)
    opacity = t.Float(0.6, min=0, max=1).tag(sync=True)
    max_height = t.Int(460, min=1).tag(sync=True)
    label = t.Unicode("Picture with target region").tag(sync=True)

    def __init__(self, image: Any, **traits: Any) -> None:
        # What is pasted must not change how bright the rest of the picture is shown.
        self.suggested_windows = [suggested_window(channel) for channel in as_picture(image)]
        self._effects = count(1)
        self._shown: tuple[ATEMap, float] | None = None
        self._pasted: np.ndarray | None = None
        self._acknowledged = CallbackDispatcher()
        super().__init__(image=image, **traits)
        self.on_msg(self._on_message)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the picture, pixels."""
        height, width = self.image.shape[1:]
        return int(height), int(width)

    @property
    def spatial(self) -> tuple[int, int]:
        """The same: what a map must have been computed for."""
        return self.shape

    def show_effect(self, ate: ATEMap, generation: int = 0, limit: float | None = None) -> int:
        """Paint an effect map over the picture and give its number, for `on_ack`.

        Parameters
        ----------
        ate
            The map.
        generation
            Number of the computation that it belongs to.
        limit
            Points at the ends of the colour scale; the map's own when not given.

        Raises
        ------
        ValueError
            The map belongs to a picture of another shape.
        """
        if tuple(ate.spatial) != self.shape:
            raise ValueError(f"a map of {tuple(ate.spatial)} pixels does not fit {self.shape}")
        identity = next(self._effects)
        wire = effect_to_wire(ate, identity, generation)
        self._shown = ate, limit or nice_limit(ate.effect)
        self.effect = wire if limit is None else {**wire, "limit": limit}
        return identity

    def clear_effect(self) -> None:
        """Take the map away."""
        self._shown = None
        self.effect = None

    def show_paste(self, content: np.ndarray | None) -> None:
        """Fill the dragged patch with ``(channels, side, side)`` in the picture's units."""
        self._pasted = content
        self.paste = None if content is None else image_to_wire(content, next(_PASTES))

    def on_ack(self, callback: Callable[[int], Any], remove: bool = False) -> None:
        """Call back with the number of each map that the browser has painted."""
        self._acknowledged.register_callback(callback, remove=remove)

    def still(self) -> bytes:
        """Give what is seen as PNG."""
        image, channel = self.image.copy(), -1 if len(self.image) == 3 else 0
        frames = []
        if self.place is not None and self.mode == "drag":
            box = self._box(*self.place)
            if self._pasted is not None:
                inside = image[(slice(None), *box)].shape[1:]
                image[(slice(None), *box)] = self._pasted[:, : inside[0], : inside[1]]
            frames = [(self._mask(box), (255, 255, 255))]
        base = grey_or_color(image, channel, tuple(self.suggested_windows))
        size = self.patch_size
        chosen = [self._mask(self._box(row * size, column * size)) for row, column in self.chosen]
        frames += [(mask, (255, 255, 255)) for mask in chosen if mask.any()]
        outlines = [
            (mask, color)
            for name, color in OUTLINE_COLORS.items()
            if (mask := getattr(self, name)) is not None
        ]
        effects = None
        if self._shown is not None:
            ate, limit = self._shown
            effects = ate.to_image(color_effects(ate.effect, limit, self.colormap))
        return compose(base, effects, self.opacity, [*outlines, *frames])

    def __repr__(self) -> str:
        height, width = self.shape
        told = f"{height} x {width} pixels, patches of {self.patch_size}"
        if self.mode == "drag" and self.place is not None:
            told += f", patch at row {self.place[0]}, column {self.place[1]}"
        chosen = f", {len(self.chosen)} chosen" if self.chosen else ""
        return f"PatchStage({told}{chosen})"

    def _box(self, top: int, left: int) -> tuple[slice, slice]:
        """Pixels of a patch; at the lower and the right edge it is moved inside."""
        height, width = self.shape
        size = self.patch_size
        top, left = min(top, max(height - size, 0)), min(left, max(width - size, 0))
        return slice(top, top + size), slice(left, left + size)

    def _mask(self, box: tuple[slice, slice]) -> np.ndarray:
        mask = np.zeros(self.shape, dtype=bool)
        mask[box] = True
        return mask

    def _on_message(self, _widget: object, content: Any, _buffers: object) -> None:
        if self.heard_here(content):
            return
        if isinstance(content, dict) and content.get("type") == "ack":
            self._acknowledged(int(content["id"]))
