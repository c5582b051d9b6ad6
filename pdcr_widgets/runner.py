"""Drives generators of events on one worker thread: the newest job wins.

A job is a function that returns an iterator of events. The runner steps it, and between two steps
it looks whether it should go on: that is all cancelling takes.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from pdcr_widgets.exits import end_with_interpreter
from pdcr_widgets.signals import Event, Failed, Finished, Paused, Resumed, Signal, Started, Stopped
from pdcr_widgets.turns import turn
from pdcr_widgets.unpainted import Unpainted

_LOG = logging.getLogger(__name__)
_END = object()


@dataclass(slots=True)
class _Job:
    generation: int
    start: Callable[[], Iterator[Any]]
    guard: AbstractContextManager[Any]
    shown: bool = False
    stopped: bool = False
    dropped: bool = False
    held: dict[type, Any] = field(default_factory=dict)
    delivered: float = float("-inf")


class Runner:
    """One worker that steps the newest job and tells a receiver what came out.

    Parameters
    ----------
    deliver : callable
        Receives every `Signal`, on the worker's thread.
    is_frame : callable
        Event -> bool. A job that is replaced still runs until its first frame, so that a stream of
        inputs (a drag, a slider) shows something on the way.
    threaded : bool
        False computes inside `submit`, on the caller's thread: for scripts and tests.
    interval : float
        Shortest time between two deliveries, seconds. The newest event of each type is kept
        meanwhile and never lost at the end of a job.
    patience : float
        The job pauses when a view that was sent a frame has not painted it for this long, seconds.
    clock : callable
        Seconds; monotonic.
    """

    def __init__(
        self,
        deliver: Callable[[Signal], None],
        *,
        is_frame: Callable[[Any], bool] = lambda _event: True,
        threaded: bool = True,
        interval: float = 0.05,
        patience: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._deliver = deliver
        self._is_frame = is_frame
        self._threaded = threaded
        self._interval = interval
        self._clock = clock
        self._changed = threading.Condition(threading.RLock())
        self._thread: threading.Thread | None = None
        self._draining = False
        self._generation = 0
        self._next: _Job | None = None
        self._current: _Job | None = None
        self._aside: Callable[[], None] | None = None
        self._paused = False
        self._closed = False
        self._unpainted = Unpainted(patience, clock)

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    @property
    def thread(self) -> threading.Thread | None:
        """The worker, once something was submitted; None in inline mode."""
        return self._thread

    def submit(
        self,
        start: Callable[[], Iterator[Any]],
        *,
        guard: AbstractContextManager[Any] | None = None,
        at_once: bool = False,
    ) -> int:
        """Make this the job to run and return its generation number.

        `guard` is held during each step. `at_once` drops the running job even if it has not shown a
        frame, for when what it would show no longer fits.
        """
        with self._changed:
            self._generation += 1
            job = _Job(self._generation, start, guard or nullcontext())
            if self._closed:
                return job.generation
            self._next = job
            self._paused = False
            self._unpainted.forget()
            if at_once and self._current is not None:
                self._current.dropped = True
        self._wake()
        return job.generation

    def ask(self, question: Callable[[], None]) -> None:
        """Run a short function between two steps; a newer question replaces one still waiting.

        It takes its `turn` itself where it computes, so that it may also wait for others.
        """
        with self._changed:
            if self._closed:
                return
            self._aside = question
        self._wake()

    def pause(self) -> None:
        """Hold the running job after its current step; nothing can hold one that runs inline."""
        with self._changed:
            self._paused = self._threaded
            self._changed.notify_all()

    def resume(self) -> None:
        """Let a paused job go on, whoever paused it."""
        with self._changed:
            self._paused = False
            self._unpainted.forget()
            self._changed.notify_all()

    def stop(self) -> None:
        """End the running job after its current step and forget the waiting one."""
        with self._changed:
            self._next = None
            if self._current is not None:
                self._current.stopped = True
            self._changed.notify_all()

    def close(self) -> None:
        """Stop and end the thread. Returns at once; closing twice is harmless."""
        with self._changed:
            self._closed = True
            self._aside = None
            self.stop()

    def join(self, timeout: float | None = None) -> bool:
        """Wait until no job is running or waiting; False when `timeout` seconds were not enough.

        No view is waited for meanwhile: its messages may need the thread that waits here.
        """
        with self._changed, self._unpainted.ignored():
            self._changed.notify_all()
            return self._changed.wait_for(
                lambda: not (self._draining or self._next or self._aside), timeout
            )

    def sent(self, view: object) -> None:
        """Note that a frame went to `view`, which will call `painted`."""
        with self._changed:
            if self._threaded:
                self._unpainted.sent(view)

    def painted(self, view: object, *, all_of_them: bool = True) -> None:
        """Note that `view` painted a frame; with `all_of_them` no other is on its way to it."""
        with self._changed:
            self._unpainted.painted(view, all_of_them=all_of_them)
            self._changed.notify_all()

    def _wake(self) -> None:
        if not self._threaded:
            self._drain()
            return
        with self._changed:
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._loop, name="pdcr-widgets-worker", daemon=True
                )
                self._thread.start()
                end_with_interpreter(self)
            self._changed.notify_all()

    def _loop(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._next or self._aside)
                if self._closed:
                    return
            self._drain()

    def _drain(self) -> None:
        with self._changed:
            if self._draining:
                return
            self._draining = True
        try:
            while True:
                self._answer()
                with self._changed:
                    job, self._next = self._next, None
                    self._current = job
                if job is None:
                    return
                self._run(job)
        finally:
            with self._changed:
                self._current = None
                self._draining = False
                self._changed.notify_all()

    def _run(self, job: _Job) -> None:
        try:
            self._deliver(Started(job.generation))
            with turn(), job.guard:
                events = job.start()
            try:
                self._step_through(job, events)
            finally:
                with job.guard:
                    close = getattr(events, "close", None)
                    if close is not None:
                        close()
        except Exception as error:
            self._tell(Failed(job.generation, error))

    def _step_through(self, job: _Job, events: Iterator[Any]) -> None:
        while self._may_go_on(job):
            with turn(), job.guard:
                event = next(events, _END)
            if event is _END:
                self._flush(job)
                self._deliver(Finished(job.generation))
                return
            job.held[type(event)] = event
            due = self._clock() - job.delivered >= self._interval or not job.shown
            if due and not self._leaving(job):
                self._flush(job)
        if job.stopped:
            self._flush(job)
            self._tell(Stopped(job.generation))

    def _flush(self, job: _Job) -> None:
        held, job.held = job.held, {}
        for event in held.values():
            job.delivered = self._clock()
            job.shown = job.shown or self._is_frame(event)
            self._deliver(Event(job.generation, event))

    def _may_go_on(self, job: _Job) -> bool:
        told = False
        while True:
            self._answer()
            with self._changed:
                if self._leaving(job):
                    return False
                unanswered = self._unpainted.overdue()
                if not (self._paused or unanswered):
                    break
                if told:
                    self._changed.wait_for(lambda: self._aside or not self._standing_still(job))
                    continue
            self._flush(job)
            self._deliver(Paused(job.generation, unanswered and not self._paused))
            told = True
        if told:
            self._deliver(Resumed(job.generation))
        return True

    def _standing_still(self, job: _Job) -> bool:
        return not self._leaving(job) and (self._paused or self._unpainted.overdue())

    def _leaving(self, job: _Job) -> bool:
        return job.stopped or job.dropped or (self._next is not None and job.shown)

    def _answer(self) -> None:
        with self._changed:
            question, self._aside = self._aside, None
        if question is not None:
            try:
                question()
            except Exception:
                _LOG.exception("a question to the worker failed")

    def _tell(self, signal: Signal) -> None:
        try:
            self._deliver(signal)
        except Exception:
            _LOG.exception("the receiver failed on %s", type(signal).__name__)
