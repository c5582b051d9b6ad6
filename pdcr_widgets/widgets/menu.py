"""A menu in which None is a choice like any other."""

from __future__ import annotations

from typing import Any

import ipywidgets as w
import traitlets as t


class Menu(w.Dropdown):
    """A dropdown whose values may be None.

    That of ipywidgets takes the value None for no choice at all, and shows nothing then; at its
    making that depends on the order in which its traits happen to be set.
    """

    @t.observe("value")
    def _propagate_value(self, change: Any) -> None:
        if change.new is None and None in self._options_values:
            self.index = self._options_values.index(None)
        else:
            super()._propagate_value(change)
