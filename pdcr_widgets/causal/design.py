"""Draws that represent a bank: one from each of its strata, weighted by their sizes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pdcr_widgets.causal.draws import key

LEADERS = 4
CHILDREN = 4
BLOCK = LEADERS * CHILDREN
COMPONENTS = 8
ROUNDS = 30
STARTS = 8
CENTRAL = 0.25


@dataclass(frozen=True, eq=False)
class Block:
    """One block of draws for each of some places.

    Parameters
    ----------
    choices
        ``(n, 16)`` patch numbers; the first four are one from each stratum.
    coarse
        ``(n, 4)`` weights that make the first four an estimate of the mean.
    fine
        ``(n, 16)`` weights that make the whole block one.
    """

    choices: np.ndarray
    coarse: np.ndarray
    fine: np.ndarray


class Design:
    """Nested strata of a bank, and blocks of draws from them.

    Patches are clustered by their leading principal components into four strata, and each of these
    into four again, so that rare kinds of patches (the darkest, say) have strata of their own. A
    block draws one patch from each of the 16, uniformly, four of them first: the mean weighted by
    the strata's sizes is unbiased after four draws and after sixteen, whatever the effect's
    dependence on the patch, and an effect that varies smoothly or comes from a rare kind is known
    far better than from as many independent draws. The four leaders of a place's first block come
    from the middle quarter of their strata, which brings them nearer to the mean at the price of a
    bias that is within their standard error; every other draw is unbiased.

    Parameters
    ----------
    patches
        ``(n, channels, *patch)``.
    """

    def __init__(self, patches: Tensor) -> None:
        scores = components(patches)
        self.size = len(patches)
        self._sorted = np.argsort(scores[:, 0], kind="stable")
        self._members: list[list[np.ndarray]] = []
        self._central: list[np.ndarray] = []
        self._child = np.zeros(self.size, dtype=np.int64)
        weights = []
        for parent in clusters(scores, np.arange(self.size), LEADERS):
            parts = clusters(scores, parent, CHILDREN)
            shares = np.bincount(np.arange(CHILDREN) % len(parts))
            again = [n % len(parts) for n in range(CHILDREN)]
            self._central.append(middle(scores, parent))
            for number, part in enumerate(parts):
                self._child[part] = number
            self._members.append([parts[n] for n in again])
            weights.append([len(parts[n]) / shares[n] / self.size for n in again])
        while len(weights) < LEADERS:
            self._members.append(self._members[0])
            self._central.append(self._central[0])
            weights.append([0.0] * CHILDREN)
        self._weights = np.array(weights)

    def block(self, seed: int, cells: np.ndarray, number: int) -> Block:
        """Blocks keyed by (seed, cell, number)."""
        chance = self._chances(seed, cells, number)
        parents = np.arange(LEADERS)
        total = self._weights.sum(axis=1)
        steps = np.cumsum(self._weights, axis=1) / np.where(total > 0, total, 1)[:, None]
        lead = (chance[:, :LEADERS, None] >= steps[None]).sum(axis=2).clip(max=CHILDREN - 1)
        if number == 0:
            central = np.stack(
                [c[(chance[:, i] * len(c)).astype(int)] for i, c in enumerate(self._central)],
                axis=1,
            )
            lead = self._child[central]
        order = (lead[:, :, None] + np.arange(CHILDREN)) % CHILDREN
        place = chance[:, LEADERS:].reshape(-1, LEADERS, CHILDREN)
        chosen = np.empty(order.shape, dtype=np.int64)
        for parent in parents:
            for child in range(CHILDREN):
                members = self._members[parent][child]
                row, at = np.nonzero(order[:, parent] == child)
                chosen[row, parent, at] = members[
                    (place[row, parent, at] * len(members)).astype(int)
                ]
        fine = self._weights[parents[:, None], order]
        if number == 0:
            chosen[:, :, 0] = central
        leaders_first = [np.moveaxis(a, 2, 1).reshape(len(cells), BLOCK) for a in (chosen, fine)]
        return Block(leaders_first[0], np.tile(total, (len(cells), 1)), leaders_first[1])

    def half(self, side: int) -> np.ndarray:
        """Patch numbers of one half (0 or 1) along the component that varies most."""
        return np.array_split(self._sorted, 2)[side]

    def _chances(self, seed: int, cells: np.ndarray, number: int) -> np.ndarray:
        generator = torch.Generator()
        rows = [
            torch.rand(
                LEADERS + BLOCK,
                generator=generator.manual_seed(key(seed, int(cell), number)),
                dtype=torch.float64,
            )
            for cell in cells
        ]
        return torch.stack(rows).numpy() if rows else np.empty((0, LEADERS + BLOCK))


def components(patches: Tensor) -> np.ndarray:
    """Scores on the leading principal components, ``(n, m)``, m at most 8."""
    flat = patches.flatten(1).double().cpu()
    flat = flat - flat.mean(dim=0)
    some = flat[:: max(1, len(flat) // 2000)]
    axes = torch.linalg.svd(some, full_matrices=False)[2][:COMPONENTS]
    return np.asarray(flat @ axes.T)


def clusters(scores: np.ndarray, members: np.ndarray, count: int) -> list[np.ndarray]:
    """Split members into at most ``count`` compact clusters (k-means, best of several starts)."""
    points = scores[members]
    if len(np.unique(points, axis=0)) <= count or len(members) <= count:
        groups = np.unique(points, axis=0, return_inverse=True)[1].reshape(-1)
        return [members[groups == g] for g in np.unique(groups)]
    best: tuple[float, np.ndarray] | None = None
    for start in range(STARTS):
        labels, spread = _k_means(points, count, np.random.default_rng(start))
        if best is None or spread < best[0]:
            best = spread, labels
    assert best is not None
    return [members[best[1] == g] for g in np.unique(best[1])]


def middle(scores: np.ndarray, members: np.ndarray) -> np.ndarray:
    """Those members that lie nearest to their mean, a share of them."""
    points = scores[members]
    away = ((points - points.mean(axis=0)) ** 2).sum(axis=1)
    return members[np.argsort(away, kind="stable")[: math.ceil(CENTRAL * len(members))]]


def _k_means(points: np.ndarray, count: int, rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """Lloyd's iteration from k-means++ seeds: labels, and the sum of squared distances."""
    centres = points[rng.integers(len(points))][None]
    while len(centres) < count:
        far = _square_distances(points, centres).min(axis=1)
        chosen = rng.choice(len(points), p=far / far.sum())
        centres = np.concatenate([centres, points[chosen][None]])
    for _ in range(ROUNDS):
        labels = _square_distances(points, centres).argmin(axis=1)
        onehot = np.eye(count)[labels]
        sizes = onehot.sum(axis=0)[:, None]
        centres = np.where(sizes > 0, onehot.T @ points / np.maximum(sizes, 1), centres)
    distances = _square_distances(points, centres)
    return distances.argmin(axis=1), float(distances.min(axis=1).sum())


def _square_distances(points: np.ndarray, centres: np.ndarray) -> np.ndarray:
    return ((points[:, None] - centres) ** 2).sum(axis=2)
