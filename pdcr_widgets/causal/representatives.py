"""A few patches that stand for a whole bank, and more of them the longer one looks."""

from __future__ import annotations

import heapq
import itertools
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

COMPONENTS = 8
ROUNDS = 10
ENOUGH = 2000
NODES = 256


@dataclass(frozen=True, eq=False)
class Representatives:
    """Nested medoids: the middle of a bank, then that of a half of its widest cluster, and so on.

    Representative 0 stands for all. Every further one splits the cluster that another stands for
    (its `rival`) and takes one half over. Clusters are halved by 2-means from the longest principal
    axis; whatever is rare and far away, as the darkest patches often are, gets a representative
    early.

    Parameters
    ----------
    numbers
        ``(n,)`` patch number of each representative.
    rivals
        ``(n,)`` representative whose cluster it splits; itself for the first.
    weights
        ``(n,)`` share of the bank that it takes over.
    taken, kept
        ``(n, n)`` booleans: which representatives are in the half that each takes over, and which
        in the half that it leaves to the rival. The first takes all.
    features
        ``(n, m)`` scores of the representatives on the bank's leading principal components, in
        units of the root of the bank's mean squared distance to its mean.
    """

    numbers: np.ndarray
    rivals: np.ndarray
    weights: np.ndarray
    taken: np.ndarray
    kept: np.ndarray
    features: np.ndarray
    _centre: Tensor
    _axes: Tensor
    _order: np.ndarray

    @classmethod
    def of(cls, patches: Tensor, most: int = NODES) -> Representatives:
        """Choose at most ``most`` representatives of ``(n, channels, *patch)`` patches."""
        flat = patches.flatten(1).double().cpu()
        centre = flat.mean(dim=0)
        some = (flat - centre)[:: max(1, len(flat) // ENOUGH)]
        axes = torch.linalg.svd(some, full_matrices=False)[2][:COMPONENTS].T
        spread = float(((flat - centre) @ axes).square().sum(dim=1).mean().sqrt())
        axes = axes / max(spread, 1e-12)
        scores = ((flat - centre) @ axes).numpy()
        splits = _Splits(scores)
        splits.grow(most)
        numbers = np.array(splits.numbers)
        return cls(
            numbers,
            np.array(splits.rivals),
            np.array([len(half) for half in splits.taken]) / len(scores),
            np.array([np.isin(numbers, half) for half in splits.taken]),
            np.array([np.isin(numbers, half) for half in splits.kept]),
            scores[numbers],
            centre,
            axes,
            np.argsort(scores[:, 0], kind="stable"),
        )

    def __len__(self) -> int:
        """Number of representatives."""
        return len(self.numbers)

    @cached_property
    def shares(self) -> np.ndarray:
        """Share of the bank that each stands for when all of them are tried, ``(n,)``."""
        left = self.weights.copy()
        np.subtract.at(left, self.rivals[1:], self.weights[1:])
        return left

    @cached_property
    def apart(self) -> np.ndarray:
        """Squared distances of the representatives to each other, ``(n, n)``."""
        return np.asarray(((self.features[:, None] - self.features) ** 2).sum(axis=2))

    def project(self, content: Tensor) -> np.ndarray:
        """Features of any content, ``(n, channels, *patch) -> (n, m)``."""
        return np.asarray((content.flatten(1).double().cpu() - self._centre) @ self._axes)

    def half(self, side: int) -> np.ndarray:
        """Patch numbers of one half (0 or 1) of the bank along what varies most."""
        return np.array_split(self._order, 2)[side]


class _Splits:
    """Clusters that are halved, the widest first."""

    def __init__(self, scores: np.ndarray) -> None:
        everyone = np.arange(len(scores))
        self._scores = scores
        first = self._medoid(everyone)
        self.numbers, self.rivals = [first], [0]
        self.taken, self.kept = [everyone], [everyone[:0]]
        self._leaves: list[tuple[float, int, np.ndarray, int]] = []
        self._ties = itertools.count()
        self._push(everyone, 0)

    def grow(self, most: int) -> None:
        """Split until there are so many representatives, or no two patches differ."""
        while self._leaves and len(self.numbers) < most:
            _, _, members, keeper = heapq.heappop(self._leaves)
            self._split(members, keeper)

    def _split(self, members: np.ndarray, keeper: int) -> None:
        side = _halves(self._scores[members])
        stays, goes = members[side], members[~side]
        if self.numbers[keeper] in goes:
            stays, goes = goes, stays
        self.numbers.append(self._medoid(goes))
        self.rivals.append(keeper)
        self.taken.append(goes)
        self.kept.append(stays)
        self._push(stays, keeper)
        self._push(goes, len(self.numbers) - 1)

    def _push(self, members: np.ndarray, keeper: int) -> None:
        points = self._scores[members]
        width = float(((points - points.mean(axis=0)) ** 2).sum())
        if len(members) > 1 and width > 1e-20:
            heapq.heappush(self._leaves, (-width, next(self._ties), members, keeper))

    def _medoid(self, members: np.ndarray) -> int:
        points = self._scores[members]
        away = ((points - points.mean(axis=0)) ** 2).sum(axis=1)
        return int(members[away.argmin()])


def _halves(points: np.ndarray) -> np.ndarray:
    """Two compact halves, by 2-means from either side of the longest axis; booleans."""
    centred = points - points.mean(axis=0)
    side = centred @ np.linalg.svd(centred, full_matrices=False)[2][0] > 0
    for _ in range(ROUNDS):
        one, other = points[side].mean(axis=0), points[~side].mean(axis=0)
        nearer = ((points - one) ** 2).sum(axis=1) < ((points - other) ** 2).sum(axis=1)
        if (nearer == side).all() or nearer.all() or not nearer.any():
            break
        side = nearer
    return side
