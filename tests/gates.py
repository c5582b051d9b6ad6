"""Jobs that wait for the test, a clock that stands still, and a log that can be waited for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

from pdcr_widgets.signals import Event, Signal

PATIENCE = 20.0  # seconds a test waits for what should take milliseconds


class Clock:
    """Time that passes only when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Log:
    """Keeps every signal, and lets a test wait for one."""

    def __init__(self) -> None:
        self.signals: list[Signal] = []
        self._changed = threading.Condition()

    def __call__(self, signal: Signal) -> None:
        with self._changed:
            self.signals.append(signal)
            self._changed.notify_all()

    def wait(self, wanted: Callable[[Signal], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: any(map(wanted, self.signals)), PATIENCE)

    def wait_for(self, signal: Signal) -> None:
        self.wait(lambda seen: seen == signal)

    def values(self, generation: int) -> list[object]:
        return [
            s.value for s in self.signals if isinstance(s, Event) and s.generation == generation
        ]

    def of(self, generation: int) -> list[Signal]:
        return [s for s in self.signals if s.generation == generation]


class Gate:
    """A job that yields 1, 2, 3 ... and waits for the test before each of them."""

    def __init__(self, last: int = 1000) -> None:
        self.last = last
        self.steps = threading.Semaphore(0)
        self.entered = threading.Semaphore(0)
        self.closed = threading.Event()

    def __call__(self) -> Iterator[int]:
        try:
            for value in range(1, self.last + 1):
                self.entered.release()
                assert self.steps.acquire(timeout=PATIENCE)
                yield value
        finally:
            self.closed.set()

    def wait_inside(self) -> None:
        assert self.entered.acquire(timeout=PATIENCE)


def count(last: int) -> Callable[[], Iterator[int]]:
    return lambda: iter(range(1, last + 1))
