"""Stratified blocks: unbiased, keyed, precise for smooth effects and rare kinds of patches."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pdcr_widgets.causal.baseline import gaussian_blur
from pdcr_widgets.causal.design import BLOCK, LEADERS, Design, clusters, components


def natural(count: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    field = gaussian_blur(torch.randn((1, 200, 200), generator=generator), 9.0)
    field = field / field.std() + 0.3 * torch.randn((1, 200, 200), generator=generator)
    at = torch.randint(192, (count, 2), generator=generator)
    return torch.stack([field[:, r : r + 8, c : c + 8] for r, c in at.tolist()])


SIXTY = Design(natural(60))


def estimates(
    design: Design, effect: np.ndarray, places: int, draws: int, number: int = 1
) -> np.ndarray:
    block = design.block(1, np.arange(places), number)
    weights = block.coarse if draws == LEADERS else block.fine
    return (weights * effect[block.choices[:, :draws]]).sum(axis=1)


@pytest.mark.parametrize("count", [1, 2, 3, 5, 17, 301])
def test_weights_make_a_mean_of_every_bank(count: int) -> None:
    block = Design(natural(count)).block(3, np.arange(20), 0)
    np.testing.assert_allclose(block.coarse.sum(axis=1), 1)
    np.testing.assert_allclose(block.fine.sum(axis=1), 1)
    assert block.choices.min() >= 0
    assert block.choices.max() < count


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31), st.lists(st.integers(0, 4000), max_size=8), st.integers(0, 3))
def test_a_block_depends_on_its_key_alone(seed: int, cells: list[int], number: int) -> None:
    together = SIXTY.block(seed, np.array(cells, dtype=np.int64), number)
    for row, cell in enumerate(cells):
        alone = SIXTY.block(seed, np.array([cell]), number)
        np.testing.assert_array_equal(together.choices[row], alone.choices[0])
        np.testing.assert_array_equal(together.fine[row], alone.fine[0])


@pytest.mark.parametrize("draws", [LEADERS, BLOCK])
def test_estimates_are_unbiased_for_an_effect_of_one_single_patch(draws: int) -> None:
    for lonely in (0, 17, 59):
        effect = np.zeros(60)
        effect[lonely] = 60.0
        means = estimates(SIXTY, effect, 6000, draws)
        assert abs(means.mean() - 1.0) < 4 * means.std() / np.sqrt(6000)


def test_the_first_leaders_come_from_the_middle_of_their_strata() -> None:
    """Their mean is off by less than it varies, and much nearer than that of any members."""
    patches = natural(400)
    level = patches.mean(dim=(1, 2, 3)).numpy()
    effect, design = level - level.mean(), Design(patches)
    first, later = (estimates(design, effect, 400, LEADERS, number) for number in (0, 1))
    assert abs(first.mean()) < first.std()
    assert (first**2).mean() < 0.7 * (later**2).mean()
    block = design.block(1, np.arange(50), 0)
    assert all(len(np.unique(row)) == BLOCK for row in block.choices)


def test_a_block_is_worth_many_independent_draws_for_a_smooth_effect() -> None:
    patches = natural(400)
    level = patches.mean(dim=(1, 2, 3)).numpy()
    effect = np.tanh((level - level.mean()) / level.std() + 0.5)
    error = ((estimates(Design(patches), effect, 400, BLOCK) - effect.mean()) ** 2).mean()
    assert effect.var() / error > 4 * BLOCK


def test_a_rare_kind_of_patch_has_a_stratum_of_its_own() -> None:
    patches = natural(400)
    patches[:12] += 8.0
    effect = np.zeros(400)
    effect[:12] = 100.0
    means = estimates(Design(patches), effect, 200, LEADERS)
    np.testing.assert_allclose(means, effect.mean())


def test_halves_are_the_darker_and_the_brighter_patches() -> None:
    patches = natural(40)
    design = Design(patches)
    level = patches.mean(dim=(1, 2, 3)).numpy()
    one, other = level[design.half(0)], level[design.half(1)]
    assert sorted([*design.half(0), *design.half(1)]) == list(range(40))
    assert max(one.mean(), other.mean()) - min(one.mean(), other.mean()) > level.std()


def test_equal_patches_are_one_cluster() -> None:
    same = torch.ones(9, 1, 8, 8)
    assert len(clusters(components(same), np.arange(9), 4)) == 1
    assert Design(same).block(0, np.arange(3), 0).fine.sum() == pytest.approx(3)


def test_clusters_share_the_members_out() -> None:
    parts = clusters(components(natural(50)), np.arange(50), 4)
    assert sorted(np.concatenate(parts)) == list(range(50))
