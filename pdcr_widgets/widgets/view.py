"""What the views of a session have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets as w
import traitlets as t

from pdcr_widgets.widgets.family import family
from pdcr_widgets.widgets.stills import Stilled
from pdcr_widgets.widgets.style import stylesheet


class View(Stilled, w.VBox):
    """A box that leaves nothing behind: closing it unties it and closes everything in it.

    Parameters
    ----------
    **traits
        Any trait of the box.
    """

    def __init__(self, **traits: Any) -> None:
        self._loose: list[Callable[[], None]] = []
        self._aside: list[w.Widget] = []
        super().__init__(**traits)
        self.add_class("pdcr")

    def fill(self, *children: w.Widget, aside: tuple[w.Widget, ...] = ()) -> None:
        """Set the children under the stylesheet; ``aside`` are parts that come and go."""
        self._aside = list(aside)
        self.children = (stylesheet(), *children)

    def link(self, source: tuple[t.HasTraits, str], target: tuple[t.HasTraits, str]) -> None:
        """Keep two traits equal until the view is closed."""
        self._loose.append(t.link(source, target).unlink)

    def follow(self, source: tuple[t.HasTraits, str], target: tuple[t.HasTraits, str]) -> None:
        """Copy a trait to another, now and when it changes, until the view is closed."""
        self._loose.append(t.dlink(source, target).unlink)

    def watch(self, owner: t.HasTraits, names: list[str], handler: Callable[[Any], None]) -> None:
        """Call a handler when traits change, until the view is closed."""
        owner.observe(handler, names=names)
        self._loose.append(lambda: owner.unobserve(handler, names=names))

    def close(self) -> None:
        """Untie the view and close everything in it."""
        if self.comm is None:
            return
        for loosen in self._loose:
            loosen()
        self._loose = []
        parts = [part for root in (*self._aside, self) for part in family(root)]
        for part in parts:
            super().close() if part is self else part.close()
