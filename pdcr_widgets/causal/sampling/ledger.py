"""Every draw that was made, and what it says of each patch's mean."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import torch

from pdcr_widgets.causal.representatives import Representatives
from pdcr_widgets.causal.sampling.surrogate import Guesses, Surrogate

PRIOR = 0.6
"""Draws that the usual error of all patches counts for in that of one."""
POWERS = np.array([0.0, 0.25, 0.5, 1.0, 1.5, 2.0])
"""Powers of a response's variance that its effect's squared error may go with: 0 where effects are
rough, 1 where they are smooth, 2 where far contents do what near ones do not."""
BESIDE = 2.0
"""Draws of its own that all around a patch counts for."""
LEAST, SHARE = 0.05, 0.7
"""Standard errors go with a smaller power than the likeliest: a part of it more than this."""
ENOUGH = 30
"""Draws that tell which power is the likeliest."""
SMALLEST = 1e-6
NEARNESS = np.exp([-2.0, -0.5, 0.0, -0.5, -2.0])
NEAR = len(NEARNESS) // 2


class Ledger:
    """Representatives of a bank tried at patches of a grid, with honest standard errors.

    A patch's mean is that over what was tried there and what is expected of the rest: what the
    nearest content that was tried did, and as far as guesses have proved right what is guessed. How
    far draws at a patch and around it were from what was expected before tells how far off that is,
    in proportion to a power of the variance that the surrogate gives them. The squared standard
    error adds that up over the bank's tree of halves: half a cluster of which nothing was tried is
    off as one.

    Parameters
    ----------
    shape
        Of the grid of patches.
    representatives
        Of the bank.
    surrogate
        Makes the guesses.

    Attributes
    ----------
    cells
        ``(rows,)`` patch of each row.
    made
        ``(rows, representatives)`` which draws were made.
    """

    def __init__(
        self, shape: tuple[int, ...], representatives: Representatives, surrogate: Surrogate
    ) -> None:
        self._shape, self._known, self._surrogate = shape, representatives, surrogate
        nothing = np.zeros((0, len(representatives)))
        self.cells, self._row = np.empty(0, dtype=np.int64), np.full(int(np.prod(shape)), -1)
        self.made, self._effects, self._hints = nothing > 0, nothing, np.zeros(0)
        self._off, self._sizes, self._plain, self._away = (nothing,) * 4
        self._now = Guesses(nothing, nothing, nothing)
        self._told, self._came, self._trust = 0.0, 0.0, 1.0
        self._stale = np.zeros(0, dtype=bool)
        self._power, self._fine = 1.0, 0.5

    @property
    def drawn(self) -> np.ndarray:
        """Number of draws of each row."""
        return self.made.sum(axis=1)

    def rows(self, cells: np.ndarray, hints: np.ndarray) -> np.ndarray:
        """Row of each cell; a new cell gets a new one, and a first guess of its squared effect."""
        new = self._row[cells] < 0
        count = int(new.sum())
        self._row[cells[new]] = len(self.cells) + np.arange(count)
        self.cells = np.concatenate([self.cells, cells[new]])
        self._hints = np.concatenate([self._hints, hints[new]])
        self._stale = np.pad(self._stale, (0, count), constant_values=True)
        more = [(0, count), (0, 0)]
        self.made = np.pad(self.made, more)
        kept = (self._effects, self._plain, self._off, self._sizes)
        self._effects, self._plain, self._off, self._sizes = (
            np.asarray(np.pad(a, more), dtype=np.float64) for a in kept
        )
        self._away = np.pad(self._away, more, constant_values=np.inf)
        self._now = Guesses(*(np.pad(a, more) for a in self._now))
        self._surrogate.begin(cells[new])
        return self._row[cells]

    def add(
        self, rows: np.ndarray, nodes: np.ndarray, effects: np.ndarray, responses: np.ndarray
    ) -> None:
        """Enter draws.

        Parameters
        ----------
        rows, nodes
            ``(n,)`` row and representative of each.
        effects
            ``(n,)`` points.
        responses
            ``(n, responses)`` for the surrogate.
        """
        plain = self._plain[rows, nodes]
        told, came = self._now.effects[rows, nodes] - plain, effects - plain
        self._off[rows, nodes] = came - self._trust * told
        self._told += float(told @ told)
        self._came += float(told @ came)
        self._sizes[rows, nodes] = np.maximum(self._now.variances[rows, nodes], SMALLEST)
        self.made[rows, nodes], self._effects[rows, nodes] = True, effects
        for row, node, effect in zip(rows, nodes, effects, strict=True):
            apart = self._known.apart[node]
            nearer = apart < self._away[row]
            self._plain[row, nearer], self._away[row, nearer] = effect, apart[nearer]
        self._surrogate.add(self.cells[rows], nodes, responses)
        self._stale[rows] = True

    def learn(self) -> None:
        """Guess again, where there were draws, or new patches, and around.

        Guesses are gone along with as far as a regression of what came on them says, each as the
        difference to what the nearest content did; wholly before anything came.
        """
        if not self._stale.any():
            return
        trust = (self._came + SMALLEST**2) / (self._told + SMALLEST**2)
        self._trust = min(max(trust, 0.0), 1.0)
        power = self._power
        self._likeliest()
        places = np.stack(np.unravel_index(self.cells, self._shape), axis=1)
        apart = np.abs(places[:, None] - places[self._stale]).max(axis=2).min(axis=1)
        rows = np.flatnonzero((apart <= NEAR) | (power != self._power))
        new = self._surrogate.guess(self.cells[rows], self.made[rows], self._power)
        for held, guessed in zip(self._now, new, strict=True):
            held[rows] = guessed
        self._stale[:] = False

    def means(self) -> np.ndarray:
        """Mean effect of each row, points."""
        return np.asarray((self._filled() * self._known.shares).sum(axis=1))

    def squares(self) -> np.ndarray:
        """Mean square of a single draw from the bank at each row, points squared."""
        return np.asarray((self._filled() ** 2 * self._known.shares).sum(axis=1))

    def variances(self) -> np.ndarray:
        """Variance of a single draw from the bank at each row, points squared."""
        return np.maximum(self.squares() - self.means() ** 2, 0)

    def stderrs(self) -> np.ndarray:
        """Standard error of each mean, points."""
        known = self._known
        taken, kept = self._halves()
        weights = np.where(taken, np.where(kept, 0, self._kept), known.weights)
        nodes = np.where(taken, known.rivals, np.arange(len(known)))
        variances = np.take_along_axis(self._now.variances, nodes, axis=1)
        power = LEAST + SHARE * self._fine
        squares = (weights**2 * variances**power).sum(axis=1)
        return np.asarray(np.sqrt(self._rate(power) * squares))

    def worths(self) -> np.ndarray:
        """Squared error that each draw may take away, ``(rows, nodes)``; -1 where it was made."""
        worth = self._rate(self._power)[:, None] * self._now.gains
        return np.where(self.made, -1.0, worth)

    @cached_property
    def _kept(self) -> np.ndarray:
        """Share of the bank that each split leaves to the rival."""
        return np.asarray(self._known.kept @ self._known.shares)

    def _halves(self) -> np.ndarray:
        """Whether anything was tried in the halves that splits take and keep, ``(2, rows, n)``."""
        # By torch: NumPy's threads would wait for the cores that torch's still spin on.
        halves = torch.from_numpy(np.stack([self._known.taken, self._known.kept])).float()
        return (torch.from_numpy(self.made).float() @ halves.mT > 0).numpy()

    def _filled(self) -> np.ndarray:
        expected = self._trust * self._now.effects + (1 - self._trust) * self._plain
        return np.where(self.made, self._effects, expected)

    def _rate(self, power: float) -> np.ndarray:
        """Squared error per variance to the power of it, at each row and around."""
        sizes = np.where(self.made, self._sizes, 1.0) ** power * self.made
        size, square = sizes.sum(axis=1), (self._off**2).sum(axis=1)
        usual = square.sum() / size.sum() if size.any() else 1.0
        hinted = (self._hints > 0) & (size == 0)
        seen = np.stack([square + hinted * self._hints, size + hinted], axis=1)
        about, area = self._around(seen).T
        around = (about + PRIOR * usual) / (area + PRIOR)
        beside = BESIDE * (size.sum() / self.made.sum() if size.any() else 1.0)
        return np.asarray((square + beside * around) / (size + beside))

    def _likeliest(self) -> None:
        """The likeliest of `POWERS` for the errors of guesses seen so far."""
        rows, nodes = np.nonzero(self.made)
        if len(rows) < ENOUGH or not self._off.any():
            return
        squares, sizes = self._off[rows, nodes] ** 2, self._sizes[rows, nodes]
        expected = [self._rate(p)[rows] * sizes**p for p in POWERS]
        unlikely = np.array([(np.log(e) + squares / e).sum() for e in expected])
        best = int(unlikely.argmin())
        self._power = self._fine = float(POWERS[best])
        if 0 < best < len(POWERS) - 1:
            three = slice(best - 1, best + 2)
            curve = np.polyfit(POWERS[three], unlikely[three], 2)
            self._fine = float(-curve[1] / (2 * curve[0]))

    def _around(self, values: np.ndarray) -> np.ndarray:
        """Sum over the neighbourhood of each row on the grid, nearer patches counting more."""
        field = np.zeros((values.shape[1], int(np.prod(self._shape))))
        field[:, self.cells] = values.T
        field = field.reshape(-1, *self._shape)
        for axis in range(1, field.ndim):
            wide = np.pad(field, [(NEAR * int(a == axis),) * 2 for a in range(field.ndim)])
            window = np.lib.stride_tricks.sliding_window_view(wide, len(NEARNESS), axis=axis)
            field = (window * NEARNESS).sum(axis=-1)
        return field.reshape(values.shape[1], -1)[:, self.cells].T
