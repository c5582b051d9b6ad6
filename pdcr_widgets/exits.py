"""Ends worker threads before the interpreter does: one cut off inside a step aborts the process."""

from __future__ import annotations

import atexit
import threading
import weakref
from typing import Protocol

SECONDS = 10.0  # a step takes a fraction of a second


class Worker(Protocol):
    """Something with a thread that ends soon after ``close``."""

    @property
    def thread(self) -> threading.Thread | None:
        """The thread, or None."""

    def close(self) -> None:
        """Ask the thread to end."""


_WORKERS: weakref.WeakSet[Worker] = weakref.WeakSet()


def end_with_interpreter(worker: Worker) -> None:
    """Close a worker and wait for its thread when the interpreter exits."""
    _WORKERS.add(worker)


@atexit.register
def end_all() -> None:
    """Close every worker that is left, and wait for the threads."""
    workers = list(_WORKERS)
    for worker in workers:
        worker.close()
    for worker in workers:
        if worker.thread is not None:
            worker.thread.join(SECONDS)
