"""The explorer, through the messages a page would send; no browser, no thread."""

from __future__ import annotations

import base64
import gc
import weakref
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import ipywidgets as w
import numpy as np
import pytest
import tiny
import torch
from numpy.testing import assert_array_equal

from pdcr_widgets.causal import PatchBank
from pdcr_widgets.session import Session
from pdcr_widgets.widgets import Explorer, cells
from pdcr_widgets.widgets.canvas_wire import mask_to_wire
from pdcr_widgets.widgets.family import family


@pytest.fixture
def explorer() -> Iterator[Explorer]:
    explorer = Explorer(Session(tiny.case(), threaded=False, samples=8))
    yield explorer
    explorer.close()


def child(parent: w.Widget, kind: type, description: str) -> Any:
    """Find a control by what stands before it."""
    found = [
        each
        for each in family(parent)
        if isinstance(each, kind) and getattr(each, "description", "") == description
    ]
    assert len(found) == 1
    return found[0]


def from_page(widget: w.Widget, **state: Any) -> None:
    """Set traits as a message from the page does."""
    widget.set_state(state)


def box(top: int, left: int, side: int = 8) -> np.ndarray:
    mask = np.zeros((tiny.SIDE, tiny.SIDE), dtype=bool)
    mask[top : top + side, left : left + side] = True
    return mask


def test_it_starts_by_itself_and_shows_everything(explorer: Explorer) -> None:
    session = explorer.session
    assert session.status == "done"
    assert explorer.canvas.effect is not None
    assert_array_equal(explorer.canvas.region, session.region)
    assert_array_equal(explorer.canvas.prediction, session.prediction.mask)
    assert_array_equal(explorer.canvas.truth, tiny.case().truth)
    assert explorer.canvas.spacing == (1.0, 2.0)
    assert explorer.legend.ate is session.ate
    assert explorer.chart.effects == session.layers


def test_a_drag_reaches_the_session_and_the_map_comes_back(explorer: Explorer) -> None:
    drawn = box(16, 16)
    before = explorer.canvas.effect["id"]
    from_page(explorer.canvas, region=mask_to_wire(drawn))
    assert_array_equal(explorer.session.region, drawn)
    assert explorer.session.status == "done"
    assert_array_equal(explorer.session.ate.region, drawn)
    assert explorer.canvas.effect["id"] > before
    assert explorer.canvas.effect["generation"] == explorer.session.generation == 2


def test_clearing_the_region_asks_for_one(explorer: Explorer) -> None:
    from_page(explorer.canvas, region=mask_to_wire(np.zeros((tiny.SIDE, tiny.SIDE), bool)))
    assert explorer.session.region is None
    assert "Draw a region" in explorer.run_bar._status.value


def test_a_region_of_everything_is_refused_in_words(explorer: Explorer) -> None:
    before = explorer.session.region
    from_page(explorer.canvas, region=mask_to_wire(np.ones((tiny.SIDE, tiny.SIDE), bool)))
    assert explorer.session.region is before
    assert "use a smaller region" in explorer.run_bar._error.value
    assert "The map shown is from before" in explorer.run_bar._error.value
    assert "Traceback" in explorer.run_bar._error.value
    from_page(explorer.canvas, region=mask_to_wire(box(16, 16)))
    assert explorer.run_bar._error.value == ""


def test_a_region_set_in_python_reaches_the_canvas(explorer: Explorer) -> None:
    explorer.session.region = (2, 3, 8, 8)
    assert_array_equal(explorer.canvas.region, box(2, 3))


@pytest.mark.parametrize(
    ("kind", "description", "value", "name", "expected"),
    [
        (w.IntSlider, "Patch, px", 4, "patch_size", 4),
        (w.Dropdown, "Outcome", 1, "outcome", "iou"),
        (w.Dropdown, "Sampling", 1, "sampling", "paper"),
        (w.IntSlider, "Draws", 5, "samples", 5),
        (w.Dropdown, "Baseline", 1, "baseline", "zero"),
        (w.FloatSlider, "Value", 0.5, "baseline_value", 0.5),
        (w.Dropdown, "Replace by", 1, "intervention", "zero"),
    ],
)
def test_a_control_changes_the_session(
    explorer: Explorer, kind: type, description: str, value: Any, name: str, expected: Any
) -> None:
    control = child(explorer, kind, description)
    key = "index" if kind is w.Dropdown else "value"
    from_page(control, **{key: value})
    assert getattr(explorer.session, name) == expected
    assert explorer.session.generation == 2
    assert explorer.session.status == "done"


def test_controls_follow_the_session(explorer: Explorer) -> None:
    explorer.session.patch_size = 4
    explorer.session.baseline = "noise"
    assert child(explorer, w.IntSlider, "Patch, px").value == 4
    assert child(explorer, w.Dropdown, "Baseline").value == "noise"
    assert explorer.canvas.patch_size == 4


def test_an_unknown_value_from_a_page_changes_nothing(explorer: Explorer) -> None:
    from_page(child(explorer, w.IntSlider, "Patch, px"), value=-3)
    assert explorer.session.patch_size >= 1
    assert explorer.session.status == "done"


def test_clicking_a_patch_shows_its_draws(explorer: Explorer) -> None:
    from_page(explorer.canvas, patch=[0, 1])
    assert explorer.session.patch == (0, 1)
    assert "mean of 8 draws" in explorer.inspector._words.value
    from_page(explorer.canvas, patch=[1, 1])
    assert "touches the region" in explorer.inspector._words.value


def test_one_colour_map_for_all(explorer: Explorer) -> None:
    from_page(explorer.canvas, colormap="orange-purple")
    assert explorer.chart.colormap == explorer.legend.colormap == "orange-purple"
    assert explorer.inspector.colormap == "orange-purple"
    assert "#7f3b08" in explorer.legend._body.value


def test_one_limit_for_canvas_and_legend(explorer: Explorer) -> None:
    from_page(explorer.canvas, limit=40.0)
    assert "+40" in explorer.legend._body.value


def test_another_image_takes_the_canvas_along(explorer: Explorer) -> None:
    case = tiny.case()
    explorer.session.show(case.segmenter, torch.rand(1, 24, 40), region=(8, 8, 8, 8), patch_size=5)
    assert explorer.canvas.shape == (24, 40)
    assert explorer.canvas.region.sum() == 64
    assert explorer.session.status == "done", explorer.session.error
    assert explorer.canvas.effect["shape"] == [5, 8]
    assert explorer.canvas.truth is None


def test_the_menu_offers_a_bank_only_where_there_is_one() -> None:
    case = tiny.case()
    plain = Explorer(case.segmenter, case.image, region=case.region, truth=case.truth)
    assert "bank" not in dict(child(plain, w.Dropdown, "Baseline").options).values()
    plain.close()
    banked = Explorer(case.segmenter, case.image, bank=PatchBank(torch.rand(3, 1, 8, 8)))
    assert child(banked, w.Dropdown, "Baseline").value == "bank"
    assert banked.session.wait(tiny.PATIENCE)
    banked.close()


def test_classes_are_offered_once_they_are_known() -> None:
    case = tiny.case(classes=3)
    session = Session(case, truth=None, threaded=False, samples=4)
    explorer = Explorer(session)
    menu = child(explorer, w.Dropdown, "Class")
    assert [label for label, _ in menu.options] == ["auto: 1", "0", "1", "2"]
    from_page(menu, index=1)
    assert session.target == 0
    assert session.ate.recipe["target"] == menu.value == 0
    explorer.close()


def test_without_widgets_there_is_a_picture(explorer: Explorer) -> None:
    bundle = explorer._repr_mimebundle_()
    assert bundle["text/plain"] == "Explorer(32 x 32 pixels, done)"
    assert base64.b64decode(bundle["image/png"]).startswith(b"\x89PNG")
    assert "application/vnd.jupyter.widget-view+json" in bundle


def test_a_model_needs_an_image() -> None:
    with pytest.raises(TypeError, match="without an image"):
        Explorer(tiny.Net())


def test_closing_ends_the_work_and_frees_everything() -> None:
    explorer = Explorer(tiny.case(), samples=8)
    session = explorer.session
    thread = session._runner.thread
    assert thread is not None
    inside = family(explorer)
    explorer.close()
    thread.join(tiny.PATIENCE)
    assert not thread.is_alive()
    assert all(each.comm is None for each in inside)
    gone = weakref.ref(explorer)
    del explorer, inside, session
    gc.collect()
    assert gone() is None


def test_a_given_session_survives_its_explorer() -> None:
    session = Session(tiny.case(), threaded=False, samples=4)
    Explorer(session).close()
    session.patch_size = 4
    assert session.ate.patch_size == 4


class Shell:
    """What matters of an IPython shell: the cell that runs, and its events."""

    def __init__(self, cell: str) -> None:
        self.callbacks: list[Any] = []
        parent = {"metadata": {"cellId": cell}}
        self.kernel = SimpleNamespace(get_parent=lambda _channel: parent)
        self.events = SimpleNamespace(
            register=lambda _name, callback: self.callbacks.append(callback),
            unregister=lambda _name, callback: self.callbacks.remove(callback),
        )

    def run_cell(self, cell: str) -> None:
        for callback in list(self.callbacks):
            callback(SimpleNamespace(cell_id=cell))


def test_only_its_own_cell_running_again_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    shell = Shell("cell-1")
    monkeypatch.setattr(cells, "running_shell", lambda: shell)
    explorer = Explorer(tiny.case(), samples=8)
    shell.run_cell("cell-2")
    assert not explorer.session._runner.closed
    shell.run_cell("cell-1")
    assert explorer.session._runner.closed
    assert explorer.comm is None
    assert shell.callbacks == []
