"""Draws that represent a bank: its patches dealt into small blocks, each like the whole."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from pdcr_widgets.causal.draws import key

BLOCK = 4
COMPONENTS = 8
CURVATURE = 0.5
SWEEPS = 300


class Design:
    """Balanced orders in which to draw a bank's patches, another one for every place.

    The bank is dealt once into blocks of four whose first and second moments are the bank's. An
    order is a random sequence of blocks: as every patch is in one block, the mean over its first
    draws is unbiased whatever the effect's dependence on the patch, and for an effect that varies
    smoothly with the patch one block is worth dozens of independent draws. Drawn to its end, an
    order has used each patch once, so the mean is exact.

    Parameters
    ----------
    patches
        ``(n, channels, *patch)``.
    """

    def __init__(self, patches: Tensor) -> None:
        features = moments(patches)
        self.size = len(patches)
        self._blocks = balanced_blocks(features)
        self._sorted = np.argsort(features[:, 0], kind="stable")

    def choices(self, seed: int, cells: np.ndarray, samples: np.ndarray) -> np.ndarray:
        """Patch numbers for draws keyed by (seed, cell, sample), ``(n,)``; samples below `size`."""
        chosen = np.empty(len(cells), dtype=np.int64)
        order = np.argsort(cells, kind="stable")
        for group in np.split(order, np.flatnonzero(np.diff(cells[order])) + 1):
            if len(group):
                chosen[group] = self._order(seed, int(cells[group[0]]))[samples[group]]
        return chosen

    def half(self, side: int) -> np.ndarray:
        """Patch numbers of one half (0 or 1) along the component that varies most."""
        return np.array_split(self._sorted, 2)[side]

    def _order(self, seed: int, cell: int) -> np.ndarray:
        generator = torch.Generator().manual_seed(key(seed, cell))
        count = len(self._blocks)
        rows = self._blocks[torch.randperm(count, generator=generator).numpy()]
        turned = torch.randint(2, (count,), generator=generator).numpy().astype(bool)
        rows = np.where(turned[:, None], rows[:, [2, 3, 0, 1]], rows).reshape(-1)
        return rows[rows >= 0]


def moments(patches: Tensor) -> np.ndarray:
    """Features to balance, ``(n, m)`` with mean 0.

    Principal components, and products of the first two, in units of the first
    component's standard deviation, so that what varies most weighs most.
    """
    flat = patches.flatten(1).double().cpu()
    flat = flat - flat.mean(dim=0)
    some = flat[:: max(1, len(flat) // 2000)]
    axes = torch.linalg.svd(some, full_matrices=False)[2][:COMPONENTS]
    scores = (flat @ axes.T).numpy()
    scores /= max(scores[:, 0].std(), 1e-12)
    first, second = scores[:, 0], scores[:, min(1, scores.shape[1] - 1)]
    products = CURVATURE * np.stack([first**2, first * second, second**2], axis=1)
    features = np.concatenate([scores, products], axis=1)
    return features - features.mean(axis=0)


def balanced_blocks(features: np.ndarray) -> np.ndarray:
    """Deal rows into blocks of four with sums near 0 by exchanges that bring them nearer.

    Parameters
    ----------
    features
        ``(n, m)``, mean 0.

    Returns
    -------
    ndarray
        ``(ceil(n / 4), 4)`` row numbers, -1 where n is no multiple of 4. The two halves of a block
        are the pairs that balance best.
    """
    n = len(features)
    count = -(-n // BLOCK)
    rng = np.random.default_rng(n)
    held = np.concatenate([features, np.zeros((1, features.shape[1]))])
    order = np.argsort(features[:, 0], kind="stable")
    order = np.concatenate([order, np.full(count * BLOCK - n, n)])
    blocks = rng.permuted(order.reshape(BLOCK, count), axis=1).T.copy()
    for _ in range(SWEEPS if count > 1 else 0):
        _exchange(blocks, held, rng)
    blocks = _best_pairs(blocks, held)
    return np.where(blocks == n, -1, blocks)


def _exchange(blocks: np.ndarray, features: np.ndarray, rng: np.random.Generator) -> None:
    """Make the best exchange of one member within random pairs of blocks, where one helps."""
    pairs = rng.permutation(len(blocks))[: len(blocks) // 2 * 2].reshape(-1, 2)
    left, right = features[blocks[pairs[:, 0]]], features[blocks[pairs[:, 1]]]
    change = right[:, None, :, :] - left[:, :, None, :]
    a, b = left.sum(axis=1)[:, None, None], right.sum(axis=1)[:, None, None]
    after = ((a + change) ** 2).sum(axis=3) + ((b - change) ** 2).sum(axis=3)
    after = after.reshape(len(pairs), -1)
    best = after.argmin(axis=1)
    before = (a[:, 0, 0] ** 2).sum(axis=1) + (b[:, 0, 0] ** 2).sum(axis=1)
    better = np.flatnonzero(after[np.arange(len(pairs)), best] < before - 1e-12)
    i, j = np.unravel_index(best[better], (BLOCK, BLOCK))
    one, other = pairs[better, 0], pairs[better, 1]
    blocks[one, i], blocks[other, j] = blocks[other, j], blocks[one, i]


def _best_pairs(blocks: np.ndarray, features: np.ndarray) -> np.ndarray:
    pairings = np.array([[0, 1, 2, 3], [0, 2, 1, 3], [0, 3, 1, 2]])
    members = features[blocks]
    spread = [((members[:, p[0]] + members[:, p[1]]) ** 2).sum(axis=1) for p in pairings]
    return np.take_along_axis(blocks, pairings[np.argmin(spread, axis=0)], axis=1)
