"""ipycanvas canvases as layers over the picture, drawn from Python.

Two things that ipycanvas leaves to its users are taken care of here. Draw commands are messages,
not state: what was drawn before a page exists, or before it is reloaded, would be lost. So every
layer records its commands and plays them again to each new client. And the canvas that commands go
to is remembered on both sides; after a reload the browser forgets it and drops every later command
(ipycanvas#322). So each batch names its canvas again.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from ipycanvas import Canvas
from ipycanvas.canvas import COMMANDS, _CanvasManager

LONG_SIDE = 1024
"""Pixels of a layer's longer side, about: contours stay sharp on dense screens."""

MAX_SIDE = 2048
MAX_SCALE = 64

COLORS = {"prediction": "#22d3ee", "truth": "#4ade80"}

Command = tuple[list[Any], list[Any]]


class LayerManager(_CanvasManager):
    """Sends draw commands of a few layers, and remembers them."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.RLock()
        self._recorded: dict[str, list[Command]] = {}
        self._held = 0

    def send_command(self, canvas: Canvas, command: list[Any], buffers: Any = ()) -> None:
        """Record a command and send it, with the canvas it is for."""
        with self._lock:
            log = self._recorded.setdefault(canvas.model_id, [])
            if command[0] == COMMANDS["clear"]:
                log[:] = _lasting(log)
            log.append((command, list(buffers)))
            self._current_canvas = None
            super().send_command(canvas, command, list(buffers))

    def forget(self, canvas: Canvas) -> None:
        """Forget what was drawn on a canvas, styles included."""
        with self._lock:
            self._recorded.pop(canvas.model_id, None)

    def replay(self, canvas: Canvas) -> None:
        """Send everything that is recorded for a canvas again, in one batch."""
        with self._lock, self.batch():
            self._current_canvas = None
            for name in ("resetTransform", "clear"):
                super().send_command(canvas, [COMMANDS[name], [], 0], [])
            for command, buffers in self._recorded.get(canvas.model_id, []):
                super().send_command(canvas, command, buffers)

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Send what is drawn inside as one message."""
        with self._lock:
            self._held += 1
            self._caching = True
            try:
                yield
            finally:
                self._held -= 1
                if not self._held:
                    self.flush()
                    self._caching = False


def _lasting(log: list[Command]) -> list[Command]:
    """What outlives a clear: the first command (the layer's scale) and the latest styles."""
    styles = {entry[0][1][0]: entry for entry in log if entry[0][0] == COMMANDS["set"]}
    return [*log[:1], *styles.values()]


class Layers:
    """The layers of one picture, in painting order. Coordinates are the picture's pixels.

    Parameters
    ----------
    names
        What the layers are called.
    shape
        Height and width of the picture, pixels.
    """

    def __init__(self, names: Iterable[str], shape: tuple[int, int]) -> None:
        self._manager = LayerManager()
        self._scale = 1.0
        self.canvases: dict[str, Canvas] = {}
        for name in names:
            canvas = Canvas(width=1, height=1, _canvas_manager=self._manager)
            canvas.on_client_ready(lambda canvas=canvas: self._manager.replay(canvas))
            self.canvases[name] = canvas
        self.resize(shape)

    def resize(self, shape: tuple[int, int]) -> None:
        """Empty every layer and fit it to a picture of another shape."""
        height, width = shape
        self._scale = min(-(-LONG_SIDE // max(shape)), MAX_SCALE, MAX_SIDE / max(shape))
        for canvas in self.canvases.values():
            canvas.width = max(1, round(width * self._scale))
            canvas.height = max(1, round(height * self._scale))
            self._empty(canvas)

    def outline(self, name: str, mask: np.ndarray | None, dash: bool = False) -> None:
        """Draw the outline of a mask on a layer; ``None`` leaves it empty."""
        canvas = self.canvases[name]
        with self._manager.batch():
            self._empty(canvas)
            if mask is None or not mask.any():
                return
            segments = edges(mask)
            widest = max(mask.shape) / 512
            canvas.set_line_dash([4 * widest, 3 * widest] if dash else [])
            for color, width in (("rgba(0, 0, 0, 0.6)", 4.2), (COLORS[name], 2.3)):
                canvas.stroke_style = color
                canvas.line_width = width * widest
                canvas.stroke_line_segments(segments)

    def replay(self) -> None:
        """Draw every layer again, for a page that is ready only now."""
        for canvas in self.canvases.values():
            self._manager.replay(canvas)

    def _empty(self, canvas: Canvas) -> None:
        canvas.reset_transform()
        canvas.clear()
        self._manager.forget(canvas)
        canvas.scale(self._scale)

    def close(self) -> None:
        """Close the canvases and their manager."""
        for canvas in self.canvases.values():
            canvas.close()
        self._manager.close()


def edges(mask: np.ndarray) -> list[np.ndarray]:
    """Trace the outlines of a mask, through the middles of the pixels' sides.

    Returns
    -------
    list of (n, 2) arrays
        Closed lines of ``(x, y)``; pixel (row, column) covers ``column..column + 1`` and
        ``row..row + 1``.
    """
    following: dict[tuple[int, int], list[tuple[int, int]]] = {}
    padded = np.pad(mask, 1)
    inside = padded[1:-1, 1:-1]
    sides = (
        (inside & ~padded[:-2, 1:-1], (0, 0), (1, 0)),
        (inside & ~padded[1:-1, 2:], (1, 0), (1, 1)),
        (inside & ~padded[2:, 1:-1], (1, 1), (0, 1)),
        (inside & ~padded[1:-1, :-2], (0, 1), (0, 0)),
    )
    for side, start, end in sides:
        for row, column in np.argwhere(side).tolist():
            key = (column + start[0], row + start[1])
            following.setdefault(key, []).append((column + end[0], row + end[1]))
    lines = []
    while following:
        at = next(iter(following))
        line = [at]
        while at in following:
            after = following[at].pop()
            if not following[at]:
                del following[at]
            line.append(after)
            at = after
        corners = np.array(line, dtype=np.float32)
        middles = (corners[:-1] + corners[1:]) / 2
        lines.append(np.concatenate([middles, middles[:1]]))
    return lines
