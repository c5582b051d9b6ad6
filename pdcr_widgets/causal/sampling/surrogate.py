"""What content that was not tried at a patch would do there, guessed, and how far to believe it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from pdcr_widgets.causal.representatives import Representatives

WIDTHS = (1.0, 2.0)
NOISE = 1e-3


class Surrogate:
    """Gaussian process regression from the content of one patch to what the region becomes.

    The covariance of two contents is that of a level, a plane and a smooth surface over the bank's
    leading principal components; one guess is made with each of `WIDTHS` as the surface's scale.
    The patch's own content, which changes nothing, is a draw that costs nothing.

    Parameters
    ----------
    representatives
        Of the bank: guesses are made for these.
    own
        ``cell -> (m,)`` features of the content that the image has there.
    measure
        ``(n, responses) -> (n,)`` effects of responses, points.
    """

    def __init__(
        self,
        representatives: Representatives,
        own: Callable[[int], np.ndarray],
        measure: Callable[[np.ndarray], np.ndarray],
    ) -> None:
        self._features, self._own, self._measure = representatives.features, own, measure
        self._between = [_covariance(self._features, self._features, w) for w in WIDTHS]

    def guess(self, cell: int, tried: list[int], responses: np.ndarray) -> np.ndarray:
        """Effect of every representative at one patch, points, ``(widths, representatives)``.

        Parameters
        ----------
        cell
            The patch.
        tried
            Representatives that were tried there.
        responses
            ``(len(tried), responses)`` change that each made, in a unit in which it is smooth.
        """
        own = self._own(cell)[None]
        weights = [self._weights(own, tried, kind) for kind in range(len(WIDTHS))]
        # By torch: NumPy's threads would wait for the cores that torch's still spin on.
        shares = torch.from_numpy(np.concatenate(weights)).to(torch.float32)
        guessed = shares @ torch.from_numpy(np.asarray(responses, dtype=np.float32))
        return self._measure(guessed.numpy()).reshape(len(WIDTHS), -1)

    def _weights(self, own: np.ndarray, tried: list[int], kind: int) -> np.ndarray:
        """What each draw counts for in the guess of each representative, ``(all, tried)``."""
        beside = _covariance(own, self._features, WIDTHS[kind])
        known = np.concatenate([self._between[kind][tried], beside])
        last = np.append(beside[:, tried], _covariance(own, own, WIDTHS[kind]))
        among = np.column_stack([known[:, tried], last])
        among[np.diag_indices_from(among)] += NOISE
        return np.asarray(np.linalg.solve(among, known)[:-1].T)


class Trust:
    """How far to go along with guesses, from how draws turned out that they were made before.

    The share is the coefficient of a regression through 0 of what came on what was guessed, each as
    the difference to what would be taken without a guess, weighted by what they count for; the kind
    of guess is the one that would have left the least.
    """

    def __init__(self) -> None:
        self._right, self._guessed = np.zeros(len(WIDTHS)), np.zeros(len(WIDTHS))

    def judge(self, guessed: np.ndarray, came: np.ndarray, weights: np.ndarray) -> None:
        """Enter ``(widths, n)`` guesses, the ``(n,)`` that came and their weights."""
        self._right += (weights * guessed * came).sum(axis=1)
        self._guessed += (weights * guessed**2).sum(axis=1)

    @property
    def verdict(self) -> tuple[int, float]:
        """The kind of guess that is best, and its share, 0..1."""
        shares = np.clip(self._right / np.maximum(self._guessed, 1e-300), 0, 1)
        kind = int(np.argmax(2 * shares * self._right - shares**2 * self._guessed))
        return kind, float(shares[kind])


def _covariance(one: np.ndarray, other: np.ndarray, width: float) -> np.ndarray:
    """Prior covariance of the response to two contents, ``(n, m), (k, m) -> (n, k)``."""
    products = one @ other.T
    squares = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1) - 2 * products
    return np.asarray(1 + products + np.exp(-squares / (2 * width**2)))
