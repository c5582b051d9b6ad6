"""What content that was not tried at a patch would do there, guessed from what was."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from pdcr_widgets.causal.representatives import Representatives
from pdcr_widgets.causal.sampling.tried import Tried

WIDTH, REACH = 0.85, 1.0
"""The distance of contents at which the smooth part of a response has changed, in units of the
bank's spread, and that of places at which all of it has, in patches."""
LEVEL, NOISE = 4.0, 1e-3
MOST = 30
"""Draws of other patches that a guess is made from."""
TOGETHER, NUMBERS = 64, 2**24
"""Patches that are guessed at once, and numbers that are guessed of their responses."""


class Reader(Protocol):
    """How responses are turned into effects (see `Experiment`)."""

    @property
    def width(self) -> int:
        """Number of responses."""

    def telling(self, largest: np.ndarray) -> np.ndarray:
        """Which responses may tell of an effect where these are the ``largest`` seen."""

    def read(self, responses: np.ndarray, which: np.ndarray) -> np.ndarray:
        """Effects that some responses mean where all others are 0, points."""


class Guesses(NamedTuple):
    """What is thought of every representative at some patches.

    Parameters
    ----------
    effects
        ``(cells, representatives)`` points.
    variances
        ``(cells, representatives)`` of the response, in units of what one draw may do.
    gains
        ``(cells, representatives)`` variance of the mean over the bank that a draw of each
        would take away.
    """

    effects: np.ndarray
    variances: np.ndarray
    gains: np.ndarray


class Surrogate:
    """Gaussian process regression from patch and content to what the region becomes.

    The covariance of the responses to two contents at two patches is that of a level, a plane and a
    smooth surface over the bank's leading principal components, times that of a smooth surface over
    the places. A patch's own content, which changes nothing, is a draw that costs nothing.

    Parameters
    ----------
    representatives
        Of the bank: guesses are made for these.
    shape
        Of the grid of patches.
    own
        ``(n,) cells -> (n, m)`` features of the content that the image has there.
    reader
        Tells effects from responses.
    """

    def __init__(
        self,
        representatives: Representatives,
        shape: tuple[int, ...],
        own: Callable[[np.ndarray], np.ndarray],
        reader: Reader,
    ) -> None:
        self._features = torch.from_numpy(representatives.features)
        self._shares = torch.from_numpy(representatives.shares)
        self._shape, self._own, self._reader = shape, own, reader
        self._tried = Tried(len(shape), self._features.shape[1], reader.width)
        alike = _alike(self._features[None], self._features[None])
        self._between = _covariance(*alike)[0]

    def begin(self, cells: np.ndarray) -> None:
        """Enter patches of which no draw was made."""
        own = torch.from_numpy(self._own(cells))
        self._tried.enter(self._at(cells), own, torch.zeros(len(cells), self._reader.width))

    def add(self, cells: np.ndarray, nodes: np.ndarray, responses: np.ndarray) -> None:
        """Enter draws: the patch, the representative and the ``(n, width)`` responses of each."""
        self._tried.enter(self._at(cells), self._features[nodes], torch.from_numpy(responses))

    def guess(self, cells: np.ndarray, made: np.ndarray, power: float) -> Guesses:
        """Guess all representatives at some patches.

        Parameters
        ----------
        cells
            ``(n,)`` patches that were entered before.
        made
            ``(n, representatives)`` what was tried there.
        power
            Of a response's variance that squared errors of its effect go with.
        """
        which = self._reader.telling(self._tried.largest.numpy())
        each = max(1, min(TOGETHER, NUMBERS // max(1, len(which) * len(self._features))))
        parts = [slice(n, n + each) for n in range(0, len(cells), each)]
        found = [self._guess(cells[p], made[p], power, which) for p in parts]
        return Guesses(*(np.concatenate(each) for each in zip(*found, strict=True)))

    def _guess(
        self, cells: np.ndarray, made: np.ndarray, power: float, which: np.ndarray
    ) -> Guesses:
        away = _apart(self._at(cells)[None], self._tried.places[None])[0]
        most = min(away.shape[1], MOST + int((away == 0).sum(dim=1).max()))
        away, near = away.topk(most, dim=1, largest=False)
        contents, places = self._tried.contents[near], self._tried.places[near]
        draws, near = near.unique(return_inverse=True)
        told = self._tried.responses(draws, torch.from_numpy(which))
        among = _alike(contents, contents)
        beside = _alike(contents, self._features.expand(len(cells), -1, -1))
        inner = _covariance(*among) * _faded(_apart(places, places))
        inner.diagonal(dim1=1, dim2=2).add_(NOISE)
        known = _covariance(*beside) * _faded(away)[:, :, None]
        weights = torch.cholesky_inverse(torch.linalg.cholesky(inner)) @ known
        guessed = (weights.float().mT @ told[near]).flatten(0, 1)
        effects = self._reader.read(guessed.numpy(), which).reshape(made.shape)
        variances = (self._between.diagonal() - (known * weights).sum(dim=1)).clamp(min=1e-6)
        share = torch.from_numpy(~made) * self._shares * variances ** ((power - 1) / 2)
        carried = (weights * share[:, None]).sum(dim=2)
        joint = share @ self._between - (known * carried[:, :, None]).sum(dim=1)
        gains = joint.square() / (variances + NOISE)
        return Guesses(effects, variances.numpy(), gains.numpy())

    def _at(self, cells: np.ndarray) -> Tensor:
        places = np.unravel_index(cells, self._shape)
        return torch.from_numpy(np.stack(places, axis=1).astype(np.float64))


def _alike(one: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
    """Products and squared distances of contents, ``(n, a, m), (n, b, m) -> (n, a, b)``."""
    products = one @ other.mT
    sizes = one.square().sum(dim=2)[:, :, None] + other.square().sum(dim=2)[:, None]
    return products, sizes - 2 * products


def _apart(one: Tensor, other: Tensor) -> Tensor:
    """Squared distances of places, ``(n, a, d), (n, b, d) -> (n, a, b)``."""
    axes = zip(one.unbind(dim=2), other.unbind(dim=2), strict=True)
    return sum((a[:, :, None] - b[:, None]).square() for a, b in axes)  # type: ignore[return-value]


def _covariance(products: Tensor, apart: Tensor) -> Tensor:
    return LEVEL + products + torch.exp(-apart / (2 * WIDTH**2))


def _faded(apart: Tensor) -> Tensor:
    return torch.exp(-apart / (2 * REACH**2))
