"""Keeps a canvas supplied with maps, no faster than its page paints them."""

from __future__ import annotations

import threading
from typing import Any

from pdcr_widgets.causal import ATEMap
from pdcr_widgets.session import Session

WINDOW = 3


class MapFeed:
    """Sends a session's maps to a canvas, at most three that its page has not painted yet.

    Maps that come faster are left out, except the newest. The session learns what was sent and
    painted, so that it can pause when the page is gone.

    Parameters
    ----------
    session
        Whose maps are shown.
    canvas
        A `RegionCanvas`.
    """

    def __init__(self, session: Session, canvas: Any) -> None:
        self._session, self._canvas = session, canvas
        self._lock = threading.RLock()
        self._unpainted: list[int] = []
        self._waiting: ATEMap | None = None
        session.observe(self._offer, names=["ate"])
        session.observe(self._forget, names=["image"])
        session.observe(self._finish, names=["status"])
        canvas.on_ack(self._painted)
        if not session.stale:
            self._waiting = session.ate
            self._send()

    def close(self) -> None:
        """Let session and canvas go."""
        self._session.unobserve(self._offer, names=["ate"])
        self._session.unobserve(self._forget, names=["image"])
        self._session.unobserve(self._finish, names=["status"])
        self._canvas.on_ack(self._painted, remove=True)
        self._session.frame_painted(self, last=True)

    def _offer(self, change: Any) -> None:
        with self._lock:
            if change.new is None:
                self._canvas.clear_effect()
            self._waiting = change.new
            if len(self._unpainted) < WINDOW:
                self._send()

    def _forget(self, _change: Any) -> None:
        """Send no map of an image that is not shown any more."""
        with self._lock:
            self._waiting = None

    def _finish(self, change: Any) -> None:
        """Send what is left at the end, so that the canvas holds the final map even unseen."""
        if change.new in ("done", "stopped", "failed"):
            with self._lock:
                self._send()

    def _send(self) -> None:
        newest, self._waiting = self._waiting, None
        if newest is not None and tuple(newest.spatial) == tuple(self._canvas.spatial):
            self._session.frame_sent(self)
            self._unpainted.append(self._canvas.show_effect(newest, self._session.generation))

    def _painted(self, identity: int) -> None:
        with self._lock:
            self._unpainted = [sent for sent in self._unpainted if sent > identity]
            self._session.frame_painted(self, last=not self._unpainted)
            if len(self._unpainted) < WINDOW:
                self._send()
