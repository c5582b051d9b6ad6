"""Every draw that was made, and what it says of each patch's mean."""

from __future__ import annotations

import numpy as np

from pdcr_widgets.causal.representatives import Representatives
from pdcr_widgets.causal.sampling.surrogate import WIDTHS, Surrogate, Trust

OWN, ALL = 0.3, 1.0
"""What a patch's other draws count for, in draws at the same split, and what other patches' do."""
POWERS, CURIOUS = np.array([0.0, 0.25, 0.5, 0.75, 1.0]), 2.0
"""Powers of the squared distance of two contents that a squared difference of effects may go with,
and that by which draws are chosen: one looks for what far contents do and near ones do not."""
NEARNESS = np.exp([-2.0, -0.5, 0.0, -0.5, -2.0])
FORESEEN = 0.3
"""Part of a guessed squared difference that counts as if it had been seen."""


class Ledger:
    """Representatives of a bank tried at many patches of a grid, with honest standard errors.

    A patch's mean is that over the representatives tried, each for the part of the bank it stands
    for, and as far as guesses have proved right the mean that they give. How far each draw was from
    what would have been said before it tells how far those to come will be: at the same split in
    the neighbourhood, at other splits of the same patch in proportion to the squared distance of
    the contents, and at all patches. The squared standard error is the sum over all splits to come.

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
        nodes = len(representatives)
        self.cells, self._row = np.empty(0, dtype=np.int64), np.full(int(np.prod(shape)), -1)
        self.made = np.zeros((0, nodes), dtype=bool)
        self._effects, self._off = np.zeros((0, nodes)), np.zeros((0, nodes))
        self._guesses, self._trust = np.zeros((len(WIDTHS), 0, nodes)), Trust()
        self._tried: list[list[int]] = []
        self._responses: list[list[np.ndarray]] = []

    @property
    def drawn(self) -> np.ndarray:
        """Number of draws of each row."""
        return self.made.sum(axis=1)

    def rows(self, cells: np.ndarray) -> np.ndarray:
        """Row of each cell; a new cell gets a new one."""
        new = cells[self._row[cells] < 0]
        self._row[new] = len(self.cells) + np.arange(len(new))
        self.cells = np.concatenate([self.cells, new])
        more = [(0, len(new)), (0, 0)]
        self.made, self._effects = np.pad(self.made, more), np.pad(self._effects, more)
        self._off = np.pad(self._off, more)
        self._guesses = np.pad(self._guesses, [(0, 0), *more])
        self._tried += [[] for _ in new]
        self._responses += [[] for _ in new]
        return self._row[cells]

    def add(
        self, rows: np.ndarray, nodes: np.ndarray, effects: np.ndarray, responses: np.ndarray
    ) -> None:
        """Enter draws made together.

        Parameters
        ----------
        rows, nodes
            ``(n,)`` row and representative of each; that it splits from was entered before.
        effects
            ``(n,)`` points.
        responses
            ``(n, responses)`` for `Surrogate.guess`.
        """
        without = np.where(nodes > 0, self._effects[rows, self._known.rivals[nodes]], 0.0)
        came, guessed = effects - without, self._guesses[:, rows, nodes] - without
        kind, share = self._trust.verdict
        self._off[rows, nodes] = came - share * guessed[kind]
        self._trust.judge(guessed, came, self._known.weights[nodes] ** 2 * (nodes > 0))
        self.made[rows, nodes], self._effects[rows, nodes] = True, effects
        for row, node, response in zip(rows.tolist(), nodes.tolist(), responses, strict=True):
            self._tried[row].append(node)
            self._responses[row].append(response)
        for row in np.unique(rows).tolist():
            responses = np.stack(self._responses[row])
            cell, tried = int(self.cells[row]), self._tried[row]
            self._guesses[:, row] = self._surrogate.guess(cell, tried, responses)
            self._guesses[:, row, tried] = self._effects[row, tried]

    def means(self) -> np.ndarray:
        """Mean effect of each row, points."""
        kind, share = self._trust.verdict
        guessed = self._guesses[kind] @ self._known.shares
        return np.asarray((1 - share) * self._mean(self._effects) + share * guessed)

    def squares(self) -> np.ndarray:
        """Mean square of a single draw from the bank at each row, points squared."""
        return np.maximum(self._mean(self._effects**2), 0)

    def variances(self) -> np.ndarray:
        """Variance of a single draw from the bank at each row, points squared."""
        return np.maximum(self.squares() - self._mean(self._effects) ** 2, 0)

    def stderrs(self) -> np.ndarray:
        """Standard error of each mean, points."""
        return np.sqrt(np.where(self.made, 0, self._errors(self._power())).sum(axis=1))

    def worths(self) -> np.ndarray:
        """Squared error that each draw may take away, ``(rows, nodes)``; -1 where none is open."""
        kind, _ = self._trust.verdict
        foreseen = self._guesses[kind] - self._effects[:, self._known.rivals]
        worth = self._errors(CURIOUS) + FORESEEN * (self._known.weights * foreseen) ** 2
        return np.where(~self.made & self.made[:, self._known.above], worth, -1.0)

    def _mean(self, values: np.ndarray) -> np.ndarray:
        """Mean over the bank by the representatives tried."""
        apart = values - values[:, self._known.rivals]
        apart[:, 0] = values[:, 0]
        return np.asarray(np.where(self.made, apart, 0) @ self._known.weights)

    def _errors(self, power: float) -> np.ndarray:
        """Squared error of the mean that each split not yet made leaves, points squared."""
        squares, apart = self._off**2, self._known.apart**power
        seen, size = squares.sum(axis=1), self.made @ apart
        everywhere = (seen / np.maximum(size, 1e-300)).mean() if len(seen) else 0.0
        about, area = self._around(np.stack([seen, size], axis=1)).T
        usual = (about + ALL * everywhere) / (area + ALL)
        rate = (seen + ALL * usual) / (size + ALL)
        near, count = self._around(squares), self._around(self.made.astype(float))
        square = (near + OWN * rate[:, None] * apart) / (count + OWN)
        return np.asarray(self._known.weights**2 * square)

    def _power(self) -> float:
        """The likeliest of `POWERS`: 0 for effects of texture, 1 for those of smooth changes."""
        sizes, made = np.abs(self._off[:, 1:]), self.made[:, 1:]
        rows = sizes.any(axis=1)
        if not rows.any():
            return float(POWERS[-1])
        sizes, made = sizes[rows], made[rows]
        apart = np.maximum(self._known.apart[1:], 1e-12)
        count, logs = made.sum(axis=1), made @ np.log(apart)
        scaled = np.log(sizes @ apart[:, None] ** (-POWERS / 2) / count[:, None])
        likely = -(count[:, None] * scaled + logs[:, None] * POWERS / 2).sum(axis=0)
        return float(POWERS[likely.argmax()])

    def _around(self, values: np.ndarray) -> np.ndarray:
        """Sum over the neighbourhood of each row on the grid, nearer patches counting more."""
        field = np.zeros((values.shape[1], int(np.prod(self._shape))))
        field[:, self.cells] = values.T
        field = field.reshape(-1, *self._shape)
        for axis in range(1, field.ndim):
            wide = np.pad(field, [(2 * int(a == axis),) * 2 for a in range(field.ndim)])
            field = np.lib.stride_tricks.sliding_window_view(wide, 5, axis=axis) @ NEARNESS
        return field.reshape(values.shape[1], -1)[:, self.cells].T
