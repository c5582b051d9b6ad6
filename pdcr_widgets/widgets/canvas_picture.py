"""The canvas as a still picture, drawn in Python: what a page without a kernel shows."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image

from pdcr_widgets.causal.colors import REGION_COLOR as REGION_COLOR
from pdcr_widgets.causal.colors import blend, border
from pdcr_widgets.causal.colors import color_effects as color_effects
from pdcr_widgets.widgets.canvas_wire import nice_limit, suggested_window

SHORT_SIDE = 384
"""A smaller picture is enlarged by a whole factor until its shorter side has this many pixels."""

OUTLINE_COLORS = {
    "truth": (74, 222, 128),
    "prediction": (34, 211, 238),
    "region": REGION_COLOR,
}
NOT_A_NUMBER = (96, 48, 96)


def grey_or_color(
    picture: np.ndarray, channel: int, window: tuple[tuple[float, float], ...]
) -> np.ndarray:
    """Give ``(height, width, 3)`` values of 0..255 of one channel, or of three (``channel`` -1)."""
    chosen = picture[:3] if channel < 0 else np.repeat(picture[channel : channel + 1], 3, axis=0)
    low, high = min(w[0] for w in window), max(w[1] for w in window)
    scaled = (np.nan_to_num(chosen.astype(np.float32)) - low) / max(high - low, 1e-12)
    pixels = np.moveaxis(np.clip(255 * scaled, 0, 255), 0, -1)
    missing = np.isnan(np.moveaxis(chosen.astype(np.float32), 0, -1))
    return np.where(missing, np.array(NOT_A_NUMBER, dtype=np.float32), pixels)


def compose(
    base: np.ndarray,
    effects: np.ndarray | None,
    opacity: float,
    outlines: list[tuple[np.ndarray, tuple[int, int, int]]],
    aspect: float = 1.0,
) -> bytes:
    """Lay effects (already one per pixel) and outlines over a picture.

    Parameters
    ----------
    base
        ``(height, width, 3)`` values of 0..255.
    effects
        ``(height, width, 4)`` from :func:`color_effects`, or None.
    opacity
        Of the effects, 0..1.
    outlines
        Masks and the colours of their borders.
    aspect
        Height of a pixel over its width.

    Returns
    -------
    bytes
        A PNG file.
    """
    if effects is not None:
        base = blend(base, effects[..., :3], effects[..., 3] * opacity)
    factor = max(1, -(-SHORT_SIDE // min(base.shape[:2]))) if max(base.shape[:2]) < 1024 else 1
    large = base.repeat(factor, axis=0).repeat(factor, axis=1)
    width = max(1, round(min(large.shape[:2]) / 220))
    for mask, color in outlines:
        edge = border(mask.repeat(factor, axis=0).repeat(factor, axis=1), width)
        large = np.where(edge[..., None], color, large)
    drawn = Image.fromarray(large.round().astype(np.uint8))
    if aspect != 1:
        drawn = drawn.resize((drawn.width, max(1, round(drawn.height * aspect))))
    file = io.BytesIO()
    drawn.save(file, "PNG")
    return file.getvalue()


def still(canvas: Any, ate: Any, longest: int | None) -> bytes:
    """Draw a `RegionCanvas` with an effect map (or None) as a PNG file.

    Of a picture whose longer side has more than `longest` pixels, pixels are left out.
    """
    step = 1 if longest is None else max(1, -(-max(canvas.shape) // longest))
    thin = (..., slice(None, None, step), slice(None, None, step))
    channel = canvas.channel if canvas.channel >= 0 or len(canvas.image) == 3 else 0
    shown = canvas.image if channel < 0 else canvas.image[channel : channel + 1]
    known = getattr(canvas, "suggested_windows", None)
    windows = tuple(known or (suggested_window(each) for each in shown))
    base = grey_or_color(
        canvas.image[thin], channel, windows if canvas.window is None else (canvas.window,)
    )
    masks = {name: getattr(canvas, name) for name in ("truth", "prediction", "region")}
    outlines = [
        (mask[thin], OUTLINE_COLORS[name])
        for name, mask in masks.items()
        if mask is not None and getattr(canvas, f"show_{name}")
    ]
    aspect = canvas.spacing[0] / canvas.spacing[1] if canvas.spacing else 1.0
    effects = None if ate is None else _effect_pixels(canvas, ate)[::step, ::step]
    return compose(base, effects, canvas.opacity, outlines, aspect)


def _effect_pixels(canvas: Any, ate: Any) -> np.ndarray:
    hidden = canvas.significant & ~ate.significant & np.isfinite(ate.effect)
    limit = canvas.limit or nice_limit(ate.effect)
    return ate.to_image(color_effects(np.where(hidden, 0, ate.effect), limit, canvas.colormap))
