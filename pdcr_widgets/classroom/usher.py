"""A fair queue over processes: as many compute at once as there are processors, first come first.

Each thread that computes keeps one connection to a Unix socket. It sends ``?`` and waits for one
byte, computes one step, sends ``.`` and, if it has more to do, queues up again behind all others.
So thirty long computations advance together, and a short one is not kept waiting by them. A process
that dies closes its connection, which gives its turn back.
"""

from __future__ import annotations

import os
import selectors
import socket
import threading
from collections import deque


class Usher:
    """Hands out turns on a thread of its own until it is closed.

    Parameters
    ----------
    path
        Of the Unix socket.
    turns
        How many compute at once.
    """

    def __init__(self, path: str, turns: int) -> None:
        if turns < 1:
            raise ValueError(f"at least one must be let through at a time, got {turns}")
        self.path, self.turns = path, turns
        self._queue: deque[socket.socket] = deque()
        self._inside: set[socket.socket] = set()
        self._selector = selectors.DefaultSelector()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(path)
        os.chmod(path, 0o600)
        self._listener.listen(128)
        self._listener.setblocking(False)
        self._bell, self._ear = socket.socketpair()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._ear, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._serve, name="pdcr-usher", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """How many wait for a turn."""
        return len(self._queue)

    def close(self) -> None:
        """Let everybody go and end the thread."""
        self._bell.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._ear:
                    self._leave()
                    return
                if key.fileobj is self._listener:
                    self._welcome()
                else:
                    self._hear(key.fileobj)  # type: ignore[arg-type]
            self._let_in()

    def _welcome(self) -> None:
        try:
            guest, _ = self._listener.accept()
        except OSError:
            return
        guest.setblocking(False)
        self._selector.register(guest, selectors.EVENT_READ)

    def _hear(self, guest: socket.socket) -> None:
        try:
            words = guest.recv(64)
        except BlockingIOError:
            return
        except OSError:
            words = b""
        if not words:
            self._forget(guest)
        for word in words:
            if word == ord("?") and guest not in self._queue:
                self._queue.append(guest)
            elif word == ord("."):
                self._inside.discard(guest)

    def _let_in(self) -> None:
        while self._queue and len(self._inside) < self.turns:
            guest = self._queue.popleft()
            self._inside.add(guest)
            try:
                guest.send(b"!")
            except OSError:
                self._forget(guest)

    def _forget(self, guest: socket.socket) -> None:
        self._selector.unregister(guest)
        self._inside.discard(guest)
        if guest in self._queue:
            self._queue.remove(guest)
        guest.close()

    def _leave(self) -> None:
        keys = [key.fileobj for key in self._selector.get_map().values()]
        for each in keys:
            self._selector.unregister(each)
            each.close()  # type: ignore[union-attr]
        self._selector.close()
        os.unlink(self.path)
