"""Where the windows of a bucket of interventions lie, and which are computed together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pdcr_widgets.causal.incremental.axes import Ints
from pdcr_widgets.causal.incremental.cones import Cones, Interval
from pdcr_widgets.causal.incremental.kinds import Mean, Whole

ABSENT = -(1 << 28)


@dataclass(frozen=True, eq=False)
class Group:
    """Interventions whose windows of a node have one size.

    Attributes
    ----------
    picked
        ``(m,)`` which interventions of the bucket.
    size
        Extent of their windows on every axis.
    origin
        Row of the first window among the node's windows.
    """

    picked: Ints
    size: tuple[int, ...]
    origin: int


@dataclass(frozen=True, eq=False)
class Windows:
    """Windows of one node, for every intervention of a bucket.

    Attributes
    ----------
    starts, sizes
        ``(n, dims)`` first position and extent of each window.
    origins
        ``(n,)`` row of each window's first position, `ABSENT` where the node does not change.
    groups
        The windows that exist, by size.
    rows
        Positions in all windows.
    """

    starts: Ints
    sizes: Ints
    origins: Ints
    groups: tuple[Group, ...]
    rows: int

    @cached_property
    def in_common(self) -> bool:
        """Whether every intervention has a window, and all at the same place."""
        whole = len(self.groups) == 1 and len(self.groups[0].picked) == len(self.starts)
        return whole and bool((self.starts == self.starts[0]).all())


Plan = dict[int, Windows]


def chunks(group: Group, footprint: float, most: int) -> Iterator[tuple[Group, int]]:
    """Parts of a group; lengths are powers of two, the last may repeat itself.

    Convolution libraries prepare for every shape they meet, so shapes should come back. With each
    part comes its length without the repetition.

    Parameters
    ----------
    footprint, most
        Values per position, and those of a part.
    """
    rows = int(np.prod(group.size))
    length = 1
    while 2 * length * rows * footprint <= most:
        length *= 2
    done, count = 0, len(group.picked)
    while done < count:
        left = count - done
        while length >= 2 * left or (length > 8 and length > 1.25 * left):
            length //= 2
        part = group.picked[done : done + length]
        repeated = part if len(part) == length else np.resize(part, length)
        yield Group(repeated, group.size, group.origin + done * rows), len(part)
        done += length


def laid_out(starts: Ints, sizes: Ints, parts: Sequence[Ints]) -> Windows:
    """Windows of one size per part, one part after the other.

    Parameters
    ----------
    parts
        Indices of the interventions that have a window.
    """
    sizes = sizes.copy()
    origins = np.full(len(starts), ABSENT)
    groups = []
    total = 0
    for picked in parts:
        size = sizes[picked].max(axis=0)
        rows = int(size.prod())
        sizes[picked] = size
        origins[picked] = total + rows * np.arange(len(picked))
        groups.append(Group(picked, tuple(int(n) for n in size), total))
        total += rows * len(picked)
    return Windows(starts, sizes, origins, tuple(groups), total)


def same_everywhere(box: tuple[slice, ...], count: int) -> Windows:
    """The same window for every intervention."""
    starts = np.array([[s.start for s in box]] * count)
    sizes = np.array([[s.stop - s.start for s in box]] * count)
    return laid_out(starts, sizes, [np.arange(count)])


def planned(
    cones: Cones,
    windows: Sequence[dict[int, Interval]],
    sources: Plan,
    pick: Ints,
    work: dict[int, float],
    call: float,
) -> Plan:
    """Windows of every node that changes.

    Parameters
    ----------
    windows
        Per axis, of every node the interval of each start.
    sources
        Windows of the nodes whose values are replaced.
    pick
        ``(n, dims)`` which start of each axis an intervention has.
    work, call
        Multiplications per position of each node, and those that one more call costs.
    """
    plan = dict(sources)
    for index in cones.order:
        if index in sources:
            continue
        first = np.stack([w[index][0][pick[:, a]] for a, w in enumerate(windows)], axis=1)
        last = np.stack([w[index][1][pick[:, a]] for a, w in enumerate(windows)], axis=1)
        changed = np.flatnonzero((last >= first).all(axis=1))
        if len(changed):
            plan[index] = _windows_of(cones, index, first, last, changed, work[index], call)
    return plan


def _windows_of(
    cones: Cones, index: int, first: Ints, last: Ints, changed: Ints, work: float, call: float
) -> Windows:
    kind = cones.graph[index].kind
    if isinstance(kind, Whole):
        nowhere = (slice(0, 1),) * cones.dims
        return same_everywhere(cones.crop(index) if kind.is_map else nowhere, len(first))
    if kind is not None and not isinstance(kind, Mean):
        align = [kind.align(axis) for axis in range(cones.dims)]
        if max(align) > 1:
            first = first // align * align
    sizes = last - first + 1
    return laid_out(first, sizes, alike(sizes, changed, work, call))


def alike(sizes: Ints, picked: Ints, work: float, call: float) -> list[Ints]:
    """Split windows so that giving each part one size wastes less than further calls would cost.

    Parameters
    ----------
    sizes
        ``(n, dims)`` extents.
    picked
        Indices of the windows to split.
    work, call
        Multiplications per position, and those that a call costs.
    """
    own = sizes[picked]
    cost = len(picked) * int(own.max(axis=0).prod())
    if (cost - own.prod(axis=1).sum()) * work <= call:
        return [picked]
    best, split = cost - call / work, None
    for axis in range(own.shape[1]):
        order = np.argsort(own[:, axis], kind="stable")
        ranked = own[order]
        below = np.maximum.accumulate(ranked, axis=0).prod(axis=1)
        above = np.maximum.accumulate(ranked[::-1], axis=0).prod(axis=1)[::-1]
        count = np.arange(1, len(picked))
        costs = count * below[:-1] + (len(picked) - count) * above[1:]
        at = int(costs.argmin())
        if costs[at] < best:
            best, split = float(costs[at]), (order[: at + 1], order[at + 1 :])
    if split is None:
        return [picked]
    return [part for half in split for part in alike(sizes, picked[np.sort(half)], work, call)]
