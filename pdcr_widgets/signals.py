"""What a runner tells: a closed set of frozen values, one per thing that can happen to a job."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Signal:
    """What the runner tells its receiver; every signal names the job it is about."""

    generation: int


@dataclass(frozen=True, slots=True)
class Started(Signal):
    """The job's first step is about to run."""


@dataclass(frozen=True, slots=True)
class Event(Signal):
    """The job yielded `value`; older values of the same type may have been left out."""

    value: Any


@dataclass(frozen=True, slots=True)
class Paused(Signal):
    """The job stands still: `unanswered` when no view painted for a while, else because asked."""

    unanswered: bool


@dataclass(frozen=True, slots=True)
class Resumed(Signal):
    """A paused job goes on."""


@dataclass(frozen=True, slots=True)
class Stopped(Signal):
    """The job was stopped before its end."""


@dataclass(frozen=True, slots=True)
class Finished(Signal):
    """The job reached its end."""


@dataclass(frozen=True, slots=True)
class Failed(Signal):
    """The job raised `error`."""

    error: Exception
