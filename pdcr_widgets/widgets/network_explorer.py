"""Inside the network: its diagram, the channels of a layer, and what one of them does."""

from __future__ import annotations

from typing import Any

import ipywidgets as w
import numpy as np
import traitlets as t

from pdcr_widgets.answers import Answers
from pdcr_widgets.lens import LayerLens
from pdcr_widgets.session import Session
from pdcr_widgets.widgets.channel_strip import ChannelStrip, as_maps
from pdcr_widgets.widgets.colors import COLORMAPS
from pdcr_widgets.widgets.network_answers import AnswerView
from pdcr_widgets.widgets.network_area import AreaCanvas
from pdcr_widgets.widgets.network_pictures import MapPicture
from pdcr_widgets.widgets.network_view import SCALES, NetworkView
from pdcr_widgets.widgets.network_words import about_layer, comparison, effect_of, hint
from pdcr_widgets.widgets.style import block, markup
from pdcr_widgets.widgets.text import escape
from pdcr_widgets.widgets.view import View

TABS = {
    "": "Channels",
    "windows": "Where in the layer",
    "dose": "Dose",
    "paths": "What the skips do",
    "pair": "Both pinned at once",
}
COLOURED = {False: "In the region", True: "Rest of the image"}


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
    answers : Answers
        What is computed when it is asked for: windows of positions, doses, paths and pairs.
    pinned : list of str
        At most two components, compared in a table.
    rest : bool
        Whether the diagram is coloured by the effect on the rest of the image.
    colormap : {"red-blue", "orange-purple"}
        Colours of negative and positive effects.
    """

    pinned = t.List(t.Unicode())
    rest = t.Bool(False)
    colormap = t.Enum(list(COLORMAPS), "red-blue")

    def __init__(self, session: Session, **traits: Any) -> None:
        self._session = session
        self.lens, self.answers = LayerLens(session), Answers(session)
        self.view, self.strip = NetworkView(), ChannelStrip()
        self._words, self._comparison = markup("pdcr-words"), markup("pdcr-comparison")
        self._about_channel = markup("pdcr-words")
        self._pin = w.Button(description="Pin to compare", disabled=True)
        self._pictures = [MapPicture(), MapPicture()]
        self._area = AreaCanvas(session)
        super().__init__(**traits)
        self.add_class("pdcr-inside")
        self._answer = AnswerView(session, self.answers)
        maps = block("pdcr-maps", children=self._pictures)
        self._of_channels = w.VBox([self.strip, self._about_channel, maps])
        self._of_channels.layout.overflow = "visible"
        self.fill(
            self._controls(), self._area, self.view, self._words, self._pin, self._comparison,
            self._tabs(), self._of_channels, self._answer,
        )  # fmt: skip
        self._connect()
        self._draw_network()
        self._draw_layer()

    def still(self) -> bytes | None:
        """Give the effects of the layers as PNG."""
        layers = self._session.layers
        return None if layers is None else layers._repr_png_()

    def __repr__(self) -> str:
        layers = self._session.layers
        return "NetworkExplorer(no effects yet)" if layers is None else repr(layers)

    def close(self) -> None:
        """End the computation and take the widgets off every page."""
        self.lens.close()
        self.answers.close()
        super().close()

    def _controls(self) -> w.Box:
        colours = w.Dropdown(
            options=[(words, name) for name, words in SCALES.items()], description="Colours"
        )
        rest = w.Dropdown(
            options=[(words, name) for name, words in COLOURED.items()], description="Effect"
        )
        self.link((colours, "value"), (self.view, "scale"))
        self.link((self, "rest"), (rest, "value"))
        return block("pdcr-controls", children=[self._area.menu, rest, colours])

    def _tabs(self) -> w.ToggleButtons:
        tabs = w.ToggleButtons(options=[(words, name) for name, words in TABS.items()])
        tabs.add_class("pdcr-tabs")
        self.link((self.answers, "question"), (tabs, "value"))
        return tabs

    def _connect(self) -> None:
        session, lens = self._session, self.lens
        self.link((session, "layer"), (self.view, "layer"))
        self.link((lens, "channel"), (self.strip, "channel"))
        self.link((self, "pinned"), (self.view, "pinned"))
        self.follow((self, "pinned"), (self.answers, "pinned"))
        for view in (self.view, self.strip, self._answer):
            self.follow((self, "colormap"), (view, "colormap"))
        self.watch(session, ["layers", "layer"], self._draw_network)
        shown = ["shown", "channels", "change", "note", "channel"]
        self.watch(lens, shown, self._draw_layer)
        self.watch(self.answers, ["question"], self._draw_layer)
        self.observe(self._draw_network, names=["pinned", "colormap", "rest"])
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
        self.view.show(effects, elsewhere=self.rest)
        known = effects is not None and layer in effects.layers
        self._words.value = about_layer(effects, layer) if known else hint(effects)  # type: ignore[arg-type]
        self._pin.disabled = not known and layer not in self.pinned
        self._pin.description = "Unpin" if layer in self.pinned else "Pin to compare"
        self._comparison.value = comparison(effects, self.pinned)

    def _draw_layer(self, _change: Any = None) -> None:
        lens, asked = self.lens, bool(self.answers.question)
        values = None if lens.shown is None else lens.shown.values
        self._of_channels.layout.display = "none" if asked else None
        self._answer.layout.display = None if asked else "none"
        self.strip.show(values, lens.channels)
        channels = values is not None and lens.channels is not None
        self.strip.layout.display = None if channels else "none"
        self._about_channel.value = self._text_of_channel()
        self._show_maps(values)

    def _text_of_channel(self) -> str:
        lens = self.lens
        if lens.note:
            return f'<p class="pdcr-hint">{escape(lens.note)}</p>'
        if self._session.layer is None:
            return '<p class="pdcr-empty">Select a stage in the diagram to see its channels.</p>'
        if lens.channels is None:
            return ""
        if lens.channel is None:
            return (
                '<p class="pdcr-hint">Channels, strongest first: click one to see what it does.</p>'
            )
        row = next((r for r in lens.channels if r.layer == lens.channel), None)
        if row is None:
            return ""
        told = f"<p><b>Channel {escape(row.layer)}</b>: {effect_of(row)} points in the region"
        if lens.change is None:
            return f"{told} · measuring where …</p>"
        flipped = int((lens.change.flipped > 0.5).sum())
        return f"{told} · {flipped} pixels of the prediction flip in the whole image</p>"

    def _show_maps(self, values: np.ndarray | None) -> None:
        lens, (left, right) = self.lens, self._pictures
        chosen = _chosen_map(values, lens.channel)
        change = lens.change if lens.channel is not None else None
        if chosen is None or (lens.channel is None and lens.channels is not None):
            left.hide()
        else:
            left.glow(self._session, chosen, "What it gives for the image: strongest in amber.")
        if change is None:
            right.hide()
        else:
            top = float(np.abs(change.change).max())
            right.effects(
                self._session, change.change, self.colormap,
                f"Where the probability changes without it, by up to {top:.2g}. Negative: it was "
                f"higher with it.",
            )  # fmt: skip


def _chosen_map(values: np.ndarray | None, channel: str | None) -> np.ndarray | None:
    if values is None:
        return None
    maps = as_maps(values)
    if channel is None:
        return maps.mean(axis=0)
    start, _, stop = channel.rpartition("[")[2].rstrip("]").partition(":")
    return maps[int(start) : int(stop or int(start) + 1)].mean(axis=0)
