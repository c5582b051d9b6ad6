"""Frames on their way to a page: whether somebody still looks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Unpainted:
    """Views that were sent a frame and have not painted it yet. Not locked: its owner is.

    Parameters
    ----------
    patience : float
        Seconds after which a view that has painted nothing is overdue.
    clock : callable
        Seconds; monotonic.
    """

    def __init__(self, patience: float, clock: Callable[[], float]) -> None:
        self._patience = patience
        self._clock = clock
        self._since: dict[object, float] = {}
        self._ignoring = 0

    def sent(self, view: object) -> None:
        """Note that a frame went to `view`."""
        self._since.setdefault(view, self._clock())

    def painted(self, view: object, *, all_of_them: bool) -> None:
        """Note that `view` painted a frame; with `all_of_them` no other is on its way to it."""
        if all_of_them:
            self._since.pop(view, None)
        elif view in self._since:
            self._since[view] = self._clock()

    def forget(self) -> None:
        """Expect nothing of anybody."""
        self._since.clear()

    @contextmanager
    def ignored(self) -> Iterator[None]:
        """Call nobody overdue inside a block."""
        self._ignoring += 1
        try:
            yield
        finally:
            self._ignoring -= 1

    def overdue(self) -> bool:
        """Whether some view has painted nothing for too long."""
        now = self._clock()
        late = any(now - since > self._patience for since in self._since.values())
        return late and not self._ignoring
