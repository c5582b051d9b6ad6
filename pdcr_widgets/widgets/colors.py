"""Colours of effects: negative first, white in the middle, positive last."""

from __future__ import annotations

COLORMAPS: dict[str, list[str]] = {
    "red-blue": ["#67001f", "#b2182b", "#d6604d", "#f4a582", "#fddbc7", "#ffffff",
                 "#d1e5f0", "#92c5de", "#4393c3", "#2166ac", "#053061"],
    "orange-purple": ["#7f3b08", "#b35806", "#e08214", "#fdb863", "#fee0b6", "#ffffff",
                      "#d8daeb", "#b2abd2", "#8073ac", "#542788", "#2d004b"],
}  # fmt: skip


def share_colors(colormap: str) -> dict[str, str]:
    """One colour each for supporting, irrelevant and harming."""
    stops = COLORMAPS[colormap]
    return {"supporting": stops[2], "irrelevant": stops[5], "harming": stops[8]}
