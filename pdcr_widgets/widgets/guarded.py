"""Widgets that a page may set a few traits of, and no others."""

from __future__ import annotations

from typing import Any


class Guarded:
    """A widget whose page may set the traits in ``FROM_PAGE`` alone.

    A page can send a value for any trait that it is shown: a patch size of a million pixels is one
    line in a browser's console. What is not the page's to say is left out without a word, as nobody
    who uses the page sends it.
    """

    FROM_PAGE: frozenset[str] = frozenset()

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take what a page says about the traits that it may set."""
        told = {name: value for name, value in sync_data.items() if name in self.FROM_PAGE}
        if told:
            super().set_state(told)  # type: ignore[misc]
