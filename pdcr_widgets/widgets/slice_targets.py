"""A volume whose slices are asked about one at a time, each with a region of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import ipywidgets as w
import numpy as np
import traitlets as t

from pdcr_widgets.causal import Segmenter, segmenter
from pdcr_widgets.cut import Cut
from pdcr_widgets.session import Session
from pdcr_widgets.turns import turn
from pdcr_widgets.widgets.canvas_planes import plane_of
from pdcr_widgets.widgets.slice_viewer import USUAL, SliceViewer
from pdcr_widgets.widgets.style import markup
from pdcr_widgets.widgets.text import escape
from pdcr_widgets.widgets.view import View
from pdcr_widgets.widgets.volumes import Volume

Place = tuple[str, int]
"""Plane and index of a slice."""


@dataclass(frozen=True, eq=False)
class Shown:
    """A slice that is there with all that belongs to it; every one is news."""

    plane: str
    index: int


class SliceTargets(SliceViewer):
    """Look through a volume and draw a target region on any of its slices, in any plane.

    A region belongs to the slice that it was drawn on. Returning to a slice brings it back.

    Parameters
    ----------
    volume
        The volume.
    region
        Of the first slice, ``(rows, columns)`` or a box; or of all slices of its plane, of the
        volume's shape.
    **traits
        As for `SliceViewer`.

    Attributes
    ----------
    keep
        Whether a slice without a region of its own takes over the last one of its plane.
    shown
        What is shown; set once all of it is there.
    """

    keep = t.Bool(True, help="take the region along to slices without one of their own")
    shown = t.Instance(Shown)

    def __init__(self, volume: Volume, *, region: Any = None, **traits: Any) -> None:
        self._own: dict[Place, np.ndarray] = {}
        self._last: dict[str, np.ndarray] = {}
        super().__init__(
            volume.values,
            orientation=volume.orientation,
            spacing=volume.spacing,
            truth=_as_contour(volume.truth),
            plane=volume.plane,
            index=volume.index,
            **traits,
        )
        if np.ndim(region) == 3:
            self.region_volume = region
        elif region is not None:
            self.region = region
        self.shown = Shown(self.plane, self.index)

    @property
    def region_volume(self) -> np.ndarray:
        """What was drawn, on all slices of all planes; what is set, on those of the present one."""
        drawn = np.zeros(self.volume_shape, bool)
        for (plane, index), mask in self._own.items():
            cut = plane_of(plane, self._orientation or USUAL)
            cut.put(drawn, index, cut.take(drawn, index) | mask)
        return drawn

    @region_volume.setter
    def region_volume(self, mask: Any) -> None:
        given = np.asarray(mask)
        if given.shape != self.volume_shape:
            raise ValueError(f"region is {given.shape}, the volume {self.volume_shape}")
        self._own = {
            (self.plane, index): cut.astype(bool)
            for index in range(self.count)
            if (cut := self._cut.take(given, index)).any()
        }
        self._show(self.index)

    def place_in_space(self, grid: dict[str, Any] | None) -> dict[str, Any] | None:
        """Where the slice that is shown lies, given where the volume does."""
        if grid is None:
            return None
        affine = self._cut.affine(np.array(grid["affine"]), self.volume_shape, self.index)
        return {**grid, "affine": affine.tolist()}

    def take(self, values: np.ndarray) -> np.ndarray:
        """Cut the slice that is shown out of another volume ``(..., slices, rows, columns)``."""
        return self._cut.take(values, self.index)

    def cut(self, truth: Any) -> Cut:
        """How the slice that is shown is cut out of the volume, and out of its truth."""
        cut = self._cut
        return Cut(self._volume, truth, self.plane, self.index, cut.axes, cut.flips)

    def know_truth(self, mask: np.ndarray | None) -> None:
        """Draw the contour of another truth, a mask of the volume, on every slice."""
        self._masks["truth"] = mask
        self.set_trait("truth", self._slice_of("truth", self.index))

    def _slice_of(self, name: str, index: int) -> np.ndarray | None:
        if name != "region":
            return super()._slice_of(name, index)
        carried = self._last.get(self.plane) if self.keep else None
        mask = self._own.get((self.plane, index), carried)
        empty = np.zeros(self._cut.take(self._volume, index).shape[1:], bool)
        return empty if mask is None else mask

    @t.observe("region")
    def _region_drawn(self, change: Any) -> None:
        if not self._moving:
            mask = np.array(change["new"])
            self._own[self.plane, self.index] = self._last[self.plane] = mask

    @t.observe("keep")
    def _keep_changed(self, _change: Any) -> None:
        self._show(self.index)

    def _show(self, index: int) -> None:
        own = self._own.get((self.plane, index))
        if own is not None:
            self._last[self.plane] = own
        super()._show(index)
        self.shown = Shown(self.plane, index)


class SliceQuestions:
    """Asks a session about the slice that is shown, again whenever it is another.

    Parameters
    ----------
    session
        Who is asked; it holds the first slice already.
    canvas
        The volume.
    volume
        What the slices are of.

    Attributes
    ----------
    words : SliceWords
        What is fed, in words.
    """

    def __init__(self, session: Session, canvas: SliceTargets, volume: Volume) -> None:
        self._session, self._canvas, self._truth = session, canvas, volume.truth
        self._grid: dict[str, Any] | None = volume.grid
        self.words = SliceWords(canvas, volume.learnt_from)
        self._ask()
        canvas.observe(self._ask, names=["shown"])
        session.observe(self._compare_anew, names=["target", "segmenter"])

    def close(self) -> None:
        """Let session and canvas go."""
        self._canvas.unobserve(self._ask, names=["shown"])
        self._session.unobserve(self._compare_anew, names=["target", "segmenter"])

    def compare_with(self, truth: np.ndarray) -> None:
        """Take another truth of the volume, a mask or labels; all that is drawn stays."""
        self._truth = truth
        self._canvas.know_truth(_as_contour(truth))
        self._ask()

    def _ask(self, _change: Any = None) -> None:
        session, canvas = self._session, self._canvas
        with session.hold_trait_notifications():
            session.image = canvas.image
            session.truth = self._truth_of_slice()
            session.region = canvas.region
            session.spacing = canvas.spacing
            session.grid = canvas.place_in_space(self._grid)
            session.cut = canvas.cut(self._truth)

    def _compare_anew(self, _change: Any) -> None:
        self._session.truth = self._truth_of_slice()

    def _truth_of_slice(self) -> Any:
        """Cut the truth; labels of a volume are compared here, because a slice may have few."""
        if self._truth is None:
            return None
        cut, session = self._canvas.take(self._truth), self._session
        target = session.segmenter.target if session.target is None else session.target
        return cut == target if target is not None and self._labels else cut

    @property
    def _labels(self) -> bool:
        return self._truth.dtype != np.bool_ and bool(self._truth.max() > 1)


def _as_contour(truth: np.ndarray | None) -> np.ndarray | None:
    """A truth whose contour can be drawn before a class is chosen; labels have none."""
    return truth if truth is not None and truth.dtype == np.bool_ else None


class SliceWords(View):
    """Says which slice the model is fed, and whether it takes the region along.

    Parameters
    ----------
    canvas
        The volume.
    learnt_from
        Plane of the slices that the model learnt from; empty when unknown.
    """

    def __init__(self, canvas: SliceTargets, learnt_from: str = "") -> None:
        super().__init__()
        self._canvas, self._learnt_from = canvas, learnt_from
        self._words = markup("pdcr-hint")
        keep = w.Checkbox(description="Keep the region on other slices", indent=False)
        self.link((canvas, "keep"), (keep, "value"))
        self.fill(keep, self._words)
        self.watch(canvas, ["shown"], self._tell)
        self._tell()

    def _tell(self, _change: Any = None) -> None:
        canvas = self._canvas
        rows, columns = canvas.shape
        told = (
            f"The model is fed this {canvas.plane} slice, {rows} × {columns} px: slice "
            f"{canvas.index} of {canvas.count}, counted from 0."
        )
        if self._learnt_from and canvas.plane != self._learnt_from:
            told += f" It learnt from {self._learnt_from} slices only: expect little of others."
        self._words.value = escape(told)


def first_slice(
    volume: Volume, subject: Any, image: Any, inputs: dict[str, Any], **traits: Any
) -> tuple[SliceTargets, Any]:
    """Make the canvas of a volume, and say what to ask about its first slice.

    Parameters
    ----------
    subject, image
        What an `Explorer` was given.
    inputs
        Inputs of the session, to which those of the slice are added; ``plane`` and ``index``
        choose it and are taken out.
    **traits
        Of the canvas.

    Returns
    -------
    canvas, image
        The canvas, and its slice where it goes with a model; None where the case brings it.
    """
    first = {name: inputs.pop(name) for name in ("plane", "index") if name in inputs}
    own = None if first else getattr(subject, "region", None)
    region = inputs.pop("region", own if image is None else None)
    canvas = SliceTargets(replace(volume, **first), region=region, **traits)
    model = segmenter(subject.segmenter if image is None else subject)
    inputs |= {
        "truth": None,
        "region": canvas.region if canvas.region.any() else None,
        "spacing": canvas.spacing,
        "segmenter": _resolved(model, canvas.image),
    }
    return canvas, None if image is None else canvas.image


def _resolved(model: Segmenter, image: Any) -> Segmenter:
    """Decide activation and class once, so that all slices are read alike.

    A model that fails says so when it is asked.
    """
    try:
        with turn():
            return model.resolve(image)
    except (TypeError, ValueError):
        return model
