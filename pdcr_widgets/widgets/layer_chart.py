"""Bars of layer effects."""

from __future__ import annotations

from typing import Any

import bqplot as bq
import ipywidgets as w
import numpy as np
import traitlets as t

from pdcr_widgets.causal.components import INTERVENTIONS, LayerEffect, LayerEffects
from pdcr_widgets.session import Session
from pdcr_widgets.widgets.colors import COLORMAPS, share_colors
from pdcr_widgets.widgets.figures import (
    axis_range,
    log_place,
    log_ticks,
    quiet_figure,
    show_before_last,
)
from pdcr_widgets.widgets.layer_rows import arranged
from pdcr_widgets.widgets.menu import Menu
from pdcr_widgets.widgets.style import block, markup
from pdcr_widgets.widgets.text import INTERVENTION_WORDS, escape, layer_name, signed, words
from pdcr_widgets.widgets.view import View

ROW_PX = 8
CHARACTER_PX = 6.6
GREY, ACCENT = "#767676", "#1976d2"
DRAWN = ("effects", "intervention", "every_kind", "sort", "scale", "colormap", "note")
TONES = (1.0, 0.62, 0.36, 0.2, 0.12)
SORTS = {"depth": "By depth", "size": "By size of effect"}
CHART_SCALES = {"linear": "Linear", "log": "Logarithmic"}


class LayerEffectChart(View):
    """Bars of every layer's effects with their standard errors; a click selects a layer.

    Several kinds of intervention are shown together, because a single one misleads. Hollow diamonds
    are the effects on the rest of the image: one as far from 0 as the bar is not specific to the
    region.

    Parameters
    ----------
    session
        Whose layer effects are shown and asked for; None to set or link the traits by hand.
    **traits
        Initial values of the traits below, or any of `ipywidgets.VBox`.

    Attributes
    ----------
    effects : LayerEffects or None
        What is drawn, points; negative where losing the layer hurts.
    intervention : str
        What replaces a layer's output, a key of ``INTERVENTIONS``; its bars come first.
    every_kind : bool
        Whether the bars of all kinds among the effects are shown, or of this one only.
    sort : {"depth", "size"}
        Order of the bars.
    scale : {"linear", "log"}
        How long bars are; on the logarithmic scale effects of one point can be told from none
        beside effects of ninety.
    layer : str or None
        The selected layer.
    colormap : {"red-blue", "orange-purple"}
        Colours of negative and positive bars.
    note : str
        Why there are no layer effects, or empty.
    """

    effects = t.Instance(LayerEffects, allow_none=True)
    intervention = t.Enum(list(INTERVENTIONS), "mean")
    every_kind = t.Bool(True)
    sort = t.Enum(list(SORTS), "depth")
    scale = t.Enum(list(CHART_SCALES), "linear")
    layer = t.Unicode(None, allow_none=True)
    colormap = t.Enum(list(COLORMAPS), "red-blue")
    note = t.Unicode("")

    def __init__(self, session: Session | None = None, **traits: Any) -> None:
        self._names = bq.OrdinalScale()
        self._points = bq.LinearScale()
        self._bars, self._errors, self._rest = _marks(self._names, self._points)
        marks = [self._bars, self._errors, self._rest]
        self._axes, self._figure = _figure(self._names, self._points, marks)
        self._legend, self._readout = markup("pdcr-legend"), markup("pdcr-words")
        self._rows = arranged(None, (), "depth")
        super().__init__(**traits)
        self.fill(self._menus(session), self._legend, self._readout, aside=(self._figure,))
        self.add_class("pdcr-layers")
        self.observe(self._draw, names=list(DRAWN))
        self.observe(self._show_selected, names=["layer"])
        self._bars.observe(self._clicked, names=["selected"])
        if session is not None:
            self.link((session, "intervention"), (self, "intervention"))
            self.link((session, "layer"), (self, "layer"))
            self.follow((session, "layer_note"), (self, "note"))
            self.follow((session, "layers"), (self, "effects"))
        self._draw()

    def _menus(self, session: Session | None) -> w.Box:
        orders = [(label, name) for name, label in SORTS.items()]
        sort = w.Dropdown(options=orders, description="Order")
        scales = [(label, name) for name, label in CHART_SCALES.items()]
        scale = w.Dropdown(options=scales, description="Scale")
        every = w.Checkbox(description="All kinds of replacement", indent=False)
        self._layer_menu = Menu(options=[("none", None)], description="Layer")
        donors = session is not None and session.donors is not None
        kinds = [name for name, kind in INTERVENTIONS.items() if donors or not kind.needs_donors]
        kind = w.Dropdown(
            options=[(words(INTERVENTION_WORDS, name), name) for name in kinds],
            description="Replace by",
        )
        self.link((self, "sort"), (sort, "value"))
        self.link((self, "scale"), (scale, "value"))
        self.link((self, "every_kind"), (every, "value"))
        self.link((self, "intervention"), (kind, "value"))
        self._layer_menu.observe(self._chosen, names=["value"])
        return block("pdcr-controls", children=[kind, sort, self._layer_menu, scale, every])

    def still(self) -> bytes | None:
        """Give the bars as PNG."""
        return None if self.effects is None else self.effects._repr_png_()

    def __repr__(self) -> str:
        return "LayerEffectChart(no effects yet)" if self.effects is None else repr(self.effects)

    def _draw(self, _change: Any = None) -> None:
        kinds = _shown_kinds(self.effects, self.intervention, self.every_kind)
        self._rows = arranged(self.effects, kinds, self.sort)
        names, rows = list(self._rows.bars), list(self._rows.bars.values())
        show_before_last(self, self._figure, bool(rows))
        self._legend.value = _legend(kinds, rows, self.colormap)
        self._names.domain = list(self._rows.names[::-1])
        self._fit()
        effect = np.nan_to_num([row.effect for row in rows])
        spread = np.nan_to_num([row.stderr for row in rows])
        rest = np.array([row.elsewhere for row in rows], dtype=float)
        self._set_range([*(effect - spread), *(effect + spread), *rest[np.isfinite(rest)]])
        colors = share_colors(self.colormap)
        with self._bars.hold_sync():
            self._bars.x, self._bars.y = names, self._placed(effect)
            self._bars.colors = [
                colors["supporting" if value < 0 else "harming"] for value in effect
            ] or [colors["supporting"]]
            self._bars.opacities = [TONES[kinds.index(row.kind)] for row in rows]
        with self._errors.hold_sync():
            ends = self._placed(effect - spread), self._placed(effect + spread)
            self._errors.x = np.stack(ends, axis=1)
            self._errors.y = [[name, name] for name in names]
        known = np.flatnonzero(np.isfinite(rest))
        with self._rest.hold_sync():
            self._rest.x = self._placed(rest[known])
            self._rest.y = [names[place] for place in known]
        self._show_selected()

    def _placed(self, points: np.ndarray) -> np.ndarray:
        return log_place(points) if self.scale == "log" else np.asarray(points)

    def _set_range(self, points: list[float]) -> None:
        low, high, ticks = axis_range(self._placed(np.array(points)).tolist())
        axis = self._axes[1]
        self._points.min, self._points.max = low, high
        labels = log_ticks(low, high) if self.scale == "log" else {}
        axis.tick_labels = {f"{place:g}": words for place, words in labels.items()}
        axis.tick_values = np.array(list(labels)) if labels else ticks

    def _fit(self) -> None:
        height = f"{max(len(self._rows.names), 8) * ROW_PX + 44}px"
        shown = self._rows.labels
        left = 18 + CHARACTER_PX * max(map(len, shown.values()), default=0)
        if self._figure.layout.height != height or self._axes[0].tick_labels != shown:
            self._figure.layout.height = height
            self._figure.fig_margin = {"top": 4, "bottom": 38, "left": round(left), "right": 14}
            self._axes[0].tick_labels = shown

    def _show_selected(self, _change: Any = None) -> None:
        depths = {row.layer: row.depth for row in self._rows.bars.values()}
        options = [
            ("none", None),
            *((layer_name(name), name) for name in sorted(depths, key=lambda name: depths[name])),
        ]
        if tuple(self._layer_menu.options) != tuple(options):
            self._layer_menu.options = options
        chosen = self.layer if self.layer in depths else None
        self._layer_menu.value = chosen
        wanted = self._rows.of_layer(chosen) or None
        if _as_list(self._bars.selected) != wanted:
            self._bars.selected = wanted
        self._readout.value = self._words(chosen)

    def _clicked(self, change: Any) -> None:
        places, rows = _as_list(change.new), list(self._rows.bars.values())
        if places == self._rows.of_layer(self.layer):
            return
        if places and places[-1] < len(rows):
            self.layer = rows[places[-1]].layer
            self._show_selected()
        elif not places:
            self.layer = None

    def _chosen(self, change: Any) -> None:
        layers = {row.layer for row in self._rows.bars.values()}
        if change.new is not None or self.layer in layers:
            self.layer = change.new

    def _words(self, chosen: str | None) -> str:
        if self.note:
            return f'<p class="pdcr-warning">{escape(self.note)}</p>'
        if not self._rows.bars:
            return '<p class="pdcr-empty">The effects of the model\'s layers appear here.</p>'
        if chosen is None:
            return '<p class="pdcr-hint">Click a bar to select its layer.</p>'
        rows = [row for row in self._rows.bars.values() if row.layer == chosen]
        shape = " × ".join(map(str, rows[0].shape))
        told = " · ".join(_told(row, len(rows) > 1) for row in rows)
        name = escape(layer_name(chosen))
        return f"<p><b>{name}</b> {escape(rows[0].group)}, output {escape(shape)}<br>{told}</p>"


def _told(row: LayerEffect, with_kind: bool) -> str:
    kind = f"{escape(words(INTERVENTION_WORDS, row.kind))}: " if with_kind else ""
    draws = f", {row.samples} draws" if row.samples > 1 else ""
    rest = f" (rest of the image {signed(row.elsewhere)})" if np.isfinite(row.elsewhere) else ""
    return f"{kind}{signed(row.effect, row.stderr)} points{rest}{draws}"


def _shown_kinds(effects: LayerEffects | None, first: str, every: bool) -> list[str]:
    kinds = list(effects.kinds) if effects is not None else []
    ordered = sorted(kinds, key=lambda kind: kind != first)
    return ordered if every else ordered[:1]


def _legend(kinds: list[str], rows: list[LayerEffect], colormap: str) -> str:
    """Say which tone is which kind, and what the diamonds are."""
    if not rows:
        return ""
    color = share_colors(colormap)["supporting"]
    tones = [
        f'<span><i class="pdcr-swatch" style="background: {color}; opacity: {tone}"></i>'
        f"{escape(words(INTERVENTION_WORDS, kind))}</span>"
        for kind, tone in zip(kinds, TONES, strict=False)
    ]
    if any(np.isfinite(row.elsewhere) for row in rows):
        tones.append("<span>\u25c7 on the rest of the image</span>")
    return f'<p class="pdcr-tones">Replaced by {" ".join(tones)}</p>'


def _marks(names: bq.Scale, points: bq.Scale) -> tuple[bq.Bars, bq.Lines, bq.Scatter]:
    bars = bq.Bars(
        x=[],
        y=[],
        scales={"x": names, "y": points},
        orientation="horizontal",
        padding=0.1,
        interactions={"click": "select"},
        selected_style={"stroke": ACCENT, "stroke-width": "1px"},
        unselected_style={},
    )
    errors = bq.Lines(x=[], y=[], scales={"x": points, "y": names}, colors=[GREY], stroke_width=1.5)
    rest = bq.Scatter(
        x=[], y=[], scales={"x": points, "y": names}, marker="diamond", default_size=22,
        colors=[GREY], fill=False, stroke=GREY, stroke_width=1.3,
    )  # fmt: skip
    return bars, errors, rest


def _figure(
    names: bq.Scale, points: bq.Scale, marks: list[bq.Mark]
) -> tuple[list[bq.Axis], bq.Figure]:
    layers = bq.Axis(scale=names, side="left", grid_lines="none")
    effects = bq.Axis(scale=points, label="effect on the outcome, points", tick_format="~g")
    figure = quiet_figure("100px", {}, marks=marks, axes=[layers, effects])
    return [layers, effects], figure


def _as_list(selected: Any) -> list[int] | None:
    return None if selected is None or not len(selected) else [int(place) for place in selected]
