"""How a session's map fares against other methods, on a worker of its own."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence
from typing import Any

import traitlets as t

from pdcr_widgets.causal import ATEMap
from pdcr_widgets.evaluate import METHODS, Comparison, ComparisonUpdate, iter_compare
from pdcr_widgets.failures import in_words
from pdcr_widgets.inputs import QUESTION
from pdcr_widgets.request import Request
from pdcr_widgets.runner import Runner
from pdcr_widgets.session import Session
from pdcr_widgets.signals import Event, Failed, Finished, Signal, Started, Stopped
from pdcr_widgets.twin import lock_of

SLOW = ("rise",)
"""Methods that are compared only when they are chosen."""


class Judging(t.HasTraits):
    """Compares the map of a session with other methods, when it is asked to.

    Parameters
    ----------
    session
        Whose question it is. Without threads of its own, nothing here has any either.

    Notes
    -----
    Follows nothing by itself: `run` starts it, `stop` ends it and keeps the methods that are done.
    A question that changes ends it and takes the result away, which would be about another one.
    """

    methods = t.List(t.Enum(list(METHODS)), help="what is compared")
    comparison = t.Instance(Comparison, allow_none=True, read_only=True)
    status = t.Enum(("idle", "running", "stopped", "done", "failed"), "idle", read_only=True)
    done = t.Int(0, read_only=True)
    total = t.Int(0, read_only=True)
    stage = t.Unicode("", read_only=True)
    note = t.Unicode("", read_only=True, help="what went wrong, or empty")

    def __init__(self, session: Session) -> None:
        super().__init__(methods=[name for name in METHODS if name not in SLOW])
        self._session = session
        self._runner = Runner(_weakly(self), threaded=session.threaded)
        self._finalizer = weakref.finalize(self, self._runner.close)
        session.observe(self._forget, names=list(QUESTION))

    def run(self) -> None:
        """Compare the chosen methods on the session's question."""
        session = self._session
        if session.region is None or not self.methods:
            missing = "a region; draw one" if session.region is None else "a method"
            self._set(note=f"this needs {missing}", status="failed", comparison=None)
            return
        request, methods, known = session._request(), list(self.methods), _finished_map(session)
        guard = lock_of(session.segmenter.model)
        self._runner.submit(lambda: _events(request, methods, known), guard=guard, at_once=True)

    def stop(self) -> None:
        """End after the current step."""
        self._runner.stop()

    def close(self) -> None:
        """Stop for good and end the worker thread."""
        if self._finalizer.alive:
            self._session.unobserve(self._forget, names=list(QUESTION))
        self._finalizer()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until nothing is left to compute; False if `timeout` seconds were not enough."""
        return self._runner.join(timeout)

    def _forget(self, _change: Any = None) -> None:
        self._runner.stop()
        self._set(comparison=None, note="", done=0, total=0, stage="", status="idle")

    def _receive(self, signal: Signal) -> None:
        match signal:
            case Started():
                self._set(status="running", note="", comparison=None, done=0, stage="starting")
            case Event(value=ComparisonUpdate() as update):
                self._set(done=update.done, total=update.total, stage=update.stage)
                self._set(comparison=update.comparison)
            case Stopped():
                if self.status == "running":
                    self._set(status="stopped")
            case Finished():
                self._set(status="done")
            case Failed(error=error):
                self._set(note=in_words(error), status="failed")

    def _set(self, **results: Any) -> None:
        for name, value in results.items():
            self.set_trait(name, value)


def _finished_map(session: Session) -> ATEMap | None:
    """The session's own map, once it is complete."""
    return session.ate if session.status == "done" else None


def _events(
    request: Request, methods: Sequence[str], ate: ATEMap | None
) -> Iterator[ComparisonUpdate]:
    return iter_compare(
        request._with_target(),
        request.image,
        request.region,
        request.truth,
        methods=methods,
        ate=ate,
        patch_size=request.patch_size,
        baseline=request.content(),
        outcome=request.outcome,
        seed=request.seed,
    )


def _weakly(owner: Judging) -> Any:
    """Tell a judging what comes without keeping it alive."""
    reference = weakref.ref(owner)

    def call(signal: Signal) -> None:
        alive = reference()
        if alive is not None:
            alive._receive(signal)

    return call
