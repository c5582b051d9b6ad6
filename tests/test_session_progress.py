"""Counts of several streams become one progress; pauses are no time."""

from __future__ import annotations

import pytest
from gates import Clock

from pdcr_widgets.progress import Progress, Stopwatch


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_rate_and_time_left(clock: Clock) -> None:
    stopwatch = Stopwatch(clock)
    clock.now = 2.0
    assert stopwatch.count("map", 10, 40, "measuring") == Progress("measuring", 10, 40, 5.0, 6.0)


def test_streams_add_up_and_finished_ones_say_nothing(clock: Clock) -> None:
    stopwatch = Stopwatch(clock)
    clock.now = 1.0
    stopwatch.count("map", 30, 30, "measuring")
    progress = stopwatch.count("layers", 2, 10, "encoder.0")
    assert (progress.stage, progress.done, progress.total) == ("encoder.0", 32, 40)


def test_a_pause_is_no_time(clock: Clock) -> None:
    stopwatch = Stopwatch(clock)
    clock.now = 1.0
    stopwatch.hold()
    stopwatch.hold()
    clock.now = 101.0
    stopwatch.go_on()
    stopwatch.go_on()
    clock.now = 102.0
    assert stopwatch.count("map", 10, 20, "").rate == pytest.approx(5.0)


def test_nothing_is_known_at_the_start(clock: Clock) -> None:
    assert Stopwatch(clock).count("map", 0, 20, "starting").remaining is None


def test_more_done_than_expected_is_all(clock: Clock) -> None:
    assert Stopwatch(clock).count("map", 25, 20, "").total == 25
