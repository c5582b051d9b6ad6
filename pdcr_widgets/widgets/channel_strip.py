"""The channels of a layer as small pictures, strongest first."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite
from typing import Any

import anywidget
import numpy as np
import traitlets as t

from pdcr_widgets.causal.components import LayerEffects
from pdcr_widgets.widgets.colors import COLORMAPS
from pdcr_widgets.widgets.guarded import Guarded
from pdcr_widgets.widgets.network_view import STATIC
from pdcr_widgets.widgets.stills import Stilled
from pdcr_widgets.widgets.text import signed

SIDE = 56  # pixels at most of a thumbnail


class ChannelStrip(Guarded, Stilled, anywidget.AnyWidget):
    """One card per channel: what it gives for the image, and the effect of replacing it.

    Attributes
    ----------
    channel : str or None
        The selected channel.
    limit : float
        Points at both ends of the colour scale.
    colormap : {"red-blue", "orange-purple"}
        Colours of negative and positive effects.
    """

    FROM_PAGE = frozenset({"channel"})

    _esm = STATIC / "channel_strip.js"
    _css = STATIC / "channel_strip.css"

    thumbs: Any = t.Dict(allow_none=True, default_value=None).tag(sync=True)
    names = t.List(t.Unicode()).tag(sync=True)
    effects: Any = t.List().tag(sync=True)
    stderr: Any = t.List().tag(sync=True)
    colormap = t.Enum(tuple(COLORMAPS), "red-blue").tag(sync=True)
    limit = t.Float(0.0, min=0).tag(sync=True)
    channel = t.Unicode(None, allow_none=True).tag(sync=True)

    def said(self) -> Iterator[str]:
        """Give each channel's effect."""
        for name, effect in zip(self.names, self.effects, strict=True):
            yield f"{name}: {signed(float('nan') if effect is None else effect)}"

    def show(self, values: np.ndarray | None, effects: LayerEffects | None) -> None:
        """Draw a layer's channels and what is known of their effects.

        Parameters
        ----------
        values
            ``(channels, *positions)``; None empties the strip.
        effects
            One row per channel, or per group of channels; None: not known yet.
        """
        if values is None or effects is None:
            self.names, self.thumbs = [], None
            return
        rows = [row for row in effects if row.kind == effects.kinds[0]]
        names = [row.layer for row in rows]
        with self.hold_sync():
            if names != self.names:
                self.thumbs = thumbnails(values[:: -(-len(values) // len(names))])
                self.names = names
            self.effects = [_number(row.effect) for row in rows]
            self.stderr = [_number(row.stderr) for row in rows]
            known = [abs(row.effect) for row in rows if isfinite(row.effect)]
            self.limit = max(known, default=0.0)


def thumbnails(values: np.ndarray) -> dict[str, Any]:
    """Give each channel as grey values of its own range, ``(channels, height, width)`` bytes.

    Channels of no spatial extent become single pixels; of a volume its middle slice is taken;
    tokens are laid out in a square where they fill one, and in a row otherwise.
    """
    maps = as_maps(values)
    step = max(1, -(-max(maps.shape[1:]) // SIDE))
    small = maps[:, ::step, ::step].astype(np.float32)
    low = small.min(axis=(1, 2), keepdims=True)
    span = np.maximum(small.max(axis=(1, 2), keepdims=True) - low, 1e-12)
    grey = np.ascontiguousarray(np.rint(255 * (small - low) / span).astype(np.uint8))
    return {"shape": list(grey.shape), "data": grey.tobytes()}


def as_maps(values: np.ndarray) -> np.ndarray:
    """Bring channels of any extent to ``(channels, height, width)``."""
    if values.ndim > 3:
        middle = tuple(n // 2 for n in values.shape[1:-2])
        return values[(slice(None), *middle)]
    if values.ndim == 3:
        return values
    count = values.shape[1] if values.ndim == 2 else 1
    side = round(count**0.5)
    height, width = (side, side) if side * side == count else (1, count)
    return values.reshape(len(values), height, width)


def _number(value: float) -> float | None:
    return value if isfinite(value) else None
