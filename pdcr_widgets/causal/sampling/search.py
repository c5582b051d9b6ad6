"""Where the patches that matter are: groups are split while something is to be found in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pdcr_widgets.causal.sampling.groups import FACTORS, TESTS, WIDEST, Groups
from pdcr_widgets.causal.sampling.progress import Progress, Settings
from pdcr_widgets.causal.state import Estimates

EAGER = 0.1
"""How much more a squared effect is worth that may be found than one that may be known better."""


@dataclass(frozen=True, eq=False)
class Offers:
    """What could be done next: how much each thing is worth, what it costs, and its name.

    Parameters
    ----------
    worth
        ``(n,)`` squared error that may go per evaluation, points squared.
    cost
        ``(n,)`` evaluations.
    what
        ``(n,)`` integers that mean something to whoever made the offers.
    """

    worth: np.ndarray
    cost: np.ndarray
    what: np.ndarray

    @classmethod
    def joined(cls, parts: list[Offers]) -> Offers:
        """All offers of several."""
        nothing = cls(np.zeros(0), np.zeros(0), np.zeros(0, dtype=np.int64))
        names = ("worth", "cost", "what")
        return cls(*(np.concatenate([getattr(p, n) for p in [nothing, *parts]]) for n in names))

    def best(self, evaluations: int) -> np.ndarray:
        """Places of the offers of most worth that so many evaluations pay for; one at least."""
        order = np.argsort(-self.worth, kind="stable")
        spent = np.cumsum(self.cost[order])
        return order[: int(np.searchsorted(spent, evaluations)) + 1]


class Search:
    """Groups within groups, the first of which have been tested once.

    A group of which two contrasting interventions (content from one half of the bank, then from the
    other, each patch its own; see `Representatives.half`) change the outcome by less than the
    threshold, and bring no pixel of the region more than half of its way to a flip (effects of
    opposite sign may cancel, changes of probability hardly do), is ruled out: its patches are taken
    to have no effect, with the threshold as their standard error. Any other is split.

    Parameters
    ----------
    first
        The largest groups, tested once; None where there are none: every patch is found.
    each
        Evaluations that a patch takes once it is found.

    Attributes
    ----------
    found
        Patches that were found last.
    """

    def __init__(
        self,
        estimates: Estimates,
        settings: Settings,
        reached: np.ndarray,
        first: Groups | None,
        each: int,
    ) -> None:
        self._estimates, self._threshold, self._each = estimates, settings.threshold, each
        self._levels = [] if first is None else [first]
        self.found = reached if first is None else reached[:0]
        grid = estimates.experiment.grid
        top = 0 if first is None else round(first.cells.shape[1] ** (1 / len(grid.shape)))
        self._levels += [Groups.of(estimates, f, reached) for f in FACTORS if f < top]
        self._open = [np.full(len(groups.cells), n == 0) for n, groups in enumerate(self._levels)]
        self._unseen = [np.zeros(len(groups.cells)) for groups in self._levels]
        self._size = int(np.prod(grid.shape))
        self._expected = np.zeros(self._size)
        self._may_rule_out = top * grid.patch_size <= WIDEST

    @property
    def expected(self) -> np.ndarray:
        """Squared effect to be expected of each patch that was found last, points squared."""
        return self._expected[self.found]

    def offers(self, hints: np.ndarray) -> Offers:
        """One for every open group, numbered through all levels.

        Parameters
        ----------
        hints
            ``(cells,)`` squared error that what is around suggests of each patch of the grid.
        """
        parts, before = [], 0
        for level, still in enumerate(self._open):
            rows, groups = np.flatnonzero(still), self._levels[level]
            cost = np.where(self._again(groups)[rows], 1, self._each * groups.members[rows])
            around = np.where(groups.cells >= 0, hints[groups.cells], 0).sum(axis=1)
            worth = EAGER * (self._squares(level) + around)[rows] / cost
            parts.append(Offers(worth, cost, before + rows))
            before += len(still)
        return Offers.joined(parts)

    def take(self, chosen: np.ndarray) -> Iterator[Progress]:
        """Test or split the groups of the offers that were chosen; patches end up in ``found``."""
        self.found, before = self.found[:0], 0
        places = []
        for still in self._open:
            places.append(chosen[(chosen >= before) & (chosen < before + len(still))] - before)
            before += len(still)
        for level, rows in enumerate(places):
            groups = self._levels[level]
            again = self._again(groups)[rows]
            yield from self._test(level, rows[again], self._other(groups, rows[again]))
            yield from self._split(level, rows[~again])

    def _again(self, groups: Groups) -> np.ndarray:
        """Which groups a second test may rule out."""
        quiet = groups.quiet(self._threshold) & (groups.tests < TESTS)
        return quiet if self._may_rule_out else np.zeros_like(quiet)

    def begin(self) -> Iterator[Progress]:
        """Test the largest groups with the other content too."""
        if self._levels:
            rows = np.arange(len(self._levels[0].cells))
            yield from self._test(0, rows, np.ones_like(rows))

    def _test(self, level: int, rows: np.ndarray, content: np.ndarray) -> Iterator[Progress]:
        groups = self._levels[level]
        yield from groups.test(self._estimates, rows, content, "ruling out")
        out = rows[(groups.tests[rows] == TESTS) & groups.quiet(self._threshold)[rows]]
        if self._may_rule_out and len(out):
            self._open[level][out] = False
            cells = groups.cells[out]
            self._estimates.dismiss(cells[cells >= 0], self._threshold)

    def _other(self, groups: Groups, rows: np.ndarray) -> np.ndarray:
        """The content that some groups have not been tested with."""
        return np.isnan(groups.effects[rows]).argmax(axis=1)

    def _squares(self, level: int) -> np.ndarray:
        """Squared effect to be expected in each group of a level, points squared."""
        groups = self._levels[level]
        seen = np.maximum(groups.largest, self._threshold)
        unseen = np.where(groups.tests < TESTS, self._unseen[level], 0)
        return np.maximum(seen, unseen) ** 2

    def _split(self, level: int, rows: np.ndarray) -> Iterator[Progress]:
        """Open the groups within some groups; single patches are found.

        They are tested once, with the content that did more to the whole.
        """
        self._open[level][rows] = False
        groups = self._levels[level]
        sizes = np.abs(np.nan_to_num(groups.effects[rows]))
        held = groups.cells[rows] >= 0
        members, each = groups.cells[rows][held], held.sum(axis=1)
        stronger, weaker = np.zeros(self._size, dtype=np.int64), np.zeros(self._size)
        stronger[members] = np.repeat(sizes.argmax(axis=1), each)
        weaker[members] = np.repeat(sizes.min(axis=1), each)
        self._expected[members] = np.repeat(groups.largest[rows] ** 2 / groups.members[rows], each)
        if level + 1 == len(self._levels):
            self.found = np.concatenate([self.found, members])
            return
        below = self._levels[level + 1]
        inside = np.isin(below.cells, members).any(axis=1)
        alone = inside & (below.members == 1)
        self.found = np.concatenate([self.found, below.cells[alone].max(axis=1)])
        children = np.flatnonzero(inside & ~alone)
        self._open[level + 1][children] = True
        one = below.cells[children].max(axis=1)
        self._unseen[level + 1][children] = weaker[one]
        yield from self._test(level + 1, children, stronger[one])
