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
from pdcr_widgets.widgets.figures import axis_range, quiet_figure, show_before_last
from pdcr_widgets.widgets.style import block, markup
from pdcr_widgets.widgets.text import INTERVENTION_WORDS, escape, layer_name, shorten, signed, words
from pdcr_widgets.widgets.view import View

ROW_PX = 22
CHARACTER_PX = 6.6
SORTS = {"depth": "By depth", "size": "By size of effect"}


class LayerEffectChart(View):
    """One bar per layer with its standard error; a click selects a layer.

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
        What replaces a layer's output, a key of ``INTERVENTIONS``. With several kinds among the
        effects, the bars show this one.
    sort : {"depth", "size"}
        Order of the bars.
    layer : str or None
        The selected layer.
    colormap : {"red-blue", "orange-purple"}
        Colours of negative and positive bars.
    note : str
        Why there are no layer effects, or empty.
    """

    effects = t.Instance(LayerEffects, allow_none=True)
    intervention = t.Enum(list(INTERVENTIONS), "mean")
    sort = t.Enum(list(SORTS), "depth")
    layer = t.Unicode(None, allow_none=True)
    colormap = t.Enum(list(COLORMAPS), "red-blue")
    note = t.Unicode("")

    def __init__(self, session: Session | None = None, **traits: Any) -> None:
        self._names = bq.OrdinalScale()
        self._points = bq.LinearScale()
        self._bars, self._errors = _marks(self._names, self._points)
        self._axes, self._figure = _figure(self._names, self._points, [self._bars, self._errors])
        self._readout = markup("pdcr-words")
        self._rows: list[LayerEffect] = []
        super().__init__(**traits)
        self.fill(self._menus(session), self._readout, aside=(self._figure,))
        self.add_class("pdcr-layers")
        self.observe(self._draw, names=["effects", "intervention", "sort", "colormap", "note"])
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
        self._layer_menu = w.Dropdown(options=[("none", None)], description="Layer")
        donors = session is not None and session.donors is not None
        kinds = [name for name, kind in INTERVENTIONS.items() if donors or not kind.needs_donors]
        kind = w.Dropdown(
            options=[(words(INTERVENTION_WORDS, name), name) for name in kinds],
            description="Replace by",
        )
        self.link((self, "sort"), (sort, "value"))
        self.link((self, "intervention"), (kind, "value"))
        self._layer_menu.observe(self._chosen, names=["value"])
        return block("pdcr-controls", children=[kind, sort, self._layer_menu])

    def _draw(self, _change: Any = None) -> None:
        kinds = self.effects.kinds if self.effects is not None else ()
        kind = self.intervention if self.intervention in kinds else kinds[0] if kinds else None
        self._rows = _sorted([row for row in self.effects or () if row.kind == kind], self.sort)
        names = [row.layer for row in self._rows]
        effect = np.nan_to_num([row.effect for row in self._rows])
        spread = np.nan_to_num([row.stderr for row in self._rows])
        colors = share_colors(self.colormap)
        show_before_last(self, self._figure, bool(names))
        self._names.domain = names[::-1]
        self._fit(names)
        with self._bars.hold_sync():
            self._bars.x, self._bars.y = names, effect
            self._bars.colors = [
                colors["supporting" if value < 0 else "harming"] for value in effect
            ] or [colors["supporting"]]
        low, high, ticks = axis_range([*(effect - spread), *(effect + spread)])
        self._points.min, self._points.max = low, high
        self._axes[1].tick_values = ticks
        with self._errors.hold_sync():
            self._errors.x = np.stack([effect - spread, effect + spread], axis=1)
            self._errors.y = [[name, name] for name in names]
        self._show_selected()

    def _fit(self, names: list[str]) -> None:
        height = f"{max(len(names), 3) * ROW_PX + 44}px"
        shown = {name: shorten(layer_name(name), 26) for name in names}
        left = 18 + CHARACTER_PX * max(map(len, shown.values()), default=0)
        if self._figure.layout.height != height or self._axes[0].tick_labels != shown:
            self._figure.layout.height = height
            self._figure.fig_margin = {"top": 4, "bottom": 38, "left": round(left), "right": 14}
            self._axes[0].tick_labels = shown

    def _show_selected(self, _change: Any = None) -> None:
        names = [row.layer for row in self._rows]
        options = [
            ("none", None),
            *((layer_name(name), name) for name in sorted(names, key=self._depth)),
        ]
        if tuple(self._layer_menu.options) != tuple(options):
            self._layer_menu.options = options
        chosen = self.layer if self.layer in names else None
        self._layer_menu.value = chosen
        wanted = [names.index(chosen)] if chosen is not None else None
        if _as_list(self._bars.selected) != wanted:
            self._bars.selected = wanted
        self._readout.value = self._words(chosen)

    def _depth(self, name: str) -> int:
        return next(row.depth for row in self._rows if row.layer == name)

    def _clicked(self, change: Any) -> None:
        places = _as_list(change.new)
        if places and places[-1] < len(self._rows):
            self.layer = self._rows[places[-1]].layer
        elif not places:
            self.layer = None

    def _chosen(self, change: Any) -> None:
        if change.new is not None or self.layer in [row.layer for row in self._rows]:
            self.layer = change.new

    def _words(self, chosen: str | None) -> str:
        if self.note:
            return f'<p class="pdcr-warning">{escape(self.note)}</p>'
        if not self._rows:
            return '<p class="pdcr-empty">The effects of the model\'s layers appear here.</p>'
        if chosen is None:
            return '<p class="pdcr-hint">Click a bar to select its layer.</p>'
        row = next(row for row in self._rows if row.layer == chosen)
        shape = " × ".join(map(str, row.shape))
        draws = f"{row.samples} draw{'s' if row.samples != 1 else ''}"
        return (
            f"<p><b>{escape(layer_name(row.layer))}</b> {signed(row.effect, row.stderr)} points · "
            f"{escape(row.group)} · output {escape(shape)} · {draws}</p>"
        )


def _marks(names: bq.Scale, points: bq.Scale) -> tuple[bq.Bars, bq.Lines]:
    bars = bq.Bars(
        x=[],
        y=[],
        scales={"x": names, "y": points},
        orientation="horizontal",
        padding=0.25,
        interactions={"click": "select"},
        unselected_style={"opacity": 0.45},
    )
    errors = bq.Lines(
        x=[], y=[], scales={"x": points, "y": names}, colors=["#767676"], stroke_width=1.5
    )
    return bars, errors


def _figure(
    names: bq.Scale, points: bq.Scale, marks: list[bq.Mark]
) -> tuple[list[bq.Axis], bq.Figure]:
    layers = bq.Axis(scale=names, side="left", grid_lines="none")
    effects = bq.Axis(scale=points, label="effect on the outcome, points", tick_format="~g")
    figure = quiet_figure("100px", {}, marks=marks, axes=[layers, effects])
    return [layers, effects], figure


def _sorted(rows: list[LayerEffect], sort: str) -> list[LayerEffect]:
    if sort == "depth":
        return sorted(rows, key=lambda row: row.depth)
    return sorted(rows, key=lambda row: -abs(np.nan_to_num(row.effect)))


def _as_list(selected: Any) -> list[int] | None:
    return None if selected is None or not len(selected) else [int(place) for place in selected]
