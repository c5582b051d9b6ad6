"""Choices keyed by what they are for."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from toys import quick

from pdcr_widgets.causal.draws import draw, key

MANY = 2**62


@quick
@given(
    pairs=st.lists(
        st.tuples(st.integers(0, 20), st.integers(0, 200)), min_size=1, max_size=60, unique=True
    ),
    seed=st.integers(0, 2**40),
    order=st.randoms(use_true_random=False),
    choices=st.sampled_from([2, 7, 5000, MANY]),
)
def test_order_and_company_never_change_a_choice(
    pairs: list[tuple[int, int]], seed: int, order: random.Random, choices: int
) -> None:
    cells, samples = np.array(pairs).T
    together = draw(seed, cells, samples, choices)
    shuffled = list(range(len(pairs)))
    order.shuffle(shuffled)
    some = shuffled[: len(pairs) // 2 + 1]
    assert_array_equal(draw(seed, cells[some], samples[some], choices), together[some])
    first = draw(seed, cells[:1], samples[:1], choices)
    assert first[0] == together[0]
    assert together.min() >= 0
    assert together.max() < choices


def test_one_choice_is_no_choice() -> None:
    assert_array_equal(draw(0, np.arange(3), np.arange(3), 1), [0, 0, 0])


def test_nothing_to_draw() -> None:
    assert len(draw(0, np.empty(0, dtype=int), np.empty(0, dtype=int), 5)) == 0


@pytest.mark.parametrize("choices", [2, 5, 100])
def test_choices_are_uniform(choices: int) -> None:
    cells, samples = (a.ravel() for a in np.mgrid[:100, :100])
    counts = np.bincount(draw(3, cells, samples, choices), minlength=choices)
    expected = 10_000 / choices
    chi_square = ((counts - expected) ** 2 / expected).sum()
    assert chi_square < choices + 6 * np.sqrt(2 * choices)


def test_cells_and_seeds_are_unrelated() -> None:
    samples = np.arange(64)
    one, other = (draw(0, np.full(64, c), samples, MANY) for c in (4, 5))
    another = draw(1, np.full(64, 4), samples, MANY)
    assert not np.intersect1d(one, other).size
    assert not np.intersect1d(one, another).size


def test_keys_tell_parts_apart() -> None:
    assert key(1, 23) != key(12, 3)
    assert 0 <= key(7) < 2**63


def test_the_global_state_is_not_touched() -> None:
    before = torch.get_rng_state().clone()
    draw(0, np.arange(5), np.arange(5), 9)
    assert torch.equal(torch.get_rng_state(), before)
