"""The answer to a question about the network, as a picture, a curve or a table."""

from __future__ import annotations

from typing import Any

import bqplot as bq
import numpy as np
import traitlets as t

from pdcr_widgets.answers import Answers
from pdcr_widgets.causal.components import (
    DoseResponse,
    LayerEffects,
    PairEffects,
    SkipPathTable,
    window_map,
)
from pdcr_widgets.session import Session
from pdcr_widgets.widgets.colors import COLORMAPS
from pdcr_widgets.widgets.figures import axis_range, quiet_figure, show_before_last
from pdcr_widgets.widgets.network_pictures import MapPicture
from pdcr_widgets.widgets.network_words import name_of, pair_table, paths_table
from pdcr_widgets.widgets.style import markup
from pdcr_widgets.widgets.text import INTERVENTION_WORDS, escape, signed, words
from pdcr_widgets.widgets.view import View


class AnswerView(View):
    """Shows what `Answers` holds.

    Parameters
    ----------
    session, answers
        What is asked about, and the answers.

    Attributes
    ----------
    colormap : {"red-blue", "orange-purple"}
        Colours of negative and positive effects.
    """

    colormap = t.Enum(list(COLORMAPS), "red-blue")

    def __init__(self, session: Session, answers: Answers) -> None:
        self._session, self._answers = session, answers
        self._words, self._picture = markup("pdcr-answer"), MapPicture()
        self._curve, self._figure = _dose_figure()
        super().__init__()
        self.fill(self._picture, self._words, aside=(self._figure,))
        self.watch(answers, ["answer", "note"], self._draw)
        self.observe(self._draw, names=["colormap"])
        self._draw()

    def _draw(self, _change: Any = None) -> None:
        answer, note = self._answers.answer, self._answers.note
        self._picture.hide()
        show_before_last(self, self._figure, isinstance(answer, DoseResponse))
        told = ""
        match answer:
            case LayerEffects():
                told = self._draw_windows(answer)
            case DoseResponse():
                told = self._draw_dose(answer)
            case SkipPathTable():
                told = paths_table(answer)
            case PairEffects():
                told = pair_table(answer)
        status = f'<p class="pdcr-hint">{escape(note)}</p>' if note else ""
        self._words.value = told + status

    def _draw_windows(self, effects: LayerEffects) -> str:
        (kind,) = effects.kinds
        replaced = escape(words(INTERVENTION_WORDS, kind)).lower()
        try:
            drawn = window_map(effects)
        except ValueError:
            rows = sorted(effects, key=lambda row: -abs(np.nan_to_num(row.effect)))[:8]
            lines = "".join(
                f"<li>{name_of(r.layer)}: {signed(r.effect, r.stderr)}</li>" for r in rows
            )
            return f"<p>The network's own windows, strongest first:</p><ul>{lines}</ul>"
        if drawn.ndim != 2 or not np.isfinite(drawn).any():
            return "" if drawn.ndim == 2 else "<p>Maps of volumes are given in Python only.</p>"
        top = float(np.nanmax(np.abs(drawn)))
        self._picture.effects(
            self._session, drawn, self.colormap,
            f"Effect of each window of the layer's positions, replaced by {replaced}: up to "
            f"{top:.2f} points. Negative: this part of the layer supports the "
            f"region.",
            opacity=0.75,
        )  # fmt: skip
        return ""

    def _draw_dose(self, found: DoseResponse) -> str:
        curves = [found.effect]
        if np.isfinite(found.elsewhere).any():
            curves.append(found.elsewhere)
        x, y = self._curve.scales["x"], self._curve.scales["y"]
        x.min, x.max = min(found.factors), max(found.factors)
        y.min, y.max, ticks = axis_range([value for curve in curves for value in curve])
        self._figure.axes[1].tick_values = ticks
        with self._curve.hold_sync():
            self._curve.x = np.array(found.factors)
            self._curve.y = np.array(curves)
        return (
            f"<p>The output of <b>{name_of(found.layer)}</b> times a factor: 0 removes it, 1 "
            f'changes nothing. <span class="pdcr-hint">Blue: in the region. Grey: rest of the '
            f"image.</span></p>"
        )


def _dose_figure() -> tuple[bq.Lines, bq.Figure]:
    factor, points = bq.LinearScale(), bq.LinearScale()
    curve = bq.Lines(
        x=[0.0, 1.0], y=[0.0, 0.0], scales={"x": factor, "y": points}, marker="circle",
        marker_size=28, colors=["#1976d2", "#8a8a8a"], stroke_width=2,
    )  # fmt: skip
    axes = [
        bq.Axis(scale=factor, label="factor", tick_format="~g", grid_lines="none"),
        bq.Axis(
            scale=points, side="left", label="effect, points", tick_format="~g",
            label_offset="40px", grid_lines="none",
        ),
    ]  # fmt: skip
    margin = {"top": 8, "bottom": 38, "left": 58, "right": 14}
    figure = quiet_figure("220px", margin, marks=[curve], axes=axes)
    figure.layout.max_width = "560px"
    return curve, figure
