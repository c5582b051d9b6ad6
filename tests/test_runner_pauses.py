"""The runner stands still when asked or when nobody looks, and answers questions meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from gates import PATIENCE, Clock, Gate, Log, count

from pdcr_widgets.runner import Runner
from pdcr_widgets.signals import Finished, Paused, Resumed


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def runner(log: Log, clock: Clock) -> Iterator[Runner]:
    runner = Runner(log, clock=clock, interval=0.0)
    yield runner
    runner.close()


def test_pause_holds_and_resume_goes_on(runner: Runner, log: Log) -> None:
    job = Gate(last=2)
    runner.submit(job)
    job.wait_inside()
    runner.pause()
    job.steps.release(2)
    log.wait_for(Paused(1, unanswered=False))
    assert log.values(1) == [1]
    runner.resume()
    log.wait_for(Finished(1))
    assert Resumed(1) in log.signals
    assert log.values(1) == [1, 2]


def test_a_new_job_runs_although_the_old_one_is_paused(runner: Runner, log: Log) -> None:
    job = Gate()
    runner.submit(job)
    job.wait_inside()
    runner.pause()
    job.steps.release()
    log.wait_for(Paused(1, unanswered=False))
    runner.submit(count(1))
    log.wait_for(Finished(2))
    assert job.closed.is_set()


def test_a_view_that_does_not_paint_pauses_the_job_until_it_does(
    runner: Runner, log: Log, clock: Clock
) -> None:
    job = Gate(last=2)
    runner.submit(job)
    job.wait_inside()
    runner.sent("view")
    clock.now = 60.0
    job.steps.release(2)
    log.wait_for(Paused(1, unanswered=True))
    runner.painted("view")
    log.wait_for(Finished(1))


def test_a_view_that_paints_keeps_the_job_going(runner: Runner, log: Log, clock: Clock) -> None:
    job = Gate(last=1)
    runner.submit(job)
    job.wait_inside()
    runner.sent("view")
    clock.now = 60.0
    runner.painted("view", all_of_them=False)
    job.steps.release()
    log.wait_for(Finished(1))
    assert not any(isinstance(signal, Paused) for signal in log.signals)


def test_resume_goes_on_without_the_view(runner: Runner, log: Log, clock: Clock) -> None:
    job = Gate(last=1)
    runner.submit(job)
    job.wait_inside()
    runner.sent("view")
    clock.now = 60.0
    job.steps.release()
    log.wait_for(Paused(1, unanswered=True))
    runner.resume()
    log.wait_for(Finished(1))


def test_who_waits_for_the_end_does_not_wait_for_a_view(
    runner: Runner, log: Log, clock: Clock
) -> None:
    job = Gate(last=1)
    runner.submit(job)
    job.wait_inside()
    runner.sent("view")
    clock.now = 60.0
    job.steps.release()
    log.wait_for(Paused(1, unanswered=True))
    assert runner.join(PATIENCE)
    log.wait_for(Finished(1))


@pytest.mark.parametrize("paused", [False, True])
def test_a_question_is_answered_between_two_steps(runner: Runner, log: Log, paused: bool) -> None:
    job, answered = Gate(), threading.Event()
    runner.submit(job)
    job.wait_inside()
    if paused:
        runner.pause()
        job.steps.release()
        log.wait_for(Paused(1, unanswered=False))
    runner.ask(answered.set)
    job.steps.release()
    assert answered.wait(PATIENCE)


def test_a_question_is_answered_when_nothing_runs(runner: Runner) -> None:
    answered = threading.Event()
    runner.ask(answered.set)
    assert answered.wait(PATIENCE)


def test_inline_mode_never_stands_still(log: Log, clock: Clock) -> None:
    runner = Runner(log, threaded=False, clock=clock)

    def job() -> Iterator[int]:
        runner.sent("view")
        runner.pause()
        clock.now += 60.0
        yield 1
        yield 2

    runner.submit(job)
    assert log.signals[-1] == Finished(1)
