"""Inside the network: its diagram, the channels of a layer, and what one of them does."""

from __future__ import annotations

from typing import Any

import ipywidgets as w
import numpy as np
import traitlets as t

from pdcr_widgets.causal.components import LayerEffect, LayerEffects
from pdcr_widgets.lens import LayerLens
from pdcr_widgets.session import Session
from pdcr_widgets.widgets.canvas_picture import (
    REGION_COLOR,
    color_effects,
    compose,
    grey_or_color,
)
from pdcr_widgets.widgets.channel_strip import ChannelStrip, as_maps
from pdcr_widgets.widgets.colors import COLORMAPS
from pdcr_widgets.widgets.network_view import SCALES, NetworkView
from pdcr_widgets.widgets.style import markup
from pdcr_widgets.widgets.text import INTERVENTION_WORDS, escape, signed, words
from pdcr_widgets.widgets.view import View

AMBER = (255, 176, 0)


class NetworkExplorer(View):
    """The network of a session: click a stage for its channels, a channel for what it changes.

    Parameters
    ----------
    session
        Whose layer effects are shown; the selected layer is shared with it.
    **traits
        Initial values of the traits below.

    Attributes
    ----------
    view : NetworkView
        The diagram.
    strip : ChannelStrip
        Channels of the selected layer.
    lens : LayerLens
        What is computed for it.
    pinned : list of str
        At most two components, compared in a table.
    colormap : {"red-blue", "orange-purple"}
        Colours of negative and positive effects.
    """

    pinned = t.List(t.Unicode())
    colormap = t.Enum(list(COLORMAPS), "red-blue")

    def __init__(self, session: Session, **traits: Any) -> None:
        self._session = session
        self.lens = LayerLens(session)
        self.view, self.strip = NetworkView(), ChannelStrip()
        self._words, self._comparison = markup("pdcr-words"), markup("pdcr-comparison")
        self._pin = w.Button(description="Pin to compare", disabled=True)
        self._scale = w.Dropdown(
            options=[(words, name) for name, words in SCALES.items()], description="Colours"
        )
        self._scale.layout.width = "190px"
        self._about_channel = markup("pdcr-words")
        self._pictures = [_picture(), _picture()]
        super().__init__(**traits)
        wrap = w.Layout(flex_flow="row wrap", align_items="flex-start", overflow="visible")
        self.fill(
            self.view, self._words, w.HBox([self._pin, self._scale], layout=wrap),
            self._comparison, self.strip, self._about_channel,
            w.HBox(self._pictures, layout=wrap),
        )  # fmt: skip
        self._connect()
        self._draw_network()
        self._draw_layer()

    def close(self) -> None:
        """End the computation and take the widgets off every page."""
        self.lens.close()
        super().close()

    def _connect(self) -> None:
        session, lens = self._session, self.lens
        self.link((session, "layer"), (self.view, "layer"))
        self.link((lens, "channel"), (self.strip, "channel"))
        self.link((self, "pinned"), (self.view, "pinned"))
        self.link((self._scale, "value"), (self.view, "scale"))
        for view in (self.view, self.strip):
            self.follow((self, "colormap"), (view, "colormap"))
        self.watch(session, ["layers", "layer"], self._draw_network)
        shown = ["shown", "channels", "change", "note", "channel"]
        self.watch(lens, shown, self._draw_layer)
        self.observe(self._draw_network, names=["pinned", "colormap"])
        self.observe(self._draw_layer, names=["colormap"])
        self._pin.on_click(self._toggle_pin)

    def _toggle_pin(self, _button: Any = None) -> None:
        layer = self._session.layer
        if layer in self.pinned:
            self.pinned = [name for name in self.pinned if name != layer]
        elif layer is not None:
            self.pinned = [*self.pinned, layer][-2:]

    def _draw_network(self, _change: Any = None) -> None:
        effects, layer = self._session.layers, self._session.layer
        self.view.show(effects)
        known = effects is not None and layer in effects.layers
        self._words.value = _about_layer(effects, layer) if known else _hint(effects)
        self._pin.disabled = not known and layer not in self.pinned
        self._pin.description = "Unpin" if layer in self.pinned else "Pin to compare"
        self._comparison.value = _comparison(effects, self.pinned)

    def _draw_layer(self, _change: Any = None) -> None:
        lens = self.lens
        values = None if lens.shown is None else lens.shown.values
        self.strip.show(values, lens.channels)
        channels = values is not None and lens.channels is not None
        self.strip.layout.display = None if channels else "none"
        self._about_channel.value = self._text_of_channel()
        self._show_maps(values)

    def _text_of_channel(self) -> str:
        lens = self.lens
        if lens.note:
            return f'<p class="pdcr-hint">{escape(lens.note)}</p>'
        if lens.channels is None:
            return ""
        if lens.channel is None:
            return (
                '<p class="pdcr-hint">Channels, strongest first: click one to see what it does.</p>'
            )
        row = next((r for r in lens.channels if r.layer == lens.channel), None)
        if row is None:
            return ""
        effect = _effect(row)
        told = f"<p><b>Channel {escape(row.layer)}</b>: {effect} points in the region"
        if lens.change is None:
            return f"{told} · measuring where …</p>"
        flipped = int((lens.change.flipped > 0.5).sum())
        return f"{told} · {flipped} pixels of the prediction flip in the whole image</p>"

    def _show_maps(self, values: np.ndarray | None) -> None:
        lens, (left, right) = self.lens, self._pictures
        chosen = _chosen_map(values, lens.channel)
        change = lens.change if lens.channel is not None else None
        one = chosen if lens.channel is not None or lens.channels is None else None
        for picture, found in ((left, one), (right, change)):
            picture.layout.display = None if found is not None else "none"
        if one is not None:
            left.children[0].value = self._png(_glow(_resized(one, self._session.image.shape[1:])))
            left.children[1].value = "<p>What it gives for the image: strongest in amber.</p>"
        if change is not None:
            top = float(np.abs(change.change).max())
            right.children[0].value = self._png(
                color_effects(change.change, top or 1.0, self.colormap)
            )
            right.children[1].value = (
                f"<p>Where the probability changes without it, by up to {top:.2g}. "
                f"Negative: it was higher with it.</p>"
            )

    def _png(self, colors: np.ndarray) -> bytes:
        """Lay colours ``(height, width, 4)`` and the region's outline over the image."""
        image = self._session.image.float().cpu().numpy()
        base = grey_or_color(image, 0, ((float(image.min()), float(image.max())),) * len(image))
        region = self._session.region
        outlines = [] if region is None else [(region, REGION_COLOR)]
        return compose(base, colors, 1.0, outlines)


def _picture() -> w.VBox:
    image = w.Image(format="png", layout=w.Layout(width="100%"))
    image.add_class("pdcr-map")
    place = w.Layout(width="320px", margin="0 12px 0 0", overflow="visible")
    return w.VBox([image, markup("pdcr-hint")], layout=place)


def _hint(effects: LayerEffects | None) -> str:
    if effects is None:
        return '<p class="pdcr-empty">The network appears here once its layers are measured.</p>'
    kinds = " · ".join(escape(words(INTERVENTION_WORDS, kind)) for kind in effects.kinds)
    stripes = f"Stripes: {kinds}." if len(effects.kinds) > 1 else f"Replaced by: {kinds}."
    return (
        f'<p class="pdcr-hint">{stripes} Points of effect: negative, it supports the prediction; '
        f"positive, it harms it. Bridges are skip connections, each cut on its own. Click a stage "
        f"for its channels.</p>"
    )


def _about_layer(effects: LayerEffects | None, layer: str | None) -> str:
    assert effects is not None
    rows = [row for row in effects if row.layer == layer]
    shape = " × ".join(map(str, rows[0].shape))
    told = " · ".join(
        f"{escape(words(INTERVENTION_WORDS, row.kind))}: {_effect(row)}" for row in rows
    )
    where = f"{escape(rows[0].group)}, {escape(shape)}"
    return f"<p><b>{_name(rows[0].layer)}</b> ({where}) {told} points</p>"


def _name(layer: str) -> str:
    return escape(layer.replace(" -> ", " → "))


def _effect(row: LayerEffect) -> str:
    """Write an effect; draws that happen to agree do not make it exact."""
    if row.samples > 1 and row.stderr == 0:
        return f"{signed(row.effect)} ± 0.00"
    return signed(row.effect, row.stderr)


def _comparison(effects: LayerEffects | None, pinned: list[str]) -> str:
    """Give the pinned components side by side, one row per kind."""
    if effects is None or not pinned:
        return ""
    known = [name for name in pinned if name in effects.layers]
    head = "".join(f"<th>{_name(name)}</th>" for name in known)
    lines = []
    for kind in effects.kinds:
        rows = [effects.get(name, kind) for name in known]
        cells = "".join(f"<td>{_effect(row)}</td>" for row in rows)
        if len(rows) == 2:
            cells += f"<td>{signed(rows[0].effect - rows[1].effect)}</td>"
        lines.append(f"<tr><td>{escape(words(INTERVENTION_WORDS, kind))}</td>{cells}</tr>")
    head += "<th>difference</th>" if len(known) == 2 else ""
    return f"<table><tr><th></th>{head}</tr>{''.join(lines)}</table>"


def _chosen_map(values: np.ndarray | None, channel: str | None) -> np.ndarray | None:
    if values is None:
        return None
    maps = as_maps(values)
    if channel is None:
        return maps.mean(axis=0)
    start, _, stop = channel.rpartition("[")[2].rstrip("]").partition(":")
    return maps[int(start) : int(stop or int(start) + 1)].mean(axis=0)


def _glow(values: np.ndarray) -> np.ndarray:
    """Colour activations ``(height, width)``: opaque where they are highest."""
    low, high = float(values.min()), float(values.max())
    opacity = 0.85 * (values - low) / max(high - low, 1e-12)
    return np.concatenate([np.broadcast_to(AMBER, (*values.shape, 3)), opacity[..., None]], axis=2)


def _resized(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    rows, cols = (np.arange(n) * have // n for n, have in zip(shape, values.shape, strict=True))
    return values[rows][:, cols]
