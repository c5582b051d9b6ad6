"""One stylesheet for all widgets: JupyterLab's own colours, so that light and dark both work."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import ipywidgets as w


@cache
def css() -> str:
    """Text of the stylesheet."""
    return Path(__file__).with_name("style.css").read_text(encoding="utf-8")


def stylesheet() -> w.HTML:
    """Give an invisible widget that brings the stylesheet into the page."""
    sheet = w.HTML(f"<style>{css()}</style>", layout=w.Layout(display="none"))
    return sheet


def block(*classes: str, children: Any = ()) -> w.Box:
    """Give a plain box that the stylesheet lays out."""
    box = w.Box(list(children))
    for name in classes:
        box.add_class(name)
    return box


def markup(*classes: str) -> w.HTML:
    """Give an HTML widget that the stylesheet may address."""
    area = w.HTML()
    for name in classes:
        area.add_class(name)
    return area
