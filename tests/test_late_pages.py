"""What a page is told again when it says that it is there."""

from __future__ import annotations

from typing import Any

import ipywidgets as w
import pytest
import tiny

import pdcr_widgets as pdcr
from pdcr_widgets.session import Session
from pdcr_widgets.widgets.arrivals import tell_again
from pdcr_widgets.widgets.family import family

HERE = {"type": "here"}


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, dict[str, Any]]]:
    """Which widget sent what."""
    sent: list[tuple[Any, dict[str, Any]]] = []

    def send(self: Any, message: Any, buffers: Any = None) -> None:
        if message.get("method") == "update":
            sent.append((self, message["state"]))

    monkeypatch.setattr(w.Widget, "_send", send)
    return sent


def test_everything_in_an_explorer_is_told_but_not_the_picture(told: Any) -> None:
    session = Session(tiny.case(), threaded=False, samples=4, layer_samples=2)
    explorer = pdcr.Explorer(session)
    told.clear()
    explorer.canvas._handle_custom_msg(HERE, [])
    assert {id(widget) for widget, _ in told} == {id(widget) for widget in family(explorer)}
    (canvas,) = [state for widget, state in told if widget is explorer.canvas]
    assert "image" not in canvas
    assert canvas["effect"]["id"] == explorer.canvas.effect["id"]
    assert {"region", "label", "layer_models"} <= set(canvas)
    explorer.close()
    told.clear()
    tell_again([explorer])
    assert told == []


def test_a_canvas_alone_tells_itself(told: Any) -> None:
    canvas = pdcr.RegionCanvas(tiny.case().image)
    told.clear()
    canvas._handle_custom_msg(HERE, [])
    assert canvas in [widget for widget, _ in told]
    canvas.close()


def test_the_last_word_is_the_newest(told: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    label = w.HTML("old")
    send = w.Widget._send
    answers = iter(["newer", "newest"])

    def late(self: Any, message: Any, buffers: Any = None) -> None:
        """Between reading and sending, the worker sends something newer."""
        newer = next(answers, None)
        if newer is not None:
            label.value = newer
        send(self, message, buffers)

    monkeypatch.setattr(w.Widget, "_send", late)
    tell_again([label])
    assert label.value == "newest"
    assert told[-1][1]["value"] == "newest"
    label.close()
