"""Two streams of work share the worker's time."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from pdcr_widgets.request import side_by_side


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def work(clock: Clock, name: str, seconds: float, steps: int) -> Generator[str, None, None]:
    for _ in range(steps):
        clock.now += seconds
        yield name


def run(slow: float, quick: float, head_start: float) -> list[str]:
    clock = Clock()
    streams = work(clock, "map", quick, 12), work(clock, "layers", slow, 3)
    return list(side_by_side(*streams, head_start=head_start, clock=clock))


def test_both_get_the_same_time_and_all_of_both_is_seen() -> None:
    order = run(slow=4.0, quick=1.0, head_start=0.0)
    assert order[:7] == ["map", "layers", "map", "map", "map", "map", "layers"]
    assert sorted(order) == ["layers"] * 3 + ["map"] * 12


def test_the_first_has_a_head_start() -> None:
    assert run(slow=1.0, quick=1.0, head_start=5.0)[:7] == ["map"] * 6 + ["layers"]


@pytest.mark.parametrize("end", ["error", "close"])
def test_both_are_closed_at_the_end(end: str) -> None:
    clock = Clock()
    first, second = work(clock, "map", 1.0, 9), work(clock, "layers", 1.0, 9)
    both = side_by_side(first, second, head_start=0.0, clock=clock)
    assert [next(both), next(both)] == ["map", "layers"]
    if end == "close":
        both.close()
    else:
        with pytest.raises(ZeroDivisionError):
            both.throw(ZeroDivisionError)
    assert first.gi_frame is None
    assert second.gi_frame is None
