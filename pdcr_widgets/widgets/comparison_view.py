"""How faithful the map is, beside what other methods say on the same region."""

from __future__ import annotations

import math
from typing import Any

import bqplot as bq
import ipywidgets as w
import numpy as np
import traitlets as t

from pdcr_widgets.evaluate import METHODS, Comparison, Verdict
from pdcr_widgets.evaluate.figure import COLORS, TITLES, relative
from pdcr_widgets.judging import Judging
from pdcr_widgets.session import Session
from pdcr_widgets.widgets.canvas_picture import REGION_COLOR, color_effects, compose, grey_or_color
from pdcr_widgets.widgets.colors import COLORMAPS
from pdcr_widgets.widgets.figures import quiet_figure
from pdcr_widgets.widgets.style import block, markup
from pdcr_widgets.widgets.text import escape
from pdcr_widgets.widgets.view import View

WATCHED = ["comparison", "status", "done", "total", "stage", "note"]
BEST = {"deletion": min, "insertion": max, "harming": max, "correlation": max}
HEADS = {
    "deletion": ("Deletion ↓", "Area under the curve, what supports first: low is faithful"),
    "insertion": ("Insertion ↑", "Area under the curve, what supports first: high is faithful"),
    "harming": ("Harm ↑", "Area under the deletion curve, what harms first: high is right"),
    "correlation": ("Correlation ↑", "Of summed effects of random patches with what happened"),
}


PAINT = dict(zip(METHODS, COLORS, strict=True))
"""Colour of each method's curve."""


class ComparisonView(View):
    """Compare a session's map with other methods, on demand.

    Parameters
    ----------
    session
        Whose question it is; its map is judged as it is once it is complete.
    **traits
        Initial values of the traits below, or any of `ipywidgets.VBox`.

    Attributes
    ----------
    judging : Judging
        What is computed: its ``methods``, ``comparison`` and ``status``.
    colormap : {"red-blue", "orange-purple"}
        Colours of what supports and what harms.
    """

    colormap = t.Enum(list(COLORMAPS), "red-blue")

    def __init__(self, session: Session, **traits: Any) -> None:
        self._session = session
        self._choosing = False
        self.judging = Judging(session)
        self._button = w.Button()
        self._button.on_click(self._act)
        self._choices = {name: _choice(name) for name in METHODS}
        self._status, self._table = markup("pdcr-status"), markup()
        self._scale = markup("pdcr-hint")
        self._maps = block("pdcr-comparison-maps")
        self._pictures = {name: _picture(name) for name in METHODS}
        self._lines, self._curves = _curves()
        super().__init__(**traits)
        bar = block("pdcr-runbar", children=[block(children=[self._button]), self._status])
        choices = block("pdcr-comparison-methods", children=list(self._choices.values()))
        self.fill(
            choices, bar, self._table, self._maps, self._scale,
            aside=(self._curves, *self._pictures.values()),
        )  # fmt: skip
        for box in self._choices.values():
            box.observe(self._choose, names=["value"])
        self.watch(self.judging, WATCHED, self._show)
        self.watch(self.judging, ["methods"], self._show_choices)
        self.observe(self._draw, names=["colormap"])
        self._show_choices()
        self._show()

    def close(self) -> None:
        """End the computation and take the widgets off every page."""
        self.judging.close()
        super().close()

    def still(self) -> bytes | None:
        """Give maps and curves as PNG."""
        known = self.judging.comparison
        return None if known is None else known._repr_png_()

    def __repr__(self) -> str:
        known = self.judging.comparison
        return f"ComparisonView({self.judging.status})" if known is None else repr(known)

    def _act(self, _button: Any = None) -> None:
        self.judging.stop() if self.judging.status == "running" else self.judging.run()

    def _choose(self, _change: Any = None) -> None:
        if not self._choosing:
            self.judging.methods = [name for name, box in self._choices.items() if box.value]

    def _show_choices(self, _change: Any = None) -> None:
        self._choosing = True
        for name, box in self._choices.items():
            box.value = name in self.judging.methods
        self._choosing = False

    def _show(self, change: Any = None) -> None:
        judging = self.judging
        running = judging.status == "running"
        self._button.description = "Stop comparing" if running else "Compare methods"
        self._button.button_style = "" if running else "primary"
        for box in self._choices.values():
            box.disabled = running
        self._status.value = _status_html(judging)
        if change is None or change.name == "comparison":
            self._draw()

    def _draw(self, _change: Any = None) -> None:
        known = self.judging.comparison
        rows = known.rows if known is not None else ()
        self._table.value = _table_html(rows)
        drawn = list(known.maps) if known is not None else []
        for name in drawn:
            self._pictures[name].children[0].value = self._png(known, name)
        self._maps.children = [self._pictures[name] for name in drawn]
        self._scale.value = (
            "<p>Each map as a share of its own largest value outside the region: red supports the "
            "target, blue harms it. Curves: the outcome while the patches that a map says support "
            "most are replaced first.</p>" if drawn else ""
        )  # fmt: skip
        self._draw_curves(known)

    def _draw_curves(self, known: Comparison | None) -> None:
        curves = {} if known is None else known.curves
        for name, line in self._lines.items():
            with line.hold_sync():
                curve = curves[name]["deletion"] if name in curves else None
                line.x = [] if curve is None else 100 * curve.fractions
                line.y = [] if curve is None else curve.outcomes
        shown = self._curves in self.children
        if bool(curves) and not shown:
            self.children = (*self.children, self._curves)
        elif shown and not curves:
            self.children = tuple(child for child in self.children if child is not self._curves)

    def _png(self, known: Comparison | None, name: str) -> bytes:
        assert known is not None
        image = self._session.image.float().cpu().numpy()
        base = grey_or_color(image, 0, ((float(image.min()), float(image.max())),) * len(image))
        values = -relative(known.maps[name], known.region)
        colors = color_effects(np.where(known.region, 0, values), 1.0, self.colormap)
        return compose(base, colors, 0.8, [(known.region, REGION_COLOR)])


def _choice(name: str) -> w.Checkbox:
    title = TITLES.get(name, name) + (" (slow)" if name == "rise" else "")
    box = w.Checkbox(description=title, indent=False)
    box.layout.width = "auto"
    return box


def _picture(name: str) -> w.VBox:
    image = w.Image(format="png", layout=w.Layout(width="100%"))
    image.add_class("pdcr-map")
    caption = markup("pdcr-hint")
    caption.value = f"<p>{escape(TITLES.get(name, name))}</p>"
    return w.VBox([image, caption], layout=w.Layout(overflow="visible"))


def _curves() -> tuple[dict[str, bq.Lines], bq.Figure]:
    x, y = bq.LinearScale(min=0, max=100), bq.LinearScale(min=0, max=100)
    lines = {
        name: bq.Lines(
            x=[], y=[], scales={"x": x, "y": y}, colors=[color], stroke_width=2,
            line_style="dashed" if name == "random" else "solid",
        )
        for name, color in PAINT.items()
    }  # fmt: skip
    axes = [
        bq.Axis(scale=x, label="patches replaced, %", grid_lines="none", num_ticks=6),
        bq.Axis(
            scale=y, side="left", label="outcome, points", label_offset="34px",
            tick_values=np.arange(0, 101, 25),
        ),
    ]  # fmt: skip
    margin = {"top": 8, "bottom": 38, "left": 50, "right": 16}
    return lines, quiet_figure("240px", margin, marks=list(lines.values()), axes=axes)


def _status_html(judging: Judging) -> str:
    if judging.note:
        return f'<p class="pdcr-warning">{escape(judging.note)}</p>'
    if judging.status == "idle":
        return (
            '<p class="pdcr-hint">Replaces, step by step, the patches that each method names, and '
            "measures what that does in your region.</p>"
        )
    share = 100 * judging.done / judging.total if judging.total else 0
    words = {"running": escape(judging.stage), "stopped": "Stopped", "done": "Done"}
    bar = (
        f'<div class="pdcr-bar pdcr-{judging.status}" role="progressbar" aria-label="Comparison" '
        f'aria-valuemin="0" aria-valuemax="100" aria-valuenow="{share:.0f}">'
        f'<i style="width:{share:.1f}%"></i></div>'
    )
    told = words.get(judging.status, "")
    return f'{bar}<div class="pdcr-status-line"><span>{told}</span></div>'


def _table_html(rows: tuple[Verdict, ...]) -> str:
    if not rows:
        return ""
    best = {name: _best(rows, name) for name in BEST}
    head = "".join(f'<th title="{escape(told)}">{word}</th>' for word, told in HEADS.values())
    lines = []
    for row in rows:
        name = escape(TITLES.get(row.method, row.method))
        swatch = f'<i class="pdcr-swatch" style="background:{PAINT[row.method]}"></i>'
        title = f"<td>{swatch}{name}</td>"
        if row.note:
            lines.append(f'<tr>{title}<td colspan="{len(HEADS)}">{escape(row.note)}</td></tr>')
            continue
        cells = "".join(_cell(getattr(row, name), best[name]) for name in HEADS)
        lines.append(f"<tr>{title}{cells}</tr>")
    body = f"<tr><th>Method</th>{head}</tr>{''.join(lines)}"
    return f'<table class="pdcr-comparison-table">{body}</table>'


def _best(rows: tuple[Verdict, ...], name: str) -> float:
    known = [getattr(row, name) for row in rows if math.isfinite(getattr(row, name))]
    return BEST[name](known) if known else math.nan


def _cell(value: float, best: float) -> str:
    if not math.isfinite(value):
        return "<td>–</td>"
    shown = f"{value:.2f}".replace("-", "−")
    return f"<td><b>{shown}</b></td>" if value == best else f"<td>{shown}</td>"
