"""Copy the question as Python; save the results as files."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from typing import Any

import anywidget
import traitlets as t

from pdcr_widgets.as_code import to_python
from pdcr_widgets.failures import in_words
from pdcr_widgets.keeping import FORMS, kept
from pdcr_widgets.runner import Runner
from pdcr_widgets.session import Session
from pdcr_widgets.widgets.guarded import Guarded
from pdcr_widgets.widgets.network_view import STATIC
from pdcr_widgets.widgets.stills import Stilled


class KeepBar(Guarded, Stilled, anywidget.AnyWidget):
    """Buttons that put a session's question on the clipboard and its results into files.

    Parameters
    ----------
    session
        What is kept.
    explorer
        The explorer that shows it, so that the whole of it can be kept, too.

    Notes
    -----
    Files are made on a worker of its own, so that the kernel stays free, and downloaded by the
    browser.
    """

    _esm = STATIC / "keep_bar.js"
    _css = STATIC / "keep_bar.css"

    formats: Any = t.List().tag(sync=True)

    def __init__(self, session: Session, explorer: Any = None) -> None:
        self._session = session
        self._explorer = (lambda: None) if explorer is None else weakref.ref(explorer)
        self._runner = Runner(lambda _signal: None, threaded=session.threaded)
        self._finalizer = weakref.finalize(self, self._runner.close)
        offered = [n for n in FORMS if n != "session" or explorer is not None]
        super().__init__(formats=[[name, FORMS[name].label] for name in offered])
        self.on_msg(self._asked)

    def close(self) -> None:
        """End the worker and take the buttons off every page."""
        self._finalizer()
        super().close()

    def said(self) -> Iterator[str]:
        """Give the buttons, and what can be saved."""
        yield "[Copy as Python] [Save]"
        yield from (label for _, label in self.formats)

    def __repr__(self) -> str:
        return f"KeepBar({len(self.formats)} kinds of files)"

    def _asked(self, _widget: Any, content: Any, _buffers: Any) -> None:
        if not isinstance(content, dict) or content.get("type") not in ("python", "save"):
            return
        here = weakref.ref(self)

        def answer() -> None:
            bar = here()
            if bar is not None:
                bar._answer(content)

        self._runner.ask(answer)

    def _answer(self, content: dict[str, Any]) -> None:
        number = content.get("id")
        try:
            if content["type"] == "python":
                self.send({"type": "python", "id": number, "text": to_python(self._session)})
                return
            made = kept(self._session, str(content.get("format")), self._explorer())
        except Exception as failure:
            self.send({"type": "failed", "id": number, "error": in_words(failure)})
            return
        told = {"type": "file", "id": number, "name": made.name, "mime": made.mime}
        self.send(told, buffers=[made.data])
