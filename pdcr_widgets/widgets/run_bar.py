"""Run, pause, stop; how far it is; what went wrong."""

from __future__ import annotations

from typing import Any

import ipywidgets as w

from pdcr_widgets.session import Session
from pdcr_widgets.widgets.status import error_html, progress_html
from pdcr_widgets.widgets.style import block, markup
from pdcr_widgets.widgets.view import View

WATCHED = ("status", "progress", "prediction", "ate", "region", "truth")


class RunBar(View):
    """Buttons, progress, engine, device and errors of a session.

    Parameters
    ----------
    session
        What is run.
    **traits
        Any trait of `ipywidgets.VBox`.
    """

    def __init__(self, session: Session, **traits: Any) -> None:
        super().__init__(**traits)
        self._session = session
        self._run = w.Button(description="Run", tooltip="Compute, or go on after a pause")
        self._pause = w.Button(description="Pause", tooltip="Hold after the current step")
        self._stop = w.Button(description="Stop", tooltip="End here and keep what was found")
        self._run.on_click(lambda _button: session.run())
        self._pause.on_click(lambda _button: session.pause())
        self._stop.on_click(lambda _button: session.stop())
        self._status = markup("pdcr-status")
        self._error = markup("pdcr-error-area")
        buttons = block("pdcr-buttons", children=[self._run, self._pause, self._stop])
        bar = block("pdcr-runbar", children=[buttons, self._status])
        self.fill(bar, self._error)
        self.watch(session, list(WATCHED), self._show)
        self.watch(session, ["error"], self._show_error)
        self._show()
        self._show_error()

    def _show(self, _change: Any = None) -> None:
        status = self._session.status
        self._run.disabled = status == "running"
        self._run.button_style = "" if status == "running" else "primary"
        self._pause.disabled = status != "running"
        self._stop.disabled = status not in ("running", "paused")
        self._status.value = progress_html(self._session)

    def _show_error(self, _change: Any = None) -> None:
        self._error.value = error_html(self._session)
