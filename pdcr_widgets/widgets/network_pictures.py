"""Maps of a layer over the slice: what it gives, and where something changes."""

from __future__ import annotations

import ipywidgets as w
import numpy as np

from pdcr_widgets.session import Session
from pdcr_widgets.widgets.canvas_picture import (
    REGION_COLOR,
    color_effects,
    compose,
    grey_or_color,
)
from pdcr_widgets.widgets.style import markup

AMBER = (255, 176, 0)


class MapPicture(w.VBox):
    """One map over the image with the region's outline, and words below."""

    def __init__(self) -> None:
        self._image = w.Image(format="png", layout=w.Layout(width="100%"))
        self._image.add_class("pdcr-map")
        self._words = markup("pdcr-hint")
        place = w.Layout(width="320px", max_width="100%", margin="0 12px 0 0", overflow="visible")
        super().__init__([self._image, self._words], layout=place)
        self.hide()

    def hide(self) -> None:
        """Take the picture off the page."""
        self.layout.display = "none"

    def glow(self, session: Session, values: np.ndarray, text: str) -> None:
        """Show activations ``(height, width)``, opaque where they are highest."""
        low, high = float(values.min()), float(values.max())
        opacity = 0.85 * (resized(values, session) - low) / max(high - low, 1e-12)
        amber = np.broadcast_to(AMBER, (*opacity.shape, 3))
        self._show(session, np.concatenate([amber, opacity[..., None]], axis=2), text)

    def effects(
        self, session: Session, values: np.ndarray, colormap: str, text: str, opacity: float = 1.0
    ) -> None:
        """Show signed values ``(height, width)`` in the colours of effects; NaN is left out."""
        known = np.abs(values[np.isfinite(values)])
        limit = float(known.max(initial=0.0)) or 1.0
        colors = color_effects(np.nan_to_num(resized(values, session)), limit, colormap)
        self._show(session, colors * (1, 1, 1, opacity), text)

    def _show(self, session: Session, colors: np.ndarray, text: str) -> None:
        image = session.image.float().cpu().numpy()
        base = grey_or_color(image, 0, ((float(image.min()), float(image.max())),) * len(image))
        region = session.region
        outlines = [] if region is None else [(region, REGION_COLOR)]
        self._image.value = compose(base, colors, 1.0, outlines)
        self._words.value = f"<p>{text}</p>"
        self.layout.display = None


def resized(values: np.ndarray, session: Session) -> np.ndarray:
    """Repeat the values of a coarser grid so that they cover the image."""
    sizes = zip(session.image.shape[1:], values.shape, strict=True)
    rows, cols = (np.arange(n) * have // n for n, have in sizes)
    return values[rows][:, cols]
