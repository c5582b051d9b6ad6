"""Questions about a session's network that are answered when they are asked."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import traitlets as t

from pdcr_widgets.causal.components import (
    LayerEffects,
    dose_response,
    iter_window_effects,
    pair_effects,
    skip_paths,
    window_map,
)
from pdcr_widgets.failures import in_words
from pdcr_widgets.inside import about, kinds_of
from pdcr_widgets.lens import LOOKED_AT
from pdcr_widgets.request import Request
from pdcr_widgets.runner import Runner
from pdcr_widgets.session import Session
from pdcr_widgets.signals import Event, Failed, Finished, Signal
from pdcr_widgets.twin import lock_of

COARSE, FINE = 8, 16  # windows per axis


@dataclass(frozen=True)
class Asked:
    """What a question is about.

    Attributes
    ----------
    layer : str or None
        The selected component.
    pinned : tuple of str
        The pinned ones.
    """

    layer: str | None
    pinned: tuple[str, ...]


def windows(request: Request, asked: Asked) -> Iterator[Any]:
    """Where in the selected layer its effect lies: coarse, then finer where that is quick."""
    options = about(request) | {"layer": asked.layer, "intervention": request.intervention}
    for update in iter_window_effects(**options):
        yield update.effects
    sides = on_grid(update.effects)
    if sides and max(sides) > COARSE and update.effects.engine == "incremental":
        for update in iter_window_effects(**options, size=-(-max(sides) // FINE)):
            if update.done == update.total:
                yield update.effects


def on_grid(effects: LayerEffects) -> tuple[int, ...]:
    """Extents of the grid that windows lie on; () where the network makes its own."""
    try:
        return window_map(effects).shape
    except ValueError:
        return ()


def dose(request: Request, asked: Asked) -> Iterator[Any]:
    """How the outcome depends on the size of the selected component's output."""
    options = about(request) | {"layer": asked.layer}
    del options["samples"], options["donors"]
    yield dose_response(**options)
    if request.elsewhere:
        yield dose_response(**options, elsewhere=True)


def paths(request: Request, asked: Asked) -> Iterator[Any]:
    """How much of the stages' effects goes through the skip connections."""
    yield skip_paths(**about(request), intervention=kinds_of(request))


def pair(request: Request, asked: Asked) -> Iterator[Any]:
    """Whether the pinned components do together what they do apart."""
    yield pair_effects(**about(request), layers=list(asked.pinned), intervention=kinds_of(request))


@dataclass(frozen=True)
class Question:
    """A question, and what must be chosen before it can be asked."""

    answer: Callable[[Request, Asked], Iterator[Any]]
    needs: Callable[[Asked], str]


def _a_layer(asked: Asked) -> str:
    if asked.layer is None:
        return "Select a stage in the diagram."
    return "Choose a stage: a connection has no positions." if " -> " in asked.layer else ""


QUESTIONS = {
    "windows": Question(windows, _a_layer),
    "dose": Question(dose, lambda a: "" if a.layer else "Select a stage or a skip connection."),
    "paths": Question(paths, lambda a: ""),
    "pair": Question(
        pair, lambda a: "" if len(a.pinned) == 2 else "Pin two components to measure both at once."
    ),
}


class Answers(t.HasTraits):
    """Keeps the answer to one question up to date, on a worker of its own.

    Parameters
    ----------
    session
        Whose network is asked about.

    Notes
    -----
    Follows the session's image, region, model, intervention and area, the selected layer and what
    is pinned. Nothing is computed while no question is asked.
    """

    question = t.Enum(["", *QUESTIONS], "", help="what is asked, or empty")
    pinned = t.List(t.Unicode())
    answer = t.Any(None, allow_none=True, read_only=True)
    note = t.Unicode("", read_only=True, help="what is missing, being done or went wrong, or empty")

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._runner = Runner(_weakly(self), threaded=session.threaded)
        self._finalizer = weakref.finalize(self, self._runner.close)
        session.observe(self._ask_anew, names=[*LOOKED_AT, "elsewhere"])
        self.observe(self._ask_anew, names=["question", "pinned"])

    def close(self) -> None:
        """Stop for good and end the worker thread."""
        if self._finalizer.alive:
            self._session.unobserve(self._ask_anew, names=[*LOOKED_AT, "elsewhere"])
        self._finalizer()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until nothing is left to compute; False if `timeout` seconds were not enough."""
        return self._runner.join(timeout)

    def _ask_anew(self, _change: Any = None) -> None:
        self._runner.stop()
        self._set(answer=None, note="")
        session = self._session
        if not self.question:
            return
        question, asked = QUESTIONS[self.question], Asked(session.layer, tuple(self.pinned))
        missing = question.needs(asked) if session.region is not None else "Draw a region first."
        if missing:
            self._set(note=missing)
            return
        request = session._request()
        self._set(note="measuring …")
        self._runner.submit(
            lambda: question.answer(request, asked),
            guard=lock_of(session.segmenter.model),
            at_once=True,
        )

    def receive(self, signal: Signal) -> None:
        """Take what the worker found."""
        match signal:
            case Event(value=found):
                self._set(answer=found)
            case Finished():
                self._set(note="")
            case Failed(error=error):
                self._set(note=in_words(error))

    def _set(self, **results: Any) -> None:
        for name, value in results.items():
            self.set_trait(name, value)


def _weakly(answers: Answers) -> Callable[[Signal], None]:
    """Receive signals without keeping the object alive."""
    reference = weakref.ref(answers)

    def call(signal: Signal) -> None:
        if (alive := reference()) is not None:
            alive.receive(signal)

    return call
