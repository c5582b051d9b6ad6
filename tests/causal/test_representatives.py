"""Patches that stand for a bank: exact at the end, near before, the rare ones early."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pdcr_widgets.causal.baseline import gaussian_blur
from pdcr_widgets.causal.representatives import Representatives


def natural(count: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    field = gaussian_blur(torch.randn((1, 200, 200), generator=generator), 9.0)
    field = field / field.std() + 0.3 * torch.randn((1, 200, 200), generator=generator)
    at = torch.randint(192, (count, 2), generator=generator)
    return torch.stack([field[:, r : r + 8, c : c + 8] for r, c in at.tolist()])


def estimate(known: Representatives, effect: np.ndarray, tried: int) -> float:
    """Mean over the bank by the first so many representatives."""
    values = effect[known.numbers[:tried]]
    apart = values - values[known.rivals[:tried]]
    apart[0] = values[0]
    return float(apart @ known.weights[:tried])


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 60), st.integers(0, 2**31), st.integers(1, 8))
def test_all_of_them_give_the_mean_of_any_effect(count: int, seed: int, copies: int) -> None:
    patches = natural(count, seed).repeat(copies, 1, 1, 1)
    same = patches.flatten(1).unique(dim=0, return_inverse=True)[1].numpy()
    effect = np.random.default_rng(seed).normal(size=len(patches))[same]
    known = Representatives.of(patches)
    assert estimate(known, effect, len(known)) == pytest.approx(effect.mean())
    assert known.shares.sum() == pytest.approx(1)
    assert known.shares.min() > 0
    assert known.shares @ effect[known.numbers] == pytest.approx(effect.mean())


@given(st.integers(2, 60), st.integers(0, 2**31))
@settings(max_examples=25, deadline=None)
def test_each_comes_after_what_it_splits(count: int, seed: int) -> None:
    known = Representatives.of(natural(count, seed))
    later = np.arange(1, len(known))
    assert (known.rivals[1:] < later).all()
    assert len(np.unique(known.numbers)) == len(known)


def test_a_smooth_effect_is_known_from_a_few() -> None:
    patches = natural(400)
    level = patches.mean(dim=(1, 2, 3)).numpy()
    effect = np.tanh((level - level.mean()) / level.std() + 0.5)
    known = Representatives.of(patches)
    errors = {n: (estimate(known, effect, n) - effect.mean()) ** 2 for n in (8, 16, 64)}
    assert effect.var() / errors[8] > 8 * 4
    assert effect.var() / errors[16] > 16 * 4
    assert effect.var() / errors[64] > 64 * 4


def test_a_rare_kind_of_patch_is_tried_early() -> None:
    patches = natural(400)
    patches[:12] += 8.0
    effect = np.zeros(400)
    effect[:12] = 100.0
    assert estimate(Representatives.of(patches), effect, 2) == pytest.approx(effect.mean())


@given(st.integers(1, 60), st.integers(0, 2**31))
@settings(max_examples=25, deadline=None)
def test_every_split_shares_out_a_cluster(count: int, seed: int) -> None:
    known = Representatives.of(natural(count, seed))
    everyone = np.arange(len(known))
    assert known.taken[0].all()
    assert not known.kept[0].any()
    assert known.taken[everyone, everyone].all()
    assert known.kept[everyone[1:], known.rivals[1:]].all()
    assert not (known.taken & known.kept).any()
    np.testing.assert_allclose(known.taken @ known.shares, known.weights)
    clusters = {frozenset(everyone.tolist())}
    for taken, kept in zip(known.taken[1:], known.kept[1:], strict=True):
        clusters.remove(frozenset(np.flatnonzero(taken | kept).tolist()))
        clusters |= {frozenset(np.flatnonzero(half).tolist()) for half in (taken, kept)}
    assert clusters == {frozenset([n]) for n in everyone.tolist()}


def test_features_are_in_units_of_the_banks_own_spread() -> None:
    patches = natural(200)
    known, large = Representatives.of(patches), Representatives.of(4 * patches)
    np.testing.assert_allclose(known.features, large.features, atol=1e-9)
    assert known.shares @ (known.features**2).sum(axis=1) == pytest.approx(1)
    np.testing.assert_allclose(known.project(patches[known.numbers]), known.features, atol=1e-9)


def test_halves_are_the_darker_and_the_brighter_patches() -> None:
    patches = natural(40)
    known = Representatives.of(patches)
    level = patches.mean(dim=(1, 2, 3)).numpy()
    one, other = level[known.half(0)], level[known.half(1)]
    assert sorted([*known.half(0), *known.half(1)]) == list(range(40))
    assert max(one.mean(), other.mean()) - min(one.mean(), other.mean()) > level.std()


def test_equal_patches_have_one_representative() -> None:
    known = Representatives.of(torch.ones(9, 1, 8, 8))
    assert len(known) == 1
    assert known.weights.tolist() == [1.0]


def test_there_are_no_more_than_asked_for() -> None:
    assert len(Representatives.of(natural(100), 7)) == 7
