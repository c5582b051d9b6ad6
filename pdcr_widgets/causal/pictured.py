"""Results that show a picture where they are displayed, with or without widgets."""

from __future__ import annotations

import io
from typing import Any

DPI = 150


class Pictured:
    """A result that draws itself; displayed in a notebook it leaves a PNG and a text.

    The picture needs matplotlib; without it the text is what there is.
    """

    def _drawable(self) -> bool:
        """Whether there is something to draw."""
        return True

    def _draw(self, figure: Any, **options: Any) -> None:
        """Draw onto an empty matplotlib figure and set its size."""
        raise NotImplementedError

    def _repr_png_(self) -> bytes | None:
        try:
            from matplotlib.figure import Figure
        except ImportError:
            return None
        if not self._drawable():
            return None
        figure = Figure(layout="constrained")
        self._draw(figure)
        held = io.BytesIO()
        figure.savefig(held, format="png", dpi=DPI, facecolor="white")
        return held.getvalue()
