"""Which inputs an output depends on, along one axis.

Every windowed operation here is separable, so an axis is described by two integer arrays over its
outputs: the first and the last input each of them reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

Ints = np.ndarray


@dataclass(frozen=True, eq=False)
class Dependence:
    """Inputs that each output of an axis reads.

    Intervals are inclusive; one that is empty has its end before its start.

    Parameters
    ----------
    first, last
        ``(outputs,)`` integers. An output that reads nothing lies outside ``0..extent - 1``.
    extent
        Number of inputs.
    """

    first: Ints
    last: Ints
    extent: int

    @cached_property
    def _ordered(self) -> bool:
        return bool((np.diff(self.first) >= 0).all() and (np.diff(self.last) >= 0).all())

    def forward(self, first: Ints, last: Ints) -> tuple[Ints, Ints]:
        """Hull of the outputs that read anything of the inputs ``first..last``."""
        outputs = len(self.first)
        if self._ordered:
            start = np.searchsorted(self.last, first, side="left")
            stop = np.searchsorted(self.first, last, side="right") - 1
        else:
            hit = (self.first <= last[:, None]) & (self.last >= first[:, None])
            start = np.where(hit.any(1), hit.argmax(1), outputs)
            stop = outputs - 1 - hit[:, ::-1].argmax(1)
        return empty_where((last < first) | (stop < start), start, stop)

    def backward(self, first: Ints, last: Ints) -> tuple[Ints, Ints]:
        """Hull of the inputs that the outputs ``first..last`` read."""
        empty = last < first
        a, b = np.where(empty, 0, first), np.where(empty, 0, last)
        if self._ordered:
            start, stop = self.first[a], self.last[b]
        else:
            outputs = np.arange(len(self.first))
            inside = (outputs >= a[:, None]) & (outputs <= b[:, None])
            reads = inside & (self.last >= 0) & (self.first < self.extent)
            start = np.where(reads, self.first, self.extent).min(1)
            stop = np.where(reads, self.last, -1).max(1)
        start, stop = np.maximum(start, 0), np.minimum(stop, self.extent - 1)
        return empty_where(empty | (stop < start), start, stop)


def empty_where(empty: Ints, first: Ints, last: Ints) -> tuple[Ints, Ints]:
    """Intervals with those marked made empty in the one way used here, ``0..-1``."""
    return np.where(empty, 0, first), np.where(empty, -1, last)


def hull(a: tuple[Ints, Ints], b: tuple[Ints, Ints]) -> tuple[Ints, Ints]:
    """Smallest intervals around two, either of which may be empty."""
    no_a, no_b = a[1] < a[0], b[1] < b[0]
    first = np.where(no_a, b[0], np.where(no_b, a[0], np.minimum(a[0], b[0])))
    last = np.where(no_a, b[1], np.where(no_b, a[1], np.maximum(a[1], b[1])))
    return empty_where(no_a & no_b, first, last)


def meet(a: tuple[Ints, Ints], b: tuple[Ints, Ints]) -> tuple[Ints, Ints]:
    """Intersection of intervals."""
    first, last = np.maximum(a[0], b[0]), np.minimum(a[1], b[1])
    return empty_where((a[1] < a[0]) | (b[1] < b[0]) | (last < first), first, last)


def compose(first: Ints, last: Ints, view: Ints | None, extent: int) -> Dependence:
    """Dependence of an operation that reads its input through a view.

    Parameters
    ----------
    first, last
        Positions in the view that each output reads; may leave it.
    view
        Input that each position of the view shows, -1 where it shows a fill value; None where
        positions are inputs.
    extent
        Number of inputs.
    """
    if view is None:
        return Dependence(first, last, extent)
    width = int((last - first).max(initial=-1)) + 1
    positions = first[:, None] + np.arange(width)
    reads = (positions <= last[:, None]) & (positions >= 0) & (positions < len(view))
    shown = np.where(reads, view[np.clip(positions, 0, len(view) - 1)], -1)
    start = np.where(shown >= 0, shown, extent).min(1, initial=extent)
    stop = shown.max(1, initial=-1)
    dead = stop < 0
    if dead.any() and not dead.all():
        alive = np.flatnonzero(~dead)
        before = dead & (np.arange(len(dead)) < alive[0])
        start, stop = np.where(before, -1, start), np.where(dead & ~before, extent, stop)
    return Dependence(start, stop, extent)


def look_through(outer: Ints | None, inner: Ints | None) -> Ints | None:
    """View of a view: positions of ``outer`` looked up in ``inner``."""
    if outer is None or inner is None:
        return inner if outer is None else outer
    return np.where(outer >= 0, inner[np.clip(outer, 0, len(inner) - 1)], -1)
