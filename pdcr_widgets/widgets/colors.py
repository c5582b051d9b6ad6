"""Colours of effects as widgets use them."""

from __future__ import annotations

from pdcr_widgets.causal.colors import COLORMAPS as COLORMAPS


def share_colors(colormap: str) -> dict[str, str]:
    """One colour each for supporting, irrelevant and harming."""
    stops = COLORMAPS[colormap]
    return {"supporting": stops[2], "irrelevant": stops[5], "harming": stops[8]}
