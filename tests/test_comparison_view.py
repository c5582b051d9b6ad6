"""The panel that compares methods: what it says, shows, forgets and leaves behind."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import tiny
from PIL import Image

from pdcr_widgets.judging import Judging
from pdcr_widgets.session import Session
from pdcr_widgets.widgets import ComparisonView

FAST = ["pdcr", "seg_hires_grad_cam", "random"]


@pytest.fixture
def session() -> Iterator[Session]:
    asked = {"baseline": "zero", "outcome": "soft_dice", "with_layers": False}
    session = Session(tiny.case(), threaded=False, **asked)
    session.run()
    yield session
    session.close()


@pytest.fixture
def view(session: Session) -> Iterator[ComparisonView]:
    view = ComparisonView(session)
    view.judging.methods = FAST
    yield view
    view.close()


def test_nothing_is_computed_before_it_is_asked_for(view: ComparisonView) -> None:
    assert view.judging.status == "idle"
    assert view.judging.comparison is None
    assert view._button.description == "Compare methods"
    assert "Replaces, step by step" in view._status.value
    assert repr(view) == "ComparisonView(idle)"


def test_the_session_s_own_map_is_judged_and_everything_is_shown(
    view: ComparisonView, session: Session
) -> None:
    view._button.click()
    found = view.judging.comparison
    assert view.judging.status == "done"
    assert found.methods == tuple(FAST)
    np.testing.assert_array_equal(found.maps["pdcr"], np.float32(-session.ate.to_image()))
    assert [box.children[1].value for box in view._maps.children] == [
        "<p>PdCR</p>", "<p>Seg-HiRes-Grad-CAM</p>", "<p>Random</p>",
    ]  # fmt: skip
    assert view._table.value.count("<tr>") == 4
    best = max(found.rows, key=lambda row: row.insertion)
    assert f"<b>{best.insertion:.2f}</b>" in view._table.value
    assert view._curves in view.children
    np.testing.assert_array_equal(view._lines["pdcr"].y, found.curves["pdcr"]["deletion"].outcomes)
    assert view._lines["rise"].y.size == 0
    assert repr(view) == repr(found)


def test_maps_have_the_colours_of_effects(view: ComparisonView) -> None:
    view._button.click()

    def drawn() -> Any:
        png = view._maps.children[0].children[0].value
        return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), dtype=int)

    first = drawn()
    view.colormap = "orange-purple"
    assert not np.array_equal(first, drawn())


def test_another_question_takes_the_answer_away(view: ComparisonView, session: Session) -> None:
    view._button.click()
    session.patch_size = 4
    assert view.judging.comparison is None
    assert view.judging.status == "idle"
    assert view._maps.children == ()
    assert view._curves not in view.children
    view._button.click()
    assert view.judging.comparison.recipe["patch_size"] == 4


def test_choices_are_kept_in_one_place(view: ComparisonView) -> None:
    view._choices["random"].value = False
    assert view.judging.methods == FAST[:2]
    view.judging.methods = ["occlusion"]
    assert [name for name, box in view._choices.items() if box.value] == ["occlusion"]


def test_what_is_missing_is_said(view: ComparisonView, session: Session) -> None:
    view.judging.methods = []
    view._button.click()
    assert "this needs a method" in view._status.value
    session.region = None
    view._button.click()
    assert "this needs a region; draw one" in view._status.value


def test_a_running_comparison_can_be_stopped_and_started_again() -> None:
    session = Session(tiny.case(), samples=4, with_layers=False, baseline="mean")
    judging = Judging(session)
    judging.methods = ["random", "rise"]

    def stop_in_rise(change: Any) -> None:
        if change.new.startswith("rise"):
            judging.stop()

    judging.observe(stop_in_rise, names=["stage"])
    try:
        session.run()
        assert session.wait(tiny.PATIENCE)
        judging.run()
        assert judging.wait(tiny.PATIENCE)
        assert judging.status == "stopped"
        assert judging.comparison.methods == ("random",)
        judging.methods = ["random"]
        judging.run()
        assert judging.wait(tiny.PATIENCE)
        assert judging.status == "done"
    finally:
        judging.close()
        session.close()


def test_a_failure_is_shown(view: ComparisonView, session: Session) -> None:
    session.baseline = "bank"
    session.patch_size = 5
    session.make_bank = None
    view._button.click()
    assert "choose 8 pixels or another baseline" in view._status.value
    assert view.judging.status == "failed"
