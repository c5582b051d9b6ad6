"""Colours of effects, negative first, white in the middle, and laying them over a picture."""

from __future__ import annotations

import numpy as np

COLORMAPS: dict[str, list[str]] = {
    "red-blue": ["#67001f", "#b2182b", "#d6604d", "#f4a582", "#fddbc7", "#ffffff",
                 "#d1e5f0", "#92c5de", "#4393c3", "#2166ac", "#053061"],
    "orange-purple": ["#7f3b08", "#b35806", "#e08214", "#fdb863", "#fee0b6", "#ffffff",
                      "#d8daeb", "#b2abd2", "#8073ac", "#542788", "#2d004b"],
}  # fmt: skip

REGION_COLOR = (255, 214, 10)
TOUCHED = 36 / 255
"""Opacity of the region's colour on patches that touch it."""


def color_effects(effect: np.ndarray, limit: float, colormap: str) -> np.ndarray:
    """Give ``(rows, cols, 4)``: colour 0..255 and opacity 0..1, as the browser colours patches."""
    stops = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in COLORMAPS[colormap]])
    value = np.clip(np.nan_to_num(effect) / limit, -1, 1)
    places = (value + 1) / 2 * (len(stops) - 1)
    color = [np.interp(places, np.arange(len(stops)), stops[:, c]) for c in range(3)]
    drawn = np.stack([*color, np.minimum(1, 2 * np.abs(value))], axis=-1)
    return np.where(np.isnan(effect)[..., None], (*REGION_COLOR, TOUCHED), drawn)


def blend(below: np.ndarray, color: np.ndarray, opacity: np.ndarray) -> np.ndarray:
    """Lay a colour over a picture."""
    return below + (color - below) * opacity[..., None]


def border(mask: np.ndarray, width: int) -> np.ndarray:
    """Pixels of a mask within ``width`` pixels of its edge."""
    inner = np.pad(mask, 1)
    for _ in range(width):
        inner[1:-1, 1:-1] = (
            inner[1:-1, 1:-1] & inner[:-2, 1:-1] & inner[2:, 1:-1] & inner[1:-1, :-2]
        ) & inner[1:-1, 2:]
    return mask & ~inner[1:-1, 1:-1]
