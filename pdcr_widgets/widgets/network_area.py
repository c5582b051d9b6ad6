"""Where in the image a network's components are replaced."""

from __future__ import annotations

from typing import Any

import numpy as np

from pdcr_widgets.session import Session
from pdcr_widgets.widgets.menu import Menu
from pdcr_widgets.widgets.region_canvas import RegionCanvas
from pdcr_widgets.widgets.style import markup
from pdcr_widgets.widgets.view import View

EVERYWHERE, DRAWN = "everywhere", "drawn"
PLACES = {
    EVERYWHERE: "Everywhere",
    "inside": "Inside the region",
    "outside": "Outside the region",
    DRAWN: "In a drawn area",
}
HEIGHT = 300


class AreaCanvas(View):
    """Where layers are replaced: everywhere, inside or outside the region, or where it is drawn.

    Parameters
    ----------
    session
        Whose ``where`` is set.

    Attributes
    ----------
    menu : Dropdown
        The choice, to be put somewhere else; here is what is drawn on.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self.menu = Menu(
            options=[(label, name) for name, label in PLACES.items()], description="Replace"
        )
        self._canvas: RegionCanvas | None = None
        self._words = markup("pdcr-hint")
        super().__init__()
        self.fill(self._words, aside=(self.menu,))
        self.menu.observe(self._choose, names=["value"])
        self.watch(session, ["where", "image"], self._mirror)
        self._mirror()

    def _choose(self, change: Any) -> None:
        if change.new != DRAWN:
            self._session.where = None if change.new == EVERYWHERE else change.new
        elif self._canvas is None:
            self._canvas = RegionCanvas(
                self._session.image, spacing=self._session.spacing, max_height=HEIGHT
            )
            self._canvas.observe(self._drawn, names=["region"])
        self._show()

    def _drawn(self, change: Any) -> None:
        if self.menu.value == DRAWN:
            self._session.where = change.new if np.any(change.new) else None
            self._show()

    def _mirror(self, change: Any = None) -> None:
        """Follow what others set; another image takes the drawing away."""
        if change is not None and change.name == "image" and self._canvas is not None:
            self._canvas.close()
            self._canvas = None
            self.menu.value = EVERYWHERE if self.menu.value == DRAWN else self.menu.value
        where = self._session.where
        if isinstance(where, str) or (where is None and self.menu.value != DRAWN):
            self.menu.value = where or EVERYWHERE
        self._show()

    def _show(self) -> None:
        drawing = self.menu.value == DRAWN and self._canvas is not None
        canvas = [self._canvas] if drawing else []
        self.children = (self.children[0], self._words, *canvas)
        asks = drawing and not np.any(self._canvas.region)  # type: ignore[union-attr]
        self._words.value = "<p>Draw the area on the slice.</p>" if asks else ""
