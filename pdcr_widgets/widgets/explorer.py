"""Everything together: draw a region, watch its map and its layers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import ipywidgets as w

from pdcr_widgets.session import Session
from pdcr_widgets.widgets.ate_view import ATEView
from pdcr_widgets.widgets.baseline_controls import BaselineControls
from pdcr_widgets.widgets.cells import end_when_rerun
from pdcr_widgets.widgets.comparison_view import ComparisonView
from pdcr_widgets.widgets.file_chooser import LIMIT
from pdcr_widgets.widgets.file_inputs import FileInputs
from pdcr_widgets.widgets.from_files import opened_inputs
from pdcr_widgets.widgets.keep_bar import KeepBar
from pdcr_widgets.widgets.layer_chart import LayerEffectChart
from pdcr_widgets.widgets.model_card import ModelCard, offered
from pdcr_widgets.widgets.network_explorer import NetworkExplorer
from pdcr_widgets.widgets.patch_inspector import PatchInspector
from pdcr_widgets.widgets.question_controls import QuestionControls
from pdcr_widgets.widgets.region_canvas import RegionCanvas
from pdcr_widgets.widgets.run_bar import RunBar
from pdcr_widgets.widgets.slice_targets import SliceQuestions, SliceTargets, first_slice
from pdcr_widgets.widgets.slice_viewer import SliceViewer
from pdcr_widgets.widgets.stage import Stage
from pdcr_widgets.widgets.style import block, markup
from pdcr_widgets.widgets.sweep_bar import SweepBar
from pdcr_widgets.widgets.text import escape
from pdcr_widgets.widgets.view import View
from pdcr_widgets.widgets.volume_target import VolumeTarget, VolumeWords
from pdcr_widgets.widgets.volumes import Volume, volume_of

HEIGHT = 640  # pixels of the picture at most: it fits a 900-pixel window with the bar above it


class Explorer(View):
    """Draw a region on an image and watch what its prediction depends on.

    Any change restarts the computation. Running its cell again, or closing it, ends it.

    Parameters
    ----------
    subject
        A case, such as `pdcr_widgets.demo.load("brain")`; a model to go with ``image``, or the path
        of one; or a `Session`.
    image
        ``(channels, height, width)`` or ``(height, width)``, in the model's units; or a volume,
        ``(channels, slices, rows, columns)`` or opened by `open_image`, whose slices are chosen on
        the canvas; or a path.
    folder
        A folder to choose images, truth and patches from; nothing outside it can be seen. Files can
        be sent as well. Without an image its first one is shown.
    limit
        Bytes that may be sent at once; with 0, or without ``folder``, nothing can be.
    models
        Names of models to choose from, and the models; without a subject the first one begins.
    **inputs
        Inputs of the session, for example ``truth=..., bank=..., region=..., patch_size=16``; for a
        volume also ``plane`` and ``index`` of the first slice. The truth may be a path, and
        ``label`` which of its labels is meant.

    Attributes
    ----------
    session : Session
        Owner of inputs and results.
    canvas, legend, chart, inspector, network, baseline, question, model, run_bar, sweep_bar,
    comparison, keep_bar
        The widgets, each of which also works alone.
    volume : Volume or None
        What the slices on the canvas are of.
    files : FileInputs or None
        Images, truth and patches from files, with ``folder``.

    Raises
    ------
    TypeError, ValueError
        A model without an image, or inputs that can never be right; the message says what to do.
    """

    files: FileInputs | None = None
    volume: Volume | None = None
    _slices: SliceQuestions | None = None

    def __init__(
        self,
        subject: Any = None,
        image: Any = None,
        *,
        models: Any = None,
        folder: Any = None,
        limit: int = LIMIT,
        **inputs: Any,
    ) -> None:
        super().__init__()
        self._given = isinstance(subject, Session)
        subject, models = offered(subject, models)
        subject, image, inputs = opened_inputs(subject, image, inputs, folder)
        canvas, picture, volume = self._canvas_of(subject, image, inputs)
        self.session = subject if self._given else Session(subject, picture, **inputs)
        self.session.models = models or self.session.models
        self.legend = ATEView(self.session)
        self.chart = LayerEffectChart(self.session)
        self.network = NetworkExplorer(self.session)
        self.inspector = PatchInspector(self.session)
        self.baseline = BaselineControls(self.session)
        self.question = QuestionControls(self.session)
        self.model = ModelCard(self.session)
        self.run_bar = RunBar(self.session)
        self.sweep_bar = SweepBar(self.session)
        self.comparison = ComparisonView(self.session)
        self.keep_bar = KeepBar(self.session, self)
        self._heading, self._picture = markup("pdcr-heading"), block("pdcr-card")
        probe = _card("Selected patch", self.inspector, kind="probe")
        inside = _card("Inside the network", self.network, kind="inside")
        faithful = _card("How faithful is this map", self.comparison, kind="faithful")
        self._of_pictures = (probe, inside, faithful)
        self._set_stage(canvas, volume)
        self._name(subject)
        self.watch(self.session, ["previewed", "stale"], self._mark_stale)
        self.fill(*self._above(folder, limit, image), self._columns(probe), inside, faithful)
        self.add_class("pdcr-explorer")
        end_when_rerun(self)
        self._begin()

    def _begin(self) -> None:
        """Compute, unless the session comes with its answer."""
        if self.session.status != "done":
            self.session.run()

    def _above(self, folder: Any, limit: int, image: Any) -> tuple[w.Widget, ...]:
        """What lies over the picture, with the files where there is a folder."""
        if folder is None:
            return self._heading, self.run_bar, self.keep_bar
        self.files = FileInputs(self.session, folder, limit, image, self.show, self._compare_with)
        return self._heading, _card("Files", self.files, kind="files"), self.run_bar, self.keep_bar

    @property
    def canvas(self) -> RegionCanvas:
        """The canvas that is drawn on; another one once an image gives way to a volume."""
        return self._stage.canvas

    def show(self, subject: Any, image: Any = None, **inputs: Any) -> None:
        """Turn to another case, or another model and image or volume, keeping the settings.

        Parameters are those of the explorer itself.
        """
        canvas, picture, volume = self._canvas_of(subject, image, inputs)
        if canvas is None and type(self.canvas) is RegionCanvas:
            self.session.show(subject, picture, **inputs)
        else:
            if self._slices is not None:
                self._slices.close()
            self._slices = None
            self._stage.close()
            self.session.show(subject, picture, **inputs)
            self._set_stage(canvas, volume)
        self._name(subject)

    def _compare_with(self, truth: Any) -> None:
        """Take another truth of the image or volume; the place and what is drawn stay."""
        if self._slices is not None:
            self._slices.compare_with(truth)
        else:
            self.session.truth = truth

    def _canvas_of(
        self, subject: Any, image: Any, inputs: dict[str, Any]
    ) -> tuple[SliceViewer | None, Any, Volume | None]:
        """Give the canvas of a volume (None for a picture), and the picture to ask about."""
        given = isinstance(subject, Session)
        volume = None if given else volume_of(subject, image, inputs.get("truth"))
        if volume is None:
            return None, image, None
        if volume.whole:
            first = {name: inputs.pop(name) for name in ("plane", "index") if name in inputs}
            inputs |= {"spacing": volume.spacing, "grid": volume.grid}
            shown = VolumeTarget(replace(volume, **first), max_height=HEIGHT)
            return shown, volume.values, volume
        return *first_slice(volume, subject, image, inputs, max_height=HEIGHT), volume

    def _set_stage(self, canvas: SliceViewer | None, volume: Volume | None) -> None:
        """Bring the canvas that fits what the session asks about."""
        session, self.volume = self.session, volume
        below: tuple[w.Widget, ...] = ()
        if isinstance(canvas, SliceTargets) and volume is not None:
            self._slices = SliceQuestions(session, canvas, volume)
            below = (self._slices.words,)
        elif isinstance(canvas, VolumeTarget):
            below = (VolumeWords(canvas),)
        shown = canvas or RegionCanvas(session.image, spacing=session.spacing, max_height=HEIGHT)
        self._stage = Stage(session, shown, below)
        shown.on_here(self)
        shown.colormap, shown.limit = self.legend.colormap, self.legend.limit
        for view in self._coloured():
            self._stage.link((shown, "colormap"), (view, "colormap"))
        self._stage.link((shown, "limit"), (self.legend, "limit"))
        self._picture.children = (self._stage, self.sweep_bar)
        for card in self._of_pictures:
            card.layout.display = "none" if len(shown.spatial) > 2 else None

    def _coloured(self) -> tuple[Any, ...]:
        """Views that show effects in the canvas's colours."""
        return self.legend, self.chart, self.inspector, self.network, self.comparison

    def _name(self, subject: Any) -> None:
        title = getattr(subject, "title", "")
        self._heading.value = escape(title)
        self._heading.layout.display = None if title else "none"

    def close(self) -> None:
        """End the computation and take the widgets off every page.

        A session that was given is stopped; one that was made here is closed.
        """
        if self.comm is not None:
            self.session.stop() if self._given else self.session.close()
            if self._slices is not None:
                self._slices.close()
        super().close()

    def __repr__(self) -> str:
        height, width = self.canvas.shape
        return f"Explorer({height} x {width} pixels, {self.session.status})"

    def still(self) -> bytes:
        """Give the canvas as PNG, for places that show no widgets."""
        return self.canvas.to_png()

    def _columns(self, probe: w.Box) -> w.Box:
        left = [
            self._picture,
            _card("Model and image", self.model, kind="about"),
            probe,
        ]
        right = [
            _card("Question", self.question, self.baseline, kind="question"),
            _card("Effect of each patch", self.legend, kind="effects"),
            _card("Effect of each layer", self.chart, kind="bars"),
        ]
        columns = [block("pdcr-column", children=cards) for cards in (left, right)]
        return block("pdcr-columns", children=columns)

    def _mark_stale(self, _change: Any = None) -> None:
        """Dim what is of another region while one is being drawn, or of another image."""
        drawing, stale = self.session.previewed is not None, self.session.stale
        for name, given in (("pdcr-drawing", drawing), ("pdcr-stale", stale)):
            self.add_class(name) if given else self.remove_class(name)


def _card(title: str, *children: w.Widget, kind: str) -> w.Box:
    heading = markup("pdcr-title")
    heading.value = escape(title)
    return block("pdcr-card", f"pdcr-{kind}", children=(heading, *children))
