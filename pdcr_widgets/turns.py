"""Taking turns at the processor with other kernels of the same server.

Where a server has an usher (`pdcr_widgets.classroom.usher`), it says so in the environment, and
every step of a computation waits for its turn. Elsewhere a turn costs nothing.
"""

from __future__ import annotations

import os
import socket
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TypeVar

USHER = "PDCR_USHER"
"""Environment variable with the path of the usher's Unix socket."""

_HERE = threading.local()
_END = object()
E = TypeVar("E")


class Line:
    """One thread's connection to an usher; closed with the thread.

    Parameters
    ----------
    path
        Of the usher's socket.
    """

    def __init__(self, path: str) -> None:
        self.path, self.process = path, os.getpid()
        self._socket = socket.socket(socket.AF_UNIX)
        self._hang_up = weakref.finalize(self, self._socket.close)
        try:
            self._socket.connect(path)
        except OSError:
            self._hang_up()

    def wait(self) -> None:
        """Queue up and come back when it is one's turn, or when there is no usher any more."""
        if self._say(b"?"):
            try:
                answered = self._socket.recv(1)
            except OSError:
                answered = b""
            if not answered:
                self._hang_up()

    def leave(self) -> None:
        """Give the turn back."""
        self._say(b".")

    def _say(self, word: bytes) -> bool:
        try:
            if self._hang_up.alive:
                self._socket.sendall(word)
        except OSError:
            self._hang_up()
        return self._hang_up.alive


@contextmanager
def turn() -> Iterator[None]:
    """Hold one of the server's turns. Nested turns of a thread are one.

    An usher that is gone lets everybody through: a server without order is better than none.
    """
    path = os.environ.get(USHER)
    if not path or getattr(_HERE, "inside", False):
        yield
        return
    line = _line(path)
    line.wait()
    _HERE.inside = True
    try:
        yield
    finally:
        _HERE.inside = False
        line.leave()


def stepwise(
    start: Callable[[], Iterator[E]], guard: AbstractContextManager[object]
) -> Iterator[E]:
    """Start and step an iterator, each step in a `turn` and in ``guard``, free in between."""
    with turn(), guard:
        events = start()
    while True:
        with turn(), guard:
            event = next(events, _END)
        if event is _END:
            return
        yield event  # type: ignore[misc]


def _line(path: str) -> Line:
    """Give this thread's line, made once; a forked process makes its own."""
    known: Line | None = getattr(_HERE, "line", None)
    if known is None or (known.path, known.process) != (path, os.getpid()):
        known = _HERE.line = Line(path)
    return known
