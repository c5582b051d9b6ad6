"""One patch under the lens: its draws as a histogram, and what was pasted."""

from __future__ import annotations

from typing import Any

import bqplot as bq
import numpy as np
import traitlets as t

from pdcr_widgets.causal import PatchDraws
from pdcr_widgets.inputs import Array
from pdcr_widgets.session import Session
from pdcr_widgets.widgets.baseline_controls import grey_range
from pdcr_widgets.widgets.colors import COLORMAPS, share_colors
from pdcr_widgets.widgets.figures import axis_range, bins, quiet_figure, show_before_last
from pdcr_widgets.widgets.style import markup
from pdcr_widgets.widgets.text import escape, signed, spoken
from pdcr_widgets.widgets.thumbnails import Thumbnails
from pdcr_widgets.widgets.view import View

BINS = 15


class PatchInspector(View):
    """The effect of every draw on one patch, and the patches that were pasted, strongest first.

    Parameters
    ----------
    session
        Whose selected patch is shown; None to set or link the traits by hand.
    **traits
        Initial values of the traits below, or any of `ipywidgets.VBox`.

    Attributes
    ----------
    patch : (row, column) or None
        The selected patch of the grid.
    draws : PatchDraws or None
        Its interventions.
    note : str
        Why there are none, or empty.
    image : Tensor or None
        Gives the grey window of the pictures.
    colormap : {"red-blue", "orange-purple"}
        Colours of negative and positive effects.
    """

    patch = t.Tuple(None, allow_none=True)
    draws = t.Instance(PatchDraws, None, allow_none=True)
    note = t.Unicode("")
    image = Array(None)
    colormap = t.Enum(list(COLORMAPS), "red-blue")

    def __init__(self, session: Session | None = None, **traits: Any) -> None:
        self._axes, self._marks, self._figure = _histogram()
        self._words = markup("pdcr-words")
        self._thumbnails = Thumbnails(rows=2)
        super().__init__(**traits)
        self.fill(self._words, self._thumbnails, aside=(self._figure,))
        self.add_class("pdcr-patch")
        self.observe(self._draw, names=["patch", "draws", "note", "image", "colormap"])
        if session is not None:
            self.follow((session, "image"), (self, "image"))
            self.follow((session, "draws_note"), (self, "note"))
            self.follow((session, "draws"), (self, "draws"))
            self.link((session, "patch"), (self, "patch"))
        self._draw()

    def still(self) -> bytes | None:
        """Give what was pasted as PNG, strongest effect first."""
        return self._thumbnails.still() if self.draws is not None else None

    def __repr__(self) -> str:
        return f"PatchInspector({spoken(self._words.value)})"

    def _draw(self, _change: Any = None) -> None:
        draws = self.draws
        if draws is not None and (draws.row, draws.col) != self.patch:
            draws = None
        several = draws is not None and float(np.ptp(draws.effects)) > 0
        show_before_last(self, self._figure, several)
        self._thumbnails.layout.display = "none" if draws is None else None
        self._words.value = self._text(draws)
        if draws is not None:
            self._show_contents(draws)
            if several:
                self._show_histogram(draws.effects)

    def _text(self, draws: PatchDraws | None) -> str:
        if self.patch is None:
            return '<p class="pdcr-empty">Click a patch of the map to see its draws.</p>'
        place = f"<b>Patch in row {self.patch[0]}, column {self.patch[1]}</b>"
        if self.note:
            return f'<p>{place}</p><p class="pdcr-warning">{escape(self.note)}</p>'
        if draws is None:
            return f"<p>{place}: measuring …</p>"
        effects = draws.effects
        side = draws.contents.shape[-1]
        where = f"first pixel: row {draws.row * side}, column {draws.col * side}"
        if len(effects) == 1:
            told = f"effect {signed(effects[0])} points; this baseline always pastes the same"
        elif np.ptp(effects) == 0:
            told = f"all {len(effects)} draws have the effect {signed(effects[0])} points"
        else:
            stderr = float(effects.std(ddof=1) / np.sqrt(len(effects)))
            told = (
                f"mean of {len(effects)} draws {signed(effects.mean(), stderr)} points, "
                f"from {signed(effects.min())} to {signed(effects.max())}"
            )
        return f"<p>{place} ({where}): {told}</p>"

    def _show_contents(self, draws: PatchDraws) -> None:
        order = np.argsort(-np.abs(draws.effects), kind="stable")
        colors = share_colors(self.colormap)
        strips = [_strip(draws.effects[number], colors) for number in order]
        self._thumbnails.show(draws.contents[order], grey_range(self.image), strips)

    def _show_histogram(self, effects: np.ndarray) -> None:
        centres, counts = bins(effects, BINS)
        half = (centres[1] - centres[0]) / 2
        _, top, count_ticks = axis_range(counts)
        colors = share_colors(self.colormap)
        (across, upwards), (bars, mean) = self._axes, self._marks
        across.scale.min, across.scale.max = centres[0] - half, centres[-1] + half
        across.tick_values = axis_range(effects)[2]
        upwards.scale.max, upwards.tick_values = top, count_ticks[count_ticks % 1 == 0]
        with bars.hold_sync():
            bars.x, bars.y = centres, counts
            bars.colors = [_strip(centre, colors) for centre in centres]
        with mean.hold_sync():
            mean.x, mean.y = [float(effects.mean())] * 2, [0.0, top]


def _strip(effect: float, colors: dict[str, str]) -> str:
    kind = "supporting" if effect < 0 else "harming" if effect > 0 else "irrelevant"
    return colors[kind]


def _histogram() -> tuple[list[bq.Axis], list[bq.Mark], bq.Figure]:
    points, draws = bq.LinearScale(), bq.LinearScale(min=0.0)
    scales = {"x": points, "y": draws}
    bars = bq.Bars(x=[], y=[], scales=scales, padding=0.08, stroke="#767676")
    mean = bq.Lines(
        x=[], y=[], scales=scales, colors=["#e6a700"], stroke_width=2, line_style="dashed"
    )
    across = bq.Axis(
        scale=points,
        label="effect of one draw, points",
        label_offset="30px",
        grid_lines="none",
        tick_format="~g",
    )
    upwards = bq.Axis(scale=draws, side="left", label="draws", tick_format="d")
    margin = {"top": 6, "bottom": 42, "left": 44, "right": 12}
    figure = quiet_figure("170px", margin, marks=[bars, mean], axes=[across, upwards])
    return [across, upwards], [bars, mean], figure
