"""The legend of an effect map."""

from __future__ import annotations

from typing import Any

import traitlets as t

from pdcr_widgets.causal import ATEMap
from pdcr_widgets.session import Session
from pdcr_widgets.widgets import legend
from pdcr_widgets.widgets.canvas_wire import nice_limit
from pdcr_widgets.widgets.colors import COLORMAPS, share_colors
from pdcr_widgets.widgets.style import markup
from pdcr_widgets.widgets.view import View


class ATEView(View):
    """Signed colour scale, shares of supporting, harming and irrelevant patches, and numbers.

    Parameters
    ----------
    session
        Whose map is shown; None to set or link ``ate`` by hand.
    **traits
        Initial values of the traits below, or any of `ipywidgets.VBox`.

    Attributes
    ----------
    ate : ATEMap or None
        The map.
    limit : float
        Points at the ends of the colour scale; 0 fits the map, as the canvas does.
    colormap : {"red-blue", "orange-purple"}
        Colours; the second is easier to tell apart with a red-green deficiency.
    """

    ate = t.Instance(ATEMap, allow_none=True)
    limit = t.Float(0.0, min=0.0)
    colormap = t.Enum(list(COLORMAPS), "red-blue")

    def __init__(self, session: Session | None = None, **traits: Any) -> None:
        self._body = markup("pdcr-legend")
        super().__init__(**traits)
        self.fill(self._body)
        self.observe(self._draw, names=["ate", "limit", "colormap"])
        if session is not None:
            self.follow((session, "ate"), (self, "ate"))
        self._draw()

    def still(self) -> bytes | None:
        """Give the map as PNG."""
        return None if self.ate is None else self.ate._repr_png_()

    def __repr__(self) -> str:
        return "ATEView(no map yet)" if self.ate is None else repr(self.ate)

    def _draw(self, _change: Any = None) -> None:
        if self.ate is None:
            self._body.value = '<p class="pdcr-empty">The effect map appears here.</p>'
            return
        colors = share_colors(self.colormap)
        self._body.value = (
            legend.scale(self.limit or nice_limit(self.ate.effect), COLORMAPS[self.colormap])
            + legend.shares(self.ate, colors)
            + legend.facts(self.ate)
        )
