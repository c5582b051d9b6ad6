"""What the bqplot figures share."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import bqplot as bq
import ipywidgets as w
import numpy as np

INTERVALS = 5
NARROWEST = 1e-6


def axis_range(values: Iterable[float]) -> tuple[float, float, np.ndarray]:
    """Fit a linear axis with round ticks around values and 0.

    Returns
    -------
    low, high : float
        Ends of the axis, a little beyond the outermost values.
    ticks : ndarray
        Multiples of 1, 2 or 5 times a power of ten inside them.
    """
    shown = [0.0, *values]
    low, high = min(shown), max(shown)
    if high == low:
        high = 1.0
    high = max(high, low + NARROWEST)
    rough = (high - low) / INTERVALS
    power = 10.0 ** math.floor(math.log10(rough))
    step = power * next(factor for factor in (1, 2, 5, 10) if factor * power >= rough)
    margin = 0.03 * (high - low)
    low, high = low - margin * (low < 0), high + margin * (high > 0)
    ticks = np.arange(math.ceil(low / step), math.floor(high / step) + 1) * step
    return low, high, ticks


def log_place(values: Iterable[float]) -> np.ndarray:
    """Place values on a scale that is linear below one point and logarithmic above; keeps signs."""
    given = np.asarray(list(values), dtype=float)
    return np.sign(given) * np.log1p(np.abs(given))


def log_ticks(low: float, high: float) -> dict[float, str]:
    """Ticks at 1, 3, 10, 30, ... on both sides of 0 between two places of a logarithmic scale."""
    steps = [0.0, *(factor * 10.0**power for power in range(7) for factor in (1, 3))]
    ticks = {round(float(log_place([v])[0]), 3): v for step in steps for v in (-step, step)}
    shown = {place: v for place, v in sorted(ticks.items()) if low <= place <= high}
    return {place: f"{v:g}".replace("-", "\u2212") for place, v in shown.items()}


def bins(values: np.ndarray, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Count values in about ``number`` equal bins, one of which lies centred on 0.

    Returns
    -------
    centres, counts : ndarray
        Middle of each bin, and how many values fall into it.
    """
    low, high, _ = axis_range(values)
    width = (high - low) / number
    places = np.rint(np.asarray(values) / width).astype(int)
    steps = np.arange(min(places.min(), 0), max(places.max(), 0) + 1)
    return steps * width, (places[:, None] == steps).sum(axis=0).astype(float)


def quiet_figure(height: str, margin: dict[str, int], **parts: Any) -> bq.Figure:
    """Give a figure without toolbar and animation that takes the width and theme of its place."""
    figure = bq.Figure(
        fig_margin=margin,
        layout=w.Layout(width="100%", min_width="0", height=height),
        background_style={"fill": "transparent"},
        animation_duration=0,
        padding_x=0.0,
        padding_y=0.0,
        display_toolbar=False,
        **parts,
    )
    figure.add_class("pdcr-figure")
    return figure


def show_before_last(box: w.Box, figure: bq.Figure, shown: bool) -> None:
    """Put a figure before the last child of a box, or take it out.

    It is not hidden instead, because bqplot cannot draw into a hidden place.
    """
    if shown and figure not in box.children:
        box.children = (*box.children[:-1], figure, box.children[-1])
    elif not shown and figure in box.children:
        box.children = tuple(child for child in box.children if child is not figure)
