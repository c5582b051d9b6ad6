"""The session with its worker: same numbers, last change wins, nothing left behind."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import tiny
from numpy.testing import assert_array_equal
from torch import nn

from pdcr_widgets.session import Session


@pytest.fixture
def threaded() -> Iterator[Session]:
    """A session with its worker thread."""
    session = Session(tiny.case(), samples=8)
    yield session
    session.close()


def test_the_model_may_be_used_while_it_is_explained(threaded: Session) -> None:
    model = threaded.segmenter.model
    assert isinstance(model, nn.Module)
    model.train()
    seen = []
    threaded.observe(
        lambda _change: seen.append(
            any(m._forward_hooks or not m.training for m in model.modules())
        ),
        names=["layers", "ate"],
    )
    threaded.run()
    assert threaded.wait(tiny.PATIENCE)
    assert seen
    assert not any(seen)


def test_the_worker_reaches_the_same_numbers(threaded: Session) -> None:
    inline = Session(tiny.case(), threaded=False, samples=8)
    inline.run()
    threaded.run()
    assert threaded.wait(tiny.PATIENCE)
    assert threaded.status == "done"
    assert threaded.ate is not None
    assert inline.ate is not None
    assert_array_equal(threaded.ate.effect, inline.ate.effect)


def test_the_last_of_many_changes_wins(threaded: Session) -> None:
    for seed in range(1, 30):
        threaded.seed = seed
    assert threaded.wait(tiny.PATIENCE)
    assert threaded.status == "done"
    assert threaded.ate is not None
    assert threaded.ate.recipe["seed"] == 29


def test_changes_from_many_threads_end_with_all_of_them(threaded: Session) -> None:
    barrier = threading.Barrier(3)

    def change(name: str, value: Any) -> None:
        barrier.wait(tiny.PATIENCE)
        setattr(threaded, name, value)

    changes = {"seed": 7, "samples": 9, "outcome": "iou"}
    threads = [threading.Thread(target=change, args=item) for item in changes.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(tiny.PATIENCE)
    assert threaded.wait(tiny.PATIENCE)
    assert threaded.ate is not None
    assert {name: threaded.ate.recipe[name] for name in changes} == changes


def when(session: Session, name: str, wanted: Callable[[Any], bool]) -> threading.Event:
    """Give an event that is set once a trait has a wanted value."""
    seen = threading.Event()
    session.observe(lambda change: seen.set() if wanted(change.new) else None, names=[name])
    return seen


def test_pause_run_and_stop(threaded: Session) -> None:
    first = threading.Event()
    held = threading.Event()

    def hold_first(change: Any) -> None:
        if not first.is_set():
            first.set()
            assert held.wait(tiny.PATIENCE)

    paused = when(threaded, "status", lambda status: status == "paused")
    stopped = when(threaded, "status", lambda status: status == "stopped")
    threaded.observe(hold_first, names=["ate"])
    threaded.run()
    assert first.wait(tiny.PATIENCE)
    threaded.pause()
    held.set()
    assert paused.wait(tiny.PATIENCE)
    threaded.stop()
    assert stopped.wait(tiny.PATIENCE)
    assert threaded.ate is not None
    threaded.run()
    assert threaded.wait(tiny.PATIENCE)
    assert threaded.status == "done"


def test_run_goes_on_after_a_pause(threaded: Session) -> None:
    first = threading.Event()
    held = threading.Event()

    def hold_first(change: Any) -> None:
        if not first.is_set():
            first.set()
            assert held.wait(tiny.PATIENCE)

    paused = when(threaded, "status", lambda status: status == "paused")
    threaded.observe(hold_first, names=["ate"])
    threaded.run()
    assert first.wait(tiny.PATIENCE)
    threaded.pause()
    held.set()
    assert paused.wait(tiny.PATIENCE)
    threaded.run()
    assert threaded.wait(tiny.PATIENCE)
    assert (threaded.status, threaded.generation) == ("done", 1)


def test_a_session_nobody_holds_ends_its_thread() -> None:
    session = Session(tiny.case())
    session.run()
    assert session.wait(tiny.PATIENCE)
    thread = session._runner.thread
    gone = weakref.ref(session)
    del session
    gc.collect()
    assert gone() is None
    assert thread is not None
    thread.join(tiny.PATIENCE)
    assert not thread.is_alive()


def test_two_sessions_on_one_model_do_not_disturb_each_other() -> None:
    case = tiny.case()
    sessions = [Session(case, seed=seed, samples=8) for seed in (0, 1)]
    for session in sessions:
        session.run()
    for session in sessions:
        assert session.wait(tiny.PATIENCE)
        alone = Session(tiny.case(), seed=session.seed, samples=8, threaded=False)
        alone.run()
        assert session.ate is not None
        assert alone.ate is not None
        assert_array_equal(session.ate.effect, alone.ate.effect)
        assert session.layers is not None
        assert alone.layers is not None
        assert_array_equal(session.layers.table(), alone.layers.table())
        session.close()


def test_a_program_may_end_while_a_session_works() -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import threading, tiny\n"
        "from pdcr_widgets.session import Session\n"
        "session, seen = Session(tiny.case(), samples=5000), threading.Event()\n"
        "session.observe(lambda _: seen.set(), 'ate')\n"
        "session.run()\n"
        "assert seen.wait(60)\n"
    )
    here = Path(__file__).parent
    done = subprocess.run(
        [sys.executable, "-c", code, str(here)],
        cwd=here.parent,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
