"""Results as figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pdcr_widgets.causal.needs import needs

DPI = 300


def write_picture(result: Any, path: Path, **options: Any) -> None:
    """Write what ``result.plot(**options)`` draws: PNG of 300 dpi, or vectors as SVG or PDF.

    ``width=`` is in inches: 3.5, one column of most journals, for maps and layers by default, and
    7.2, the whole width of a page, for comparisons. Text in a PDF stays text in a TrueType font.
    """
    figure = needs("matplotlib.figure", "plot").Figure(layout="constrained")
    result._draw(figure, **options)
    if not figure.axes and not figure.subfigs:
        raise ValueError("there is nothing to draw")
    with needs("matplotlib", "plot").rc_context({"pdf.fonttype": 42}):
        figure.savefig(path, dpi=DPI, facecolor="white")
