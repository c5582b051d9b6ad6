"""One layer of a session's model under the lens: its channels, and what one of them does."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import traitlets as t

from pdcr_widgets.causal.components import (
    LayerEffects,
    LayerEffectUpdate,
    PredictionChange,
    activations,
    iter_channel_effects,
    prediction_change,
)
from pdcr_widgets.causal.components.where import as_mask
from pdcr_widgets.failures import in_words
from pdcr_widgets.inside import about
from pdcr_widgets.request import Request
from pdcr_widgets.runner import Runner
from pdcr_widgets.session import Session
from pdcr_widgets.signals import Event, Failed, Finished, Signal
from pdcr_widgets.turns import turn
from pdcr_widgets.twin import lock_of

MOST_CHANNELS = 512
LOOKED_AT = (
    "layer", "image", "region", "segmenter", "target", "intervention", "outcome", "where",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Layer:
    """What a layer gives for the image, ``(channels, *positions)`` float32."""

    name: str
    values: np.ndarray


class LayerLens(t.HasTraits):
    """Keeps the channels of a session's selected layer up to date, on a worker of its own.

    Parameters
    ----------
    session
        Whose layer is looked at. Without threads of its own, nothing here has any either.

    Notes
    -----
    Follows the session's ``layer``, image, region, model and intervention. For a skip connection
    its map is shown, and no channels.
    """

    channel = t.Unicode(None, allow_none=True, help="selected channel, as in `channels`")
    shown = t.Instance(Layer, allow_none=True, read_only=True)
    channels = t.Instance(LayerEffects, allow_none=True, read_only=True)
    change = t.Instance(PredictionChange, allow_none=True, read_only=True)
    note = t.Unicode("", read_only=True, help="what is being done or went wrong, or empty")

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._runner = Runner(_weakly(self, "_receive"), threaded=session.threaded)
        self._finalizer = weakref.finalize(self, self._runner.close)
        session.observe(self._ask_anew, names=list(LOOKED_AT))
        self.observe(self._look_at_channel, names=["channel"])
        if session.layer is not None:
            self._ask_anew()

    def close(self) -> None:
        """Stop for good and end the worker thread."""
        if self._finalizer.alive:
            self._session.unobserve(self._ask_anew, names=list(LOOKED_AT))
        self._finalizer()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until nothing is left to compute; False if `timeout` seconds were not enough."""
        return self._runner.join(timeout)

    def _ask_anew(self, _change: Any = None) -> None:
        layer, region = self._session.layer, self._session.region
        self.channel = None
        self._set(shown=None, channels=None, change=None, note="")
        self._runner.stop()
        if layer is None or region is None:
            return
        request = self._session._request()
        guard = lock_of(self._session.segmenter.model)
        self._set(note="looking at the channels …")
        self._runner.submit(lambda: _events(request, layer), guard=guard, at_once=True)

    def _look_at_channel(self, _change: Any = None) -> None:
        self._set(change=None)
        channel, layer = self.channel, self._session.layer
        if channel is None or layer is None:
            return
        request, here = self._session._request(), weakref.ref(self)
        guard = lock_of(self._session.segmenter.model)

        def answer() -> None:
            try:
                with turn(), guard:
                    found, note = _change_of(request, channel), ""
            except Exception as failure:
                found, note = None, in_words(failure)
            if (lens := here()) is not None and lens.channel == channel:
                lens._set(change=found, note=note)

        self._runner.ask(answer)

    def _receive(self, signal: Signal) -> None:
        match signal:
            case Event(value=Layer() as shown):
                self._set(shown=shown)
            case Event(value=LayerEffectUpdate(effects=effects)):
                self._set(channels=effects)
            case Finished():
                self._set(note="")
            case Failed(error=error):
                self._set(note=in_words(error))

    def _set(self, **results: Any) -> None:
        for name, value in results.items():
            self.set_trait(name, value)


def _events(request: Request, layer: str) -> Iterator[Any]:
    """Show the layer's maps first, then its channels' effects as they are found."""
    values = activations(request.segmenter, request.image, layer=layer)
    yield Layer(layer, values)
    if " -> " in layer or ".head[" in layer:
        return
    size = -(-len(values) // MOST_CHANNELS)
    yield from iter_channel_effects(
        **about(request), layer=layer, size=size, intervention=request.intervention
    )


def _change_of(request: Request, channel: str) -> PredictionChange:
    asked = about(request)
    for name in ("region", "truth", "outcome"):
        del asked[name]
    if request.where is not None and request.region is not None:
        asked["where"] = as_mask(request.where, request.region)
    return prediction_change(**asked, layer=channel, intervention=request.intervention)


def _weakly(owner: Any, name: str) -> Any:
    """Call a method without keeping its object alive."""
    reference = weakref.ref(owner)

    def call(signal: Signal) -> None:
        alive = reference()
        if alive is not None:
            getattr(alive, name)(signal)

    return call
