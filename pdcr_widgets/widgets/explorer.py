"""Everything together: draw a region, watch its map and its layers."""

from __future__ import annotations

import base64
from typing import Any

import ipywidgets as w
import numpy as np

from pdcr_widgets.session import Session
from pdcr_widgets.widgets.ate_view import ATEView
from pdcr_widgets.widgets.baseline_controls import BaselineControls
from pdcr_widgets.widgets.cells import end_when_rerun
from pdcr_widgets.widgets.comparison_view import ComparisonView
from pdcr_widgets.widgets.feed import MapFeed
from pdcr_widgets.widgets.layer_chart import LayerEffectChart
from pdcr_widgets.widgets.network_explorer import NetworkExplorer
from pdcr_widgets.widgets.patch_inspector import PatchInspector
from pdcr_widgets.widgets.question_controls import QuestionControls
from pdcr_widgets.widgets.region_canvas import RegionCanvas
from pdcr_widgets.widgets.run_bar import RunBar
from pdcr_widgets.widgets.slice_targets import SliceQuestions, ask_slices
from pdcr_widgets.widgets.style import block, markup
from pdcr_widgets.widgets.sweep_bar import SweepBar
from pdcr_widgets.widgets.text import escape
from pdcr_widgets.widgets.view import View
from pdcr_widgets.widgets.volumes import volume_of

HEIGHT = 640  # pixels of the picture at most: it fits a 900-pixel window with the bar above it


class Explorer(View):
    """Draw a region on an image and watch what its prediction depends on.

    Any change restarts the computation. Running its cell again, or closing it, ends it.

    Parameters
    ----------
    subject
        A case, such as `pdcr_widgets.demo.load("brain")`; a model to go with ``image``; or a
        `Session`.
    image
        ``(channels, height, width)`` or ``(height, width)``, in the model's units.
    **inputs
        Inputs of the session, for example ``truth=..., bank=..., region=..., patch_size=16``.

    Attributes
    ----------
    session : Session
        Owner of inputs and results.
    canvas, legend, chart, inspector, network, baseline, question, run_bar, sweep_bar, comparison
        The widgets, each of which also works alone.

    Raises
    ------
    TypeError, ValueError
        A model without an image, or inputs that can never be right; the message says what to do.
    """

    canvas: RegionCanvas
    _slices: SliceQuestions | None = None

    def __init__(self, subject: Any, image: Any = None, **inputs: Any) -> None:
        super().__init__()
        self._given = isinstance(subject, Session)
        self._open(subject, image, inputs)
        self.legend = ATEView(self.session)
        self.chart = LayerEffectChart(self.session)
        self.network = NetworkExplorer(self.session)
        self.inspector = PatchInspector(self.session)
        self.baseline = BaselineControls(self.session)
        self.question = QuestionControls(self.session)
        self.run_bar = RunBar(self.session)
        self.sweep_bar = SweepBar(self.session)
        self.comparison = ComparisonView(self.session)
        self._connect()
        inside = _card("Inside the network", self.network)
        inside.add_class("pdcr-inside")
        faithful = _card("How faithful is this map", self.comparison)
        self.fill(*self._heading(subject), self.run_bar, self._columns(), inside, faithful)
        self.add_class("pdcr-explorer")
        end_when_rerun(self)
        self.session.run()

    def _open(self, subject: Any, image: Any, inputs: dict[str, Any]) -> None:
        """Make session and canvas for a picture, or for a volume."""
        volume = None if self._given else volume_of(subject, image, inputs.get("truth"))
        if volume is not None:
            opened = ask_slices(volume, subject, image, inputs, max_height=HEIGHT)
            self.session, self.canvas, self._slices = opened
            return
        self.session = subject if self._given else Session(subject, image, **inputs)
        picture, spacing = self.session.image, self.session.spacing
        self.canvas = RegionCanvas(picture, spacing=spacing, max_height=HEIGHT)

    def close(self) -> None:
        """End the computation and take the widgets off every page.

        A session that was given is stopped; one that was made here is closed.
        """
        if self.comm is not None:
            self.session.stop() if self._given else self.session.close()
            self._feed.close()
            if self._slices is not None:
                self._slices.close()
        super().close()

    def __repr__(self) -> str:
        height, width = self.canvas.shape
        return f"Explorer({height} x {width} pixels, {self.session.status})"

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        """Add a picture for places that show no widgets."""
        bundle: dict[str, Any] = super()._repr_mimebundle_(**kwargs)
        picture = base64.b64encode(self.canvas.to_png()).decode("ascii")
        return {**bundle, "text/plain": repr(self), "image/png": picture}

    def _heading(self, subject: Any) -> list[w.HTML]:
        title = getattr(subject, "title", "")
        if not title:
            return []
        heading = markup("pdcr-heading")
        heading.value = escape(title)
        return [heading]

    def _columns(self) -> w.Box:
        words = [] if self._slices is None else [self._slices.words]
        left = [
            _card("", self.canvas, *words, self.sweep_bar),
            _card("Selected patch", self.inspector),
        ]
        right = [
            _card("Question", self.question, self.baseline),
            _card("Effect of each patch", self.legend),
            _card("Effect of each layer", self.chart),
        ]
        columns = [block("pdcr-column", children=cards) for cards in (left, right)]
        return block("pdcr-columns", children=columns)

    def _connect(self) -> None:
        session, canvas = self.session, self.canvas
        self._mirror()
        self.watch(session, ["image", "region", "spacing", "prediction"], self._mirror)
        self.watch(session, ["sweep"], self._send_while_drawing)
        self.watch(session, ["previewed", "stale"], self._mark_stale)
        self.watch(canvas, ["region", "drawing"], self._take_region)
        self.follow((session, "patch_size"), (canvas, "patch_size"))
        self.link((session, "patch"), (canvas, "patch"))
        for view in (self.legend, self.chart, self.inspector, self.network, self.comparison):
            self.link((canvas, "colormap"), (view, "colormap"))
        self.link((canvas, "limit"), (self.legend, "limit"))
        self._feed = MapFeed(session, canvas)

    def _mirror(self, change: Any = None) -> None:
        """Bring the canvas to the session's image first, and then to what lies on it."""
        session, canvas = self.session, self.canvas
        if change is not None and change.name == "image":
            self._take_image()
        spatial = tuple(session.image.shape[1:])
        if canvas.shape != spatial:
            return
        canvas.spacing = session.spacing
        canvas.region = np.zeros(spatial, bool) if session.region is None else session.region
        prediction = session.prediction
        if prediction is None:
            canvas.set_contours()
        elif prediction.probability.shape == spatial:
            canvas.set_contours(
                prediction=prediction.mask,
                truth=prediction.truth,
                probability=prediction.probability,
            )

    def _take_image(self) -> None:
        """Show another image; the canvas empties its region then, which is nobody's wish."""
        self.canvas.unobserve(self._take_region, names=["region", "drawing"])
        self.canvas.image = self.session.image
        self.canvas.observe(self._take_region, names=["region", "drawing"])

    def _send_while_drawing(self, _change: Any = None) -> None:
        self.canvas.live = self.session.sweep is not None

    def _mark_stale(self, _change: Any = None) -> None:
        """Dim what is of another region while one is being drawn, or of another image."""
        drawing, stale = self.session.previewed is not None, self.session.stale
        for name, given in (("pdcr-drawing", drawing), ("pdcr-stale", stale)):
            self.add_class(name) if given else self.remove_class(name)

    def _take_region(self, _change: Any = None) -> None:
        if getattr(self.canvas, "moving", False):
            return
        try:
            if self.canvas.drawing:
                self.session.preview(self.canvas.region)
            else:
                self.session.settle(self.canvas.region)
        except (TypeError, ValueError) as failure:
            self.session.report(failure)


def _card(title: str, *children: w.Widget) -> w.Box:
    if title:
        heading = markup("pdcr-title")
        heading.value = escape(title)
        children = (heading, *children)
    return block("pdcr-card", children=children)
