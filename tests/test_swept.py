"""A session with a sweep: the map of a region that is being drawn, without a forward pass."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import tiny
import torch
from numpy.testing import assert_allclose, assert_array_equal

from pdcr_widgets.causal import PatchBank, Sweep, ate_map
from pdcr_widgets.session import Session
from pdcr_widgets.swept import OTHER, spread
from pdcr_widgets.twin import Turns

DRAWN = (16, 16, 8, 8)
CHANGES: dict[str, Any] = {
    "image": torch.zeros(1, tiny.SIDE, tiny.SIDE),
    "segmenter": tiny.case().segmenter,
    "target": 0,
    "patch_size": 4,
    "baseline": "zero",
    "bank": PatchBank(torch.zeros(3, 1, 8, 8)),
    "make_bank": tiny.case().make_bank,
    "seed": 3,
}


@pytest.fixture
def session() -> Iterator[Session]:
    """A session that computes in the test's own thread, with a sweep."""
    session = Session(tiny.case(), threaded=False, samples=8, layer_samples=2)
    session.run()
    session.make_sweep()
    yield session
    session.close()


def test_nothing_is_swept_before_it_is_asked_for() -> None:
    session = Session(tiny.case(), threaded=False, samples=4)
    session.run()
    session.preview(DRAWN)
    assert (session.sweep, session.previewed, session.sweep_making) == (None, None, False)


def test_the_sweep_is_that_of_the_function(session: Session) -> None:
    case = tiny.case()
    expected = Sweep.run(case.segmenter, case.image, baseline=case.bank, samples=4, soft=True)
    assert session.sweep is not None
    assert_array_equal(session.sweep.cells, expected.cells)
    assert_array_equal(session.sweep.pixels, expected.pixels)
    assert (session.sweep.rounds, session.sweep_making, session.sweep_note) == (4, False, "")
    assert session.sweep_progress.done == session.sweep_progress.total == 64
    assert session.sweep_bytes >= session.sweep.nbytes - 8 * 65


def test_a_preview_is_read_off_and_asks_the_model_nothing(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = session.region
    monkeypatch.setattr(type(session.segmenter), "scores", lambda *_: pytest.fail("a forward pass"))
    session.preview(DRAWN)
    assert session.ate.engine == "sweep"
    assert session.previewed.sum() == session.ate.region.sum() == 64
    assert session.ate.region[16:24, 16:24].all()
    assert_array_equal(session.region, asked)
    assert session.generation == 1


def test_letting_go_computes_and_shows_better_numbers(session: Session) -> None:
    seen = []
    session.observe(lambda change: seen.append(change.new), names=["ate"])
    session.preview((15, 16, 8, 8))
    session.preview(DRAWN)
    session.settle(DRAWN)
    assert session.previewed is None
    assert session.region[16:24, 16:24].all()
    assert session.generation == 2
    read = seen[2]
    assert [ate.engine for ate in seen[:3]] == ["sweep"] * 3
    assert all(spread(ate) <= spread(read) for ate in seen[3:-1])
    case = tiny.case()
    expected = ate_map(case.segmenter, case.image, DRAWN, case.truth, baseline=case.bank, samples=8)
    assert_array_equal(session.ate.effect, expected.effect)


def test_letting_go_where_it_began_computes_too(session: Session) -> None:
    asked = session.region
    session.preview(DRAWN)
    session.settle(np.array(asked))
    assert session.generation == 2
    assert session.status == "done"
    assert session.ate.engine != "sweep"


def test_another_outcome_is_read_off_first(session: Session) -> None:
    seen = []
    session.observe(lambda change: seen.append(change.new), names=["ate"])
    session.outcome = "soft_dice"
    assert seen[0].engine == "sweep"
    assert seen[0].recipe["outcome"] == session.ate.recipe["outcome"] == "soft_dice"
    assert session.sweep is not None


@pytest.mark.parametrize("name", CHANGES)
def test_a_sweep_that_no_longer_fits_is_dropped_and_it_is_said_why(
    session: Session, name: str
) -> None:
    setattr(session, name, CHANGES[name])
    assert session.sweep is None
    assert session.sweep_bytes == 0
    assert OTHER[name] in session.sweep_note
    session.preview(DRAWN)
    assert session.previewed is None


def test_the_value_of_another_baseline_drops_nothing(session: Session) -> None:
    session.baseline_value = 0.25
    assert session.sweep is not None
    session.baseline = "constant"
    session.make_sweep()
    session.baseline_value = 0.5
    assert session.sweep is None


def test_new_weights_are_noticed(session: Session) -> None:
    with torch.no_grad():
        session.segmenter.model.last.bias += 1
    session.preview(DRAWN)
    assert session.sweep is None
    assert "weights have changed" in session.sweep_note


def test_a_region_without_a_patch_outside_is_refused_in_words(session: Session) -> None:
    before = session.ate
    session.preview(np.ones((tiny.SIDE, tiny.SIDE), bool))
    assert "use a smaller region" in session.error
    assert session.ate is before
    session.preview(DRAWN)
    assert session.error == ""


def test_memory_is_bounded_and_said() -> None:
    session = Session(tiny.case(), threaded=False)
    session.sweep_limit = 200
    session.make_sweep()
    assert session.sweep is None
    assert "limit_bytes=200" in session.sweep_note
    session.sweep_limit = 10**6
    session.make_sweep()
    whole = session.sweep.nbytes
    session.sweep_limit = whole - 1
    session.make_sweep()
    assert session.sweep.nbytes < whole
    assert session.sweep.rounds == 3
    assert "after 3 of 4 draws" in session.sweep_note


def test_an_exact_baseline_is_swept_once() -> None:
    session = Session(tiny.case(), threaded=False, baseline="zero")
    session.make_sweep()
    assert (session.sweep.rounds, session.sweep_note) == (1, "")
    session.preview(DRAWN)
    assert_allclose(session.ate.stderr[np.isfinite(session.ate.stderr)], 0)


def test_what_goes_wrong_is_said() -> None:
    session = Session(tiny.case(), threaded=False, make_bank=None)
    session.patch_size = 4
    session.make_sweep()
    assert "the bank has patches of 8 pixels" in session.sweep_note
    assert not session.sweep_making


def test_on_threads_of_their_own_map_and_sweep_both_come() -> None:
    session = Session(tiny.case(), samples=8, layer_samples=2)
    session.run()
    session.make_sweep()
    session.region = DRAWN
    assert session.wait_sweep(tiny.PATIENCE)
    assert session.wait(tiny.PATIENCE)
    assert session.sweep.rounds == 4
    assert session.status == "done"
    sweeper = session._sweeper
    session.close()
    sweeper.thread.join(tiny.PATIENCE)
    assert not sweeper.thread.is_alive()


def test_two_threads_hold_a_lock_in_turn() -> None:
    turns, inside, held = Turns(), threading.Event(), []

    def other() -> None:
        inside.set()
        with turns:
            held.append("other")

    thread = threading.Thread(target=other)
    with turns, turns:
        thread.start()
        assert inside.wait(tiny.PATIENCE)
        while not turns._door.locked():
            threading.Event().wait(0.001)
        held.append("me")
    with turns:
        held.append("me again")
    thread.join(tiny.PATIENCE)
    assert held == ["me", "other", "me again"]
