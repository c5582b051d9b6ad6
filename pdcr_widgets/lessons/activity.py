"""A live part of a lesson."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import ipywidgets as w

from pdcr_widgets.causal import Segmenter
from pdcr_widgets.failures import in_words
from pdcr_widgets.runner import Runner
from pdcr_widgets.signals import Event, Failed, Signal
from pdcr_widgets.twin import twin
from pdcr_widgets.widgets.arrivals import Arriving
from pdcr_widgets.widgets.stills import beside, pictured
from pdcr_widgets.widgets.style import block, markup
from pdcr_widgets.widgets.text import escape
from pdcr_widgets.widgets.view import View


class Activity(View):
    """A picture beside its controls, computed on one worker: the newest question wins.

    Parameters
    ----------
    threaded
        False computes in the caller's thread, for scripts and tests.
    """

    def __init__(self, *, threaded: bool = True) -> None:
        super().__init__()
        self._lock = threading.RLock()
        self._asked = self._oldest = 0
        self._runner = Runner(_weakly(self), threaded=threaded)
        self._error = markup("pdcr-error-area")
        self._finalizer = weakref.finalize(self, self._runner.close)
        self.add_class("pdcr-activity")

    def arrange(self, pictures: list[w.Widget], panel: list[w.Widget]) -> None:
        """Lay out pictures on one side and what belongs to them on the other."""
        side = block("pdcr-activity-panel", children=[*panel, self._error])
        shown = block("pdcr-activity-pictures", children=pictures)
        self._pictures = pictures
        for stage in stages(pictures):
            stage.on_here(self)
        self.fill(block("pdcr-activity-parts", children=[shown, side]))

    def still(self) -> bytes:
        """Give the pictures as PNG, side by side."""
        return beside([each.still() for each in pictured(self._pictures)])

    def ask(self, answer: Callable[[], Iterator[Any]]) -> None:
        """Compute events on the worker and `show` each; a newer question replaces this one."""
        with self._lock:
            self._asked += 1
            number = self._asked
        self._runner.submit(lambda: ((number, event) for event in answer()))

    def forget(self) -> None:
        """Show nothing any more of what was asked before."""
        with self._lock:
            self._oldest = self._asked + 1
        self._runner.submit(lambda: iter(()), at_once=True)

    def show(self, event: Any) -> None:
        """Put what was computed on the screen."""
        raise NotImplementedError

    def reset(self) -> None:
        """Start over, as the page was first seen."""
        raise NotImplementedError

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until nothing is left to compute; False if ``timeout`` seconds were not enough."""
        return self._runner.join(timeout)

    def close(self) -> None:
        """End the worker and take the widgets off the page."""
        self._finalizer()
        super().close()

    def receive(self, signal: Signal) -> None:
        """Take what the worker tells."""
        match signal:
            case Event(value=(number, event)):
                with self._lock:
                    if number >= self._oldest:
                        self._error.value = ""
                        self.show(event)
            case Failed(error=error):
                told = escape(in_words(error))
                self._error.value = f'<div class="pdcr-error" role="alert">{told}</div>'


def stages(widgets: list[w.Widget]) -> Iterator[Arriving]:
    """Give the canvases among these widgets, and inside of boxes."""
    return (each for each in pictured(widgets) if isinstance(each, Arriving))


def _weakly(activity: Activity) -> Callable[[Signal], None]:
    here = weakref.ref(activity)

    def call(signal: Signal) -> None:
        if (alive := here()) is not None:
            alive.receive(signal)

    return call


def apart(segmenter: Segmenter) -> Segmenter:
    """Give the same segmenter on a twin of its model, so that nobody else's hooks are met."""
    return replace(segmenter, model=twin(segmenter.model))


def choice(label: str, options: list[tuple[str, Any]], value: Any) -> w.ToggleButtons:
    """Give large buttons of which one is pressed."""
    buttons = w.ToggleButtons(options=options, value=value, tooltips=[label for _ in options])
    buttons.add_class("pdcr-choice")
    return buttons


def button(text: str, action: Callable[[], None], primary: bool = False) -> w.Button:
    """Give a button large enough for a finger."""
    pressed = w.Button(description=text, button_style="primary" if primary else "")
    pressed.add_class("pdcr-large")
    pressed.on_click(lambda _button: action())
    return pressed
