"""How far a computation is, and how fast it goes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """A moment of a computation.

    Parameters
    ----------
    stage
        What is being done, in words.
    done, total
        Evaluations made, and expected in all (an estimate).
    rate
        Evaluations per second since the start, pauses left out; 0 before the first.
    remaining
        Seconds left at this rate; None while that is unknown.
    """

    stage: str = ""
    done: int = 0
    total: int = 0
    rate: float = 0.0
    remaining: float | None = None


class Stopwatch:
    """Turns counts of several streams into one `Progress`; pauses do not count as time.

    Parameters
    ----------
    clock
        Seconds; monotonic.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.restart()

    def restart(self) -> None:
        """Forget all counts and start the time anew."""
        self._counts: dict[str, tuple[int, int]] = {}
        self._stages: dict[str, str] = {}
        self._start = self._clock()
        self._held_since: float | None = None

    def hold(self) -> None:
        """Stop the time until `go_on`."""
        if self._held_since is None:
            self._held_since = self._clock()

    def go_on(self) -> None:
        """Let the time go on."""
        if self._held_since is not None:
            self._start += self._clock() - self._held_since
            self._held_since = None

    def count(self, stream: str, done: int, total: int, stage: str) -> Progress:
        """Note the newest counts of one stream and give the progress of all together."""
        self._counts[stream] = (done, max(done, total))
        self._stages[stream] = stage if done < total else ""
        finished = sum(done for done, _ in self._counts.values())
        expected = sum(total for _, total in self._counts.values())
        elapsed = self._clock() - self._start
        rate = finished / elapsed if elapsed > 0 else 0.0
        remaining = (expected - finished) / rate if rate > 0 else None
        words = ", ".join(stage for stage in self._stages.values() if stage)
        return Progress(words, finished, expected, rate, remaining)
