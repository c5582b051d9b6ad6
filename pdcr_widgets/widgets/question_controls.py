"""What is asked: patch size, outcome, class, number of draws."""

from __future__ import annotations

from typing import Any

import ipywidgets as w

from pdcr_widgets.causal import OUTCOMES, Segmenter
from pdcr_widgets.causal.sampling import SAMPLING
from pdcr_widgets.session import Session
from pdcr_widgets.widgets.menu import Menu
from pdcr_widgets.widgets.style import block
from pdcr_widgets.widgets.text import OUTCOME_WORDS, SAMPLING_WORDS, words
from pdcr_widgets.widgets.view import View

LARGEST = 32


class QuestionControls(View):
    """Patch size, outcome, class, sampling and most draws per patch of a session.

    Parameters
    ----------
    session
        Whose inputs are shown and set.
    **traits
        Any trait of `ipywidgets.VBox`.
    """

    def __init__(self, session: Session, **traits: Any) -> None:
        super().__init__(**traits)
        self._session = session
        largest = min(LARGEST, *session.image.shape[1:])
        patch = w.IntSlider(min=1, max=largest, description="Patch, px")
        outcome = w.Dropdown(
            options=[(words(OUTCOME_WORDS, name), name) for name in OUTCOMES], description="Outcome"
        )
        sampling = w.Dropdown(
            options=[(words(SAMPLING_WORDS, name), name) for name in SAMPLING],
            description="Sampling",
        )
        samples = w.IntSlider(min=2, max=max(200, session.samples), description="Draws")
        self._class = Menu(options=[("auto", None)], description="Class")
        self._class.layout.display = "none"
        self.link((session, "patch_size"), (patch, "value"))
        self.link((session, "outcome"), (outcome, "value"))
        self.link((session, "sampling"), (sampling, "value"))
        self.link((session, "samples"), (samples, "value"))
        controls = [patch, outcome, sampling, samples, self._class]
        self.fill(block("pdcr-controls", children=controls))
        self._class.observe(self._choose_class, names=["value"])
        self.watch(session, ["prediction", "target"], self._offer_classes)
        self._offer_classes()

    def _offer_classes(self, _change: Any = None) -> None:
        prediction, target = self._session.prediction, self._session.target
        if prediction is None:
            return
        numbers = range(max(prediction.classes, (target or 0) + 1))
        read = prediction.segmenter
        named = [(_called(read, number), number) for number in numbers]
        decided = "" if read.target is None else f": {_called(read, read.target)}"
        options = [("auto" if target is not None else f"auto{decided}", None), *named]
        if tuple(self._class.options) != tuple(options):
            self._class.unobserve(self._choose_class, names=["value"])
            self._class.options = options
            self._class.observe(self._choose_class, names=["value"])
        self._class.value = target
        self._class.layout.display = None if len(numbers) > 1 else "none"

    def _choose_class(self, change: Any) -> None:
        self._session.target = change.new


def _called(segmenter: Segmenter, number: int) -> str:
    """Number of a class, with its name where it has one."""
    named = number < len(segmenter.classes)
    return f"{number} {segmenter.class_name(number)}" if named else str(number)
