"""Results as figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pdcr_widgets.causal.needs import needs

DPI = 300


def write_picture(result: Any, path: Path, **options: Any) -> None:
    """Write what ``result.plot(**options)`` draws: PNG of 300 dpi, or vectors as SVG or PDF."""
    figure = needs("matplotlib.figure", "plot").Figure(layout="constrained")
    if "size" in options:
        figure.set_size_inches(*options.pop("size"))
    result.plot(ax=figure.add_subplot(), **options)
    figure.savefig(path, dpi=DPI, bbox_inches="tight", facecolor="white")
