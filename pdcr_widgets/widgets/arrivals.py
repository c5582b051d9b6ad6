"""Pages that have just come, or come back: what they missed is told again.

A page asks for the state of all widgets once and builds them from the answer. While it still loads
what it builds them with, seconds on a busy machine, it drops whatever is sent; so a page could say
"Paused" for ever. Its canvases tell when they are there.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from typing import Any

import ipywidgets as w

from pdcr_widgets.widgets.family import family

AT_MOST = 4
"""How often a widget is told again that changes meanwhile."""


class Arriving:
    """A canvas that notices when a page that shows it is there.

    It tells its own state again; others can be added with `on_here`.
    """

    SETTLED = ("image",)
    """Traits that are large, and do not change while a page is loading."""

    _here: Callable[[], None] | None = None

    def on_here(self, owner: Any) -> None:
        """Let everything in a widget be told again, not the canvas alone; not kept alive."""
        reference = weakref.ref(owner)

        def tell() -> None:
            alive = reference()
            tell_again(family(alive if alive is not None else self))

        self._here = tell

    def heard_here(self, content: Any) -> bool:
        """Whether a message says that a page is here; if so, tell it everything again."""
        if not isinstance(content, dict) or content.get("type") != "here":
            return False
        self._here() if self._here is not None else tell_again(family(self))
        return True


def tell_again(widgets: Iterable[w.Widget]) -> None:
    """Send the state of widgets to their pages, whatever they know of it.

    Another thread may change a widget meanwhile; the last word is the widget's newest.
    """
    for widget in widgets:
        if widget.comm is None:
            continue
        settled = getattr(widget, "SETTLED", ())
        names = [name for name in widget.keys if name not in settled]
        for _ in range(AT_MOST):
            told = {name: getattr(widget, name) for name in names}
            widget.send_state(names)
            if all(getattr(widget, name) is value for name, value in told.items()):
                break
