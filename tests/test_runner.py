"""The runner: the newest job wins, and its last event is never lost."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator

import pytest
from gates import PATIENCE, Clock, Gate, Log, count

from pdcr_widgets.runner import Runner
from pdcr_widgets.signals import Event, Failed, Finished, Signal, Started, Stopped


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


def test_inline_mode_computes_before_submit_returns(log: Log) -> None:
    runner = Runner(log, threaded=False, interval=0.0)
    assert runner.submit(count(2)) == 1
    assert log.signals == [Started(1), Event(1, 1), Event(1, 2), Finished(1)]
    assert runner.thread is None


def test_events_between_deliveries_are_left_out_but_never_the_first_or_last(
    log: Log, clock: Clock
) -> None:
    def job() -> Iterator[int]:
        for value in range(10):
            clock.now += 0.02
            yield value

    Runner(log, threaded=False, interval=0.05, clock=clock).submit(job)
    values = log.values(1)
    assert values[0] == 0
    assert values[-1] == 9
    assert len(values) < 6


def test_the_newest_event_of_every_type_is_kept(log: Log, clock: Clock) -> None:
    Runner(log, threaded=False, clock=clock).submit(lambda: iter([1, 2, 3, "a", "b"]))
    assert log.values(1) == [1, 3, "b"]


def test_a_new_job_replaces_one_that_has_shown_a_frame(runner: Runner, log: Log) -> None:
    old = Gate()
    runner.submit(old)
    old.steps.release()
    log.wait_for(Event(1, 1))
    old.wait_inside()
    old.wait_inside()
    runner.submit(count(3))
    old.steps.release()
    log.wait_for(Finished(2))
    assert old.closed.is_set()
    assert log.values(1) == [1]
    assert log.values(2) == [1, 2, 3]


def test_a_job_reaches_its_first_frame_and_only_the_newest_of_many_runs(
    runner: Runner, log: Log
) -> None:
    old = Gate()
    runner.submit(old)
    old.wait_inside()
    for _ in range(20):
        runner.submit(count(1))
    old.steps.release()
    log.wait_for(Finished(21))
    assert log.values(1) == [1]
    assert {signal.generation for signal in log.signals} == {1, 21}


def test_events_that_are_not_frames_do_not_count_as_shown(log: Log, clock: Clock) -> None:
    runner = Runner(log, clock=clock, interval=0.0, is_frame=lambda event: event >= 2)
    old = Gate()
    runner.submit(old)
    old.steps.release()
    log.wait_for(Event(1, 1))
    runner.submit(count(1))
    old.steps.release()
    log.wait_for(Finished(2))
    runner.close()
    assert log.values(1) == [1, 2]


def test_at_once_drops_a_job_that_has_shown_nothing(runner: Runner, log: Log) -> None:
    old = Gate()
    runner.submit(old)
    old.wait_inside()
    runner.submit(count(1), at_once=True)
    old.steps.release()
    log.wait_for(Finished(2))
    assert old.closed.is_set()
    assert log.of(1)[0] == Started(1)
    assert Event(1, 2) not in log.signals


def test_stop_ends_the_job_and_keeps_what_it_had(log: Log, clock: Clock) -> None:
    runner = Runner(log, clock=clock, interval=10.0)
    job = Gate()
    runner.submit(job)
    job.steps.release(2)
    for _ in range(3):
        job.wait_inside()
    runner.stop()
    job.steps.release()
    log.wait_for(Stopped(1))
    runner.close()
    assert log.values(1) == [1, 3]
    assert job.closed.is_set()


def test_an_error_is_told_with_its_generation_and_the_next_job_runs(
    runner: Runner, log: Log
) -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise ValueError("the model returned NaN")

    runner.submit(broken)
    log.wait(lambda signal: isinstance(signal, Failed))
    runner.submit(count(1))
    log.wait_for(Finished(2))
    failed = next(signal for signal in log.signals if isinstance(signal, Failed))
    assert failed.generation == 1
    assert str(failed.error) == "the model returned NaN"
    assert failed.error.__traceback__ is not None


def test_a_receiver_that_raises_does_not_end_the_worker(clock: Clock) -> None:
    log = Log()

    def deliver(signal: Signal) -> None:
        log(signal)
        if isinstance(signal, Event) and signal.generation == 1:
            raise RuntimeError("an observer broke")

    runner = Runner(deliver, clock=clock)
    runner.submit(count(1))
    log.wait(lambda signal: isinstance(signal, Failed))
    runner.submit(count(1))
    log.wait_for(Finished(2))
    runner.close()


def test_steps_hold_the_guard(log: Log) -> None:
    lock = threading.Lock()
    held: list[bool] = []

    def job() -> Iterator[int]:
        held.append(lock.locked())
        yield 1
        held.append(lock.locked())

    def deliver(signal: Signal) -> None:
        log(signal)
        assert not lock.locked()

    Runner(deliver, threaded=False, interval=0.0).submit(job, guard=lock)
    assert held == [True, True]
    assert log.signals[-1] == Finished(1)


def test_an_input_changed_while_computing_inline_runs_after_it(log: Log) -> None:
    def deliver(signal: Signal) -> None:
        log(signal)
        if signal == Event(1, 1):
            runner.submit(count(1))

    runner = Runner(deliver, threaded=False, interval=0.0)
    runner.submit(count(5))
    assert log.signals == [Started(1), Event(1, 1), Started(2), Event(2, 1), Finished(2)]


def test_close_ends_the_thread_and_refuses_nothing(log: Log) -> None:
    runner, job = Runner(log), Gate()
    runner.submit(job)
    job.wait_inside()
    runner.close()
    runner.close()
    job.steps.release()
    assert runner.thread is not None
    runner.thread.join(PATIENCE)
    assert not runner.thread.is_alive()
    assert job.closed.is_set()
    assert runner.closed
    runner.submit(count(1))
    assert all(signal.generation == 1 for signal in log.signals)


def test_a_finished_job_is_let_go(runner: Runner, log: Log) -> None:
    class Inputs:
        pass

    inputs = Inputs()
    gone = weakref.ref(inputs)
    runner.submit(lambda inputs=inputs: iter([1]))  # type: ignore[misc]
    del inputs
    log.wait_for(Finished(1))
    assert runner.join(PATIENCE)
    assert gone() is None
