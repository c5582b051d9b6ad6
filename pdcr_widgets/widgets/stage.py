"""A session's image on a canvas: regions go in, maps and contours come out."""

from __future__ import annotations

from typing import Any

import ipywidgets as w
import numpy as np

from pdcr_widgets.session import Session
from pdcr_widgets.widgets.canvas_wire import nice_limit
from pdcr_widgets.widgets.feed import MapFeed
from pdcr_widgets.widgets.region_canvas import RegionCanvas
from pdcr_widgets.widgets.view import View


class Stage(View):
    """Ties a canvas to a session.

    Parameters
    ----------
    session
        Who is asked.
    canvas
        Shows the session's image.
    below
        Widgets that belong to this canvas, shown under it.
    **traits
        Any trait of `ipywidgets.VBox`.
    """

    def __init__(
        self,
        session: Session,
        canvas: RegionCanvas,
        below: tuple[w.Widget, ...] = (),
        **traits: Any,
    ) -> None:
        super().__init__(**traits)
        self._session, self.canvas = session, canvas
        self._holding = False
        self.fill(canvas, *below)
        self._mirror()
        self._send_while_drawing()
        self.watch(session, ["image", "region", "spacing", "prediction"], self._mirror)
        self.watch(session, ["sweep"], self._send_while_drawing)
        self.watch(canvas, ["region", "drawing"], self._take_region)
        self.follow((session, "patch_size"), (canvas, "patch_size"))
        if len(canvas.spatial) == 2:
            self.link((session, "patch"), (canvas, "patch"))
        self.watch(session, ["previewed", "ate"], self._hold_scale)
        self._feed = MapFeed(session, canvas)

    def close(self) -> None:
        """Let the session go and close the canvas."""
        if self.comm is not None:
            self._feed.close()
        super().close()

    def _mirror(self, change: Any = None) -> None:
        """Bring the canvas to the session's image first, and then to what lies on it."""
        session, canvas = self._session, self.canvas
        if change is not None and change.name == "image":
            self._take_image()
        spatial = tuple(session.image.shape[1:])
        if canvas.spatial != spatial:
            return
        if len(spatial) == 2:
            canvas.spacing = session.spacing
        canvas.target = np.zeros(spatial, bool) if session.region is None else session.region
        prediction = session.prediction
        if prediction is None:
            canvas.set_contours()
        elif prediction.probability.shape == spatial:
            canvas.set_contours(
                prediction=prediction.mask,
                truth=prediction.truth,
                probability=prediction.probability,
            )

    def _take_image(self) -> None:
        """Show another image; the canvas empties its region then, which is nobody's wish."""
        image = self._session.image.cpu().numpy()
        if image.ndim > 3 or np.array_equal(image, self.canvas.image):
            return
        self.canvas.unobserve(self._take_region, names=["region", "drawing"])
        self.canvas.image = image
        self.canvas.observe(self._take_region, names=["region", "drawing"])

    def _send_while_drawing(self, _change: Any = None) -> None:
        self.canvas.live = self._session.sweep is not None

    def _hold_scale(self, _change: Any = None) -> None:
        """Let the colours' own limits only grow while a region is dragged."""
        session, canvas = self._session, self.canvas
        if session.previewed is None:
            if self._holding:
                canvas.limit = 0.0
            self._holding = False
        elif session.ate is not None and (self._holding or canvas.limit == 0):
            self._holding = True
            canvas.limit = max(canvas.limit, nice_limit(session.ate.effect))

    def _take_region(self, _change: Any = None) -> None:
        if self.canvas.moving:
            return
        try:
            if self.canvas.drawing:
                self._session.preview(self.canvas.target)
            else:
                self._session.settle(self.canvas.target)
        except (TypeError, ValueError) as failure:
            self._session.report(failure)
