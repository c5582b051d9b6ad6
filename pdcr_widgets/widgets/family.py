"""Everything a widget is made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import ipywidgets as w


def family(widget: w.Widget) -> list[w.Widget]:
    """List a widget and all widgets it refers to on the page, itself last.

    Children, layouts, styles, and the marks, axes and scales of figures: ipywidgets keeps each of
    them until it is closed.
    """
    found: dict[int, w.Widget] = {}

    def visit(each: w.Widget) -> None:
        if id(each) in found:
            return
        found[id(each)] = each
        for name in each.keys:
            for part in _widgets(getattr(each, name)):
                visit(part)

    visit(widget)
    return list(found.values())[::-1]


def _widgets(value: Any) -> Iterator[w.Widget]:
    if isinstance(value, w.Widget):
        yield value
    elif isinstance(value, Mapping):
        yield from (each for each in value.values() if isinstance(each, w.Widget))
    elif isinstance(value, (list, tuple)):
        yield from (each for each in value if isinstance(each, w.Widget))
