"""A slice on which a target region is drawn and its effect map is watched."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path
from types import MappingProxyType
from typing import Any

import anywidget
import numpy as np
import traitlets as t
from ipycanvas import Canvas
from ipywidgets import CallbackDispatcher, widget_serialization

from pdcr_widgets.causal import ATEMap
from pdcr_widgets.widgets import canvas_picture, canvas_wire
from pdcr_widgets.widgets.arrivals import Arriving
from pdcr_widgets.widgets.canvas_layers import Layers
from pdcr_widgets.widgets.canvas_traits import FROM_PAGE, Mask, Picture, Probability
from pdcr_widgets.widgets.colors import COLORMAPS
from pdcr_widgets.widgets.guarded import Guarded
from pdcr_widgets.widgets.named_regions import HasRegions
from pdcr_widgets.widgets.stills import Stilled

STATIC = Path(__file__).parents[1] / "static"
TOOLS = (
    "inspect", "move", "box", "ellipse", "polygon", "lasso", "brush", "eraser", "pick", "window",
)  # fmt: skip
MODES = ("replace", "add", "subtract", "intersect")
LARGEST_STILL = 1024
"""Pixels of the longer side of the still picture that is kept in a notebook."""

LAYERS = ("prediction", "truth", "notes")


class RegionCanvas(Guarded, Stilled, Arriving, anywidget.AnyWidget, HasRegions):
    """Show one slice, draw a region on it, watch its effect map.

    Everything is drawn in the browser; no kernel is asked while the pointer moves. The region
    crosses when a gesture ends.

    Parameters
    ----------
    image
        ``(channels, height, width)``, ``(height, width)`` or ``(height, width, 3)`` numbers in any
        unit, array or tensor. NaN is shown as such.
    region
        Boolean array of the image's shape, or a box ``(top, left, height, width)``; empty when not
        given.
    spacing
        Millimetres between rows and between columns; sets the aspect and the scale bar.
    prediction, truth
        Boolean arrays of the image's shape, drawn as contours.
    **traits
        Any other trait.

    Attributes
    ----------
    region
        ``(height, width)`` boolean array, read and written from both sides. Set it to a new array;
        changes inside an array are not seen.
    regions, active
        Regions kept under names, as a tuple of `NamedRegion`, and the name of the one that is drawn
        on; empty for none.
    patch
        Row and column of the patch that was clicked with the inspect tool, or None.
    patch_size
        Side of the grid's patches, pixels.
    snap, target_patches
        Whether boxes snap to the patch grid, and the side of the square that one click takes then,
        patches.
    limit
        Points at both ends of the colour scale; 0 takes the map's own.
    window
        Intensities shown as black and white, or None for the image's own.
    view
        Zoom relative to the whole picture, and the point in the middle as fractions of height and
        width.
    cursor
        Row and column of the pixel under the pointer, or None. Link it to show a crosshair
        elsewhere.
    live
        Send the region several times a second while it is drawn.
    drawing
        Whether ``region`` is on its way and not final yet; only with ``live``.

    Raises
    ------
    TypeError, ValueError
        What was given is not a picture, or a mask does not fit it.
    """

    _esm = STATIC / "region_canvas.js"
    _css = STATIC / "region_canvas.css"

    FROM_PAGE = FROM_PAGE

    image = Picture().tag(sync=True)
    region = Mask("region").tag(sync=True)
    prediction = Mask("prediction", allow_none=True).tag(sync=True)
    truth = Mask("truth", allow_none=True).tag(sync=True)
    probability = Probability().tag(sync=True)
    effect = t.Dict(allow_none=True, default_value=None).tag(sync=True)
    patch = t.Tuple(t.Int(), t.Int(), allow_none=True, default_value=None).tag(sync=True)
    patch_size = t.Int(8, min=1).tag(sync=True)
    spacing = t.Tuple(t.Float(), t.Float(), allow_none=True, default_value=None).tag(sync=True)

    tool = t.Enum(TOOLS, "box").tag(sync=True)
    mode = t.Enum(MODES, "replace").tag(sync=True)
    brush_size = t.Int(9, min=1, max=512).tag(sync=True)
    snap = t.Bool(False).tag(sync=True)
    target_patches = t.Int(1, min=1, max=64).tag(sync=True)
    live = t.Bool(False).tag(sync=True)
    drawing = t.Bool(False).tag(sync=True)

    window = t.Tuple(t.Float(), t.Float(), allow_none=True, default_value=None).tag(sync=True)
    channel = t.Int(-1, min=-1).tag(sync=True)
    smooth = t.Bool(True).tag(sync=True)
    opacity = t.Float(0.7, min=0, max=1).tag(sync=True)
    colormap = t.Enum(tuple(COLORMAPS), "red-blue").tag(sync=True)
    limit = t.Float(0.0, min=0).tag(sync=True)
    significant = t.Bool(False).tag(sync=True)
    show_region = t.Bool(True).tag(sync=True)
    show_prediction = t.Bool(True).tag(sync=True)
    show_truth = t.Bool(True).tag(sync=True)
    show_notes = t.Bool(True).tag(sync=True)
    show_grid = t.Bool(False).tag(sync=True)
    show_crosshair = t.Bool(False).tag(sync=True)
    show_scale = t.Bool(True).tag(sync=True)
    contour_opacity = t.Float(1.0, min=0, max=1).tag(sync=True)
    view = t.Tuple(t.Float(), t.Float(), t.Float(), default_value=(1.0, 0.5, 0.5)).tag(sync=True)
    cursor = t.Tuple(t.Int(), t.Int(), allow_none=True, default_value=None).tag(
        sync=True, echo_update=False
    )
    max_height = t.Int(560, min=0).tag(sync=True)
    label = t.Unicode("Slice with target region").tag(sync=True)

    layer_models = t.List(t.Instance(Canvas)).tag(sync=True, **widget_serialization)
    layer_names = t.List(t.Unicode()).tag(sync=True)

    _layers: Layers | None = None

    def __init__(
        self,
        image: Any,
        *,
        region: Any = None,
        spacing: tuple[float, float] | None = None,
        prediction: Any = None,
        truth: Any = None,
        **traits: Any,
    ) -> None:
        picture = canvas_wire.as_picture(image)
        shape = picture.shape[1:]
        self._effect_ids = count(1)
        self._ack_callbacks = CallbackDispatcher()
        self._ate: ATEMap | None = None
        self._layers = layers = Layers(LAYERS, shape)
        super().__init__(
            image=picture,
            region=np.zeros(shape, bool) if region is None else region,
            prediction=prediction,
            truth=truth,
            spacing=spacing,
            layer_names=list(LAYERS),
            layer_models=list(layers.canvases.values()),
            **traits,
        )
        self.on_msg(self._on_message)

    @property
    def layers(self) -> Mapping[str, Canvas]:
        """The ipycanvas canvases over the picture, by name; draw on ``layers["notes"]``.

        Coordinates are the picture's pixels. Drawings survive a reload of the page.
        """
        return MappingProxyType(self._layers.canvases if self._layers else {})

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the picture, pixels."""
        height, width = self.image.shape[1:]
        return int(height), int(width)

    @property
    def spatial(self) -> tuple[int, ...]:
        """Shape of the maps that are shown, pixels."""
        return self.shape

    def show_effect(self, ate: ATEMap, generation: int = 0) -> int:
        """Paint an effect map over the picture.

        Parameters
        ----------
        ate
            The map, complete or still being refined.
        generation
            Number of the computation that it belongs to.

        Returns
        -------
        int
            Its number. The browser acknowledges a number once it has painted that map or a newer
            one.

        Raises
        ------
        ValueError
            The map belongs to a picture of another shape.
        """
        if tuple(ate.spatial) != self.shape:
            raise ValueError(
                f"a map of {tuple(ate.spatial)} pixels cannot be shown on {self.shape}"
            )
        identity = next(self._effect_ids)
        wire = canvas_wire.effect_to_wire(ate, identity, generation)
        self._ate = ate
        self.effect = wire
        return identity

    def clear_effect(self) -> None:
        """Take the effect map away."""
        self._ate = None
        self.set_trait("effect", None)
        self.set_trait("patch", None)

    def set_contours(
        self, *, prediction: Any = None, truth: Any = None, probability: Any = None
    ) -> None:
        """Draw the contours of the prediction and of the truth; None draws none.

        `probability` is ``(height, width)`` numbers of 0..1 that the read-out tells.
        """
        self.prediction = prediction
        self.truth = truth
        self.probability = probability

    def on_ack(self, callback: Callable[[int], Any], remove: bool = False) -> None:
        """Call back with the number of each map that the browser has painted.

        May be called on any thread.
        """
        self._ack_callbacks.register_callback(callback, remove=remove)

    def to_png(self, longest: int | None = None) -> bytes:
        """Give the picture with its map and contours as a PNG file, drawn in Python.

        Parameters
        ----------
        longest
            Pixels that the longer side may have; pixels of a larger picture are left out.
        """
        return canvas_picture.still(self, self._ate, longest)

    def close(self) -> None:
        """Close the canvas and its layers."""
        super().close()
        if self._layers is not None:
            self._layers.close()

    @t.observe("prediction", "truth")
    def _contour_changed(self, change: Any) -> None:
        if self._layers is not None and self.layer_models:
            self._layers.outline(change["name"], change["new"], dash=change["name"] == "truth")

    @t.observe("image")
    def _image_changed(self, change: Any) -> None:
        if change["old"] is None or self._layers is None or not self.layer_models:
            return
        self.clear_effect()
        if change["old"].shape[1:] != change["new"].shape[1:]:
            self.set_contours()
            self.regions = ()
            self._layers.resize(self.shape)
            self.region = np.zeros(self.shape, bool)

    def _on_message(self, _widget: object, content: Any, _buffers: object) -> None:
        if self.heard_here(content):
            return
        kind = content.get("type") if isinstance(content, dict) else None
        if kind == "ack":
            self._ack_callbacks(int(content["id"]))
        elif kind == "layers" and self._layers is not None:
            self._layers.replay()

    def still(self) -> bytes:
        """Give the picture as PNG, not larger than a notebook should keep."""
        return self.to_png(LARGEST_STILL)

    def __repr__(self) -> str:
        height, width = self.shape
        pixels = int(self.region.sum())
        return f"{type(self).__name__}({height} x {width} pixels, region of {pixels} pixels)"
