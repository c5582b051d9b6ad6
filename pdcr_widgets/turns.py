"""Taking turns at the processor with other kernels of the same server.

Where a server has an usher (`pdcr_widgets.classroom.usher`), it says so in the environment, and
every step of a computation waits for its turn. Elsewhere a turn costs nothing.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

USHER = "PDCR_USHER"
"""Environment variable with the path of the usher's Unix socket."""

_HERE = threading.local()


@contextmanager
def turn() -> Iterator[None]:
    """Hold one of the server's turns. Nested turns of a thread are one.

    An usher that is gone lets everybody through: a server without order is better than none.
    """
    path = os.environ.get(USHER)
    if not path or getattr(_HERE, "inside", False):
        yield
        return
    connection = _connection(path)
    _HERE.inside = True
    try:
        if connection is not None:
            _exchange(connection, b"?")
        yield
    finally:
        _HERE.inside = False
        if connection is not None:
            _exchange(connection, b".")


def _connection(path: str) -> socket.socket | None:
    """Give this thread's connection, made once."""
    known: tuple[str, int, socket.socket | None] | None = getattr(_HERE, "connection", None)
    if known is not None and known[:2] == (path, os.getpid()):
        return known[2]
    connection: socket.socket | None = socket.socket(socket.AF_UNIX)
    try:
        assert connection is not None
        connection.connect(path)
    except OSError:
        connection = None
    _HERE.connection = (path, os.getpid(), connection)
    return connection


def _exchange(connection: socket.socket, word: bytes) -> None:
    """Ask for a turn and wait for it, or give it back; forget an usher that does not answer."""
    try:
        connection.sendall(word)
        if word == b"." or connection.recv(1):
            return
    except OSError:
        pass
    _HERE.connection = (os.environ.get(USHER, ""), os.getpid(), None)
