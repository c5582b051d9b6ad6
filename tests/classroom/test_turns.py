"""Turns at the processor: first come first, as many at once as allowed, none lost."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pdcr_widgets.classroom.usher import Usher
from pdcr_widgets.runner import Runner
from pdcr_widgets.signals import Signal
from pdcr_widgets.turns import USHER, turn

PATIENCE = 30.0
HOLD = """
import sys
from pdcr_widgets.turns import turn
with turn():
    print("inside", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def usher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], Usher]]:
    made: list[Usher] = []

    def make(turns: int) -> Usher:
        made.append(Usher(str(tmp_path / "usher"), turns))
        monkeypatch.setenv(USHER, made[-1].path)
        return made[-1]

    yield make
    for each in made:
        each.close()


def until(condition: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(3000):
        if condition():
            return
        pause.wait(PATIENCE / 3000)
    raise AssertionError("it never came to pass")


class Guest(threading.Thread):
    """Takes one turn, notes it, and keeps it until it is told to go."""

    def __init__(self, name: str, notes: list[str]) -> None:
        super().__init__(daemon=True)
        self.label, self.notes = name, notes
        self.inside, self.go = threading.Event(), threading.Event()
        self.start()

    def run(self) -> None:
        with turn():
            self.notes.append(self.label)
            self.inside.set()
            self.go.wait(PATIENCE)

    def leave(self) -> None:
        self.go.set()
        self.join(PATIENCE)


def test_whoever_came_first_goes_first(usher: Callable[[int], Usher]) -> None:
    door, notes = usher(1), []
    first = Guest("a", notes)
    assert first.inside.wait(PATIENCE)
    queue = []
    for number, name in enumerate("bcd", start=1):
        queue.append(Guest(name, notes))
        until(lambda number=number: door.waiting == number)
    for guest in (first, *queue):
        assert guest.inside.wait(PATIENCE)
        guest.leave()
    assert notes == list("abcd")


def test_as_many_at_once_as_there_are_turns(usher: Callable[[int], Usher]) -> None:
    door, notes = usher(2), []
    guests = [Guest(name, notes) for name in "abc"]
    until(lambda: door.waiting == 1)
    assert sum(guest.inside.is_set() for guest in guests) == 2
    for guest in guests:
        guest.go.set()
    for guest in guests:
        guest.join(PATIENCE)
    assert sorted(notes) == ["a", "b", "c"]


def test_whoever_comes_back_queues_behind_the_others(usher: Callable[[int], Usher]) -> None:
    door, notes = usher(1), []
    ready = threading.Event()

    def twice() -> None:
        with turn():
            notes.append("long")
            ready.set()
            until(lambda: door.waiting == 1)
        with turn():
            notes.append("long")

    long = threading.Thread(target=twice, daemon=True)
    long.start()
    assert ready.wait(PATIENCE)
    short = Guest("short", notes)
    short.leave()
    long.join(PATIENCE)
    assert notes == ["long", "short", "long"]


def test_a_killed_process_gives_its_turn_back(usher: Callable[[int], Usher]) -> None:
    usher(1)
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stdout.readline() == b"inside\n"
    waiting = Guest("next", [])
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()
    assert waiting.inside.wait(PATIENCE)
    waiting.leave()


def test_nested_turns_are_one(usher: Callable[[int], Usher]) -> None:
    usher(1)
    with turn(), turn():
        pass
    with turn():
        pass


def test_without_an_usher_nobody_waits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(USHER, str(tmp_path / "nobody"))
    with turn():
        pass
    monkeypatch.delenv(USHER)
    with turn():
        pass


def test_an_usher_that_goes_lets_everybody_through(usher: Callable[[int], Usher]) -> None:
    door = usher(1)
    inside, waiting = Guest("a", []), Guest("b", [])
    until(lambda: door.waiting == 1)
    Usher.close(door)
    assert waiting.inside.wait(PATIENCE)
    assert inside.inside.wait(PATIENCE)
    for guest in (inside, waiting):
        guest.leave()
    assert not os.path.exists(door.path)


def test_only_the_owner_may_knock(usher: Callable[[int], Usher]) -> None:
    assert os.stat(usher(1).path).st_mode & 0o077 == 0


def test_there_is_at_least_one_turn(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least one"):
        Usher(str(tmp_path / "usher"), 0)


def test_every_step_of_a_computation_takes_a_turn(usher: Callable[[int], Usher]) -> None:
    door, told = usher(1), []
    holder = Guest("holder", [])
    assert holder.inside.wait(PATIENCE)

    def deliver(signal: Signal) -> None:
        told.append(type(signal).__name__)

    runner = Runner(deliver)
    runner.submit(lambda: iter([1]))
    until(lambda: door.waiting == 1)
    assert "Event" not in told
    holder.leave()
    assert runner.join(PATIENCE)
    assert told == ["Started", "Event", "Finished"]
    runner.close()
