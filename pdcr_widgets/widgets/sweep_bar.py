"""Making a sweep, so that the map follows a region while it is dragged."""

from __future__ import annotations

from typing import Any

import ipywidgets as w
import numpy as np

from pdcr_widgets.session import Session
from pdcr_widgets.widgets.status import bar_html, line_html
from pdcr_widgets.widgets.style import block, markup
from pdcr_widgets.widgets.text import count, duration, escape, memory, rate, sentence
from pdcr_widgets.widgets.view import View

WATCHED = (
    "sweep", "sweep_making", "sweep_progress", "sweep_note", "sweep_samples", "sweep_limit",
    "image", "patch_size", "baseline",
)  # fmt: skip
RANDOM = ("noise", "bank")
"""Baselines of which one draw per patch is not enough."""


class SweepBar(View):
    """Make a session's sweep, watch it being made, drop it.

    Parameters
    ----------
    session
        Whose sweep it is.
    **traits
        Any trait of `ipywidgets.VBox`.
    """

    def __init__(self, session: Session, **traits: Any) -> None:
        super().__init__(**traits)
        self._session = session
        self._button = w.Button()
        self._button.on_click(self._act)
        self._samples = w.BoundedIntText(min=1, max=100, description="Draws per patch")
        self._words = markup("pdcr-status")
        buttons = block("pdcr-buttons", children=[self._button, self._samples])
        self.fill(block("pdcr-runbar", "pdcr-sweepbar", children=[buttons, self._words]))
        self.link((session, "sweep_samples"), (self._samples, "value"))
        self.watch(session, list(WATCHED), self._show)
        self._show()

    def _act(self, _button: Any = None) -> None:
        session = self._session
        if session.sweep_making:
            session.stop_sweep()
        elif session.sweep is not None:
            session.drop_sweep()
        else:
            session.make_sweep()

    def _show(self, _change: Any = None) -> None:
        session = self._session
        making, ready = session.sweep_making, session.sweep is not None
        label, tip = (
            ("Stop sweep", "End here and keep the whole rounds")
            if making
            else ("Drop sweep", "Forget it and free its memory")
            if ready
            else ("Build sweep", "Measure once what every patch does to the whole prediction")
        )
        self._button.description, self._button.tooltip = label, tip
        self._button.button_style = "" if making or ready else "primary"
        random = session.baseline in RANDOM
        self._samples.layout.display = None if random and not (making or ready) else "none"
        self._words.value = (
            _making(session) if making else _made(session) if ready else _no(session)
        )


def _patches(session: Session) -> int:
    return int(np.prod([-(-n // session.patch_size) for n in session.image.shape[1:]]))


def _no(session: Session) -> str:
    draws = session.sweep_samples if session.baseline in RANDOM else 1
    patches = _patches(session)
    note = session.sweep_note
    gone = f'<p class="pdcr-warning">No sweep. {escape(sentence(note))}</p>' if note else ""
    return (
        f'{gone}<p class="pdcr-hint">Build a sweep once and the map follows the region while you '
        f"drag it: {count(patches)} patches, {draws} draw{'s' * (draws > 1)} each, "
        f"{count(patches * draws)} evaluations, at most {memory(session.sweep_limit)}.</p>"
    )


def _making(session: Session) -> str:
    progress = session.sweep_progress
    items = [f"<b>{escape(progress.stage.capitalize() or 'Sweeping')}</b>"]
    if progress.total:
        items.append(f"{count(progress.done)} of {count(progress.total)} evaluations")
    if progress.rate:
        items.append(rate(progress.rate))
    if progress.remaining is not None:
        items.append(f"{duration(progress.remaining)} left")
    items.append(memory(session.sweep_bytes))
    if session.sweep is not None:
        items.append("drag the region already")
    return bar_html(progress, "running", "Progress of the sweep") + line_html(items)


def _made(session: Session) -> str:
    sweep = session.sweep
    assert sweep is not None
    draws = sweep.rounds
    items = [
        "<b>Sweep ready</b>",
        f"{draws} draw{'s' * (draws > 1)} of each of {count(_patches(session))} patches",
        memory(sweep.nbytes),
    ]
    note = escape(session.sweep_note)
    hint = "Drag or move the region: the map follows at once, without a forward pass."
    return line_html(items) + f'<p class="pdcr-hint">{note} {hint}</p>'
