"""Means and standard errors from representatives: exact at the end, honest before."""

from __future__ import annotations

import numpy as np
import pytest

from pdcr_widgets.causal.representatives import Representatives
from pdcr_widgets.causal.sampling.ledger import Ledger
from pdcr_widgets.causal.sampling.surrogate import Surrogate
from tests.causal.test_representatives import natural

BANK = natural(150)
KNOWN = Representatives.of(BANK)
SHAPE = (16, 16)


def ledger(known: Representatives = KNOWN) -> Ledger:
    own = np.zeros(known.features.shape[1])
    return Ledger(SHAPE, known, Surrogate(known, lambda cell: own, lambda r: r[:, 0]))


def surfaces(kind: str, seed: int) -> np.ndarray:
    """Effects of every bank patch at every place of the grid, in steps of 0.1 points."""
    rng = np.random.default_rng(seed)
    flat = BANK.flatten(1).double().numpy()
    flat = flat - flat.mean(axis=0)
    scores = flat @ np.linalg.svd(flat, full_matrices=False)[2].T
    scores = scores / scores.std(axis=0)
    count = SHAPE[0] * SHAPE[1]
    row, column = np.unravel_index(np.arange(count), SHAPE)
    size = np.exp(2 * np.sin(row / 4) * np.cos(column / 4) + rng.normal(0, 0.4, count))[:, None]
    if kind == "smooth":
        slopes = rng.normal(size=(count, 6)) * [1.2, 0.4, 0.3, 0.2, 0.2, 0.1]
        shape = np.tanh(slopes @ scores[:, :6].T + rng.normal(0, 1, (count, 1)))
    else:
        slopes = rng.normal(size=(count, 30)) / 5
        shape = np.tanh(slopes @ scores[:, 10:40].T + rng.normal(0, 0.5, (count, 1)))
    return np.round((shape + rng.normal(0, 0.6, (count, 1))) * size / 0.1) * 0.1


def enter(held: Ledger, effects: np.ndarray, rows: np.ndarray, nodes: np.ndarray) -> None:
    came = effects[held.cells[rows], KNOWN.numbers[nodes]]
    held.add(rows, nodes, came, came[:, None])


def drawn(effects: np.ndarray, draws: int) -> Ledger:
    """Begin everywhere, then make the best draws, an eighth more at a time."""
    held = ledger()
    rows = held.rows(np.arange(len(effects)))
    enter(held, effects, rows, np.zeros_like(rows))
    while held.made.sum() < draws * len(rows):
        worth = held.worths().reshape(-1)
        best = np.argsort(-worth, kind="stable")[: int(held.made.sum()) // 8]
        enter(held, effects, *np.divmod(best[worth[best] >= 0], len(KNOWN)))
    return held


@pytest.mark.parametrize("kind", ["smooth", "texture"])
@pytest.mark.parametrize("draws", [4, 12, 30])
def test_intervals_cover_the_exhaustive_mean_as_often_as_they_say(kind: str, draws: int) -> None:
    covered = []
    for seed in range(3):
        effects = surfaces(kind, seed)
        held = drawn(effects, draws)
        error = np.abs(held.means() - effects.mean(axis=1))
        covered.append(np.mean(error <= 1.96 * held.stderrs() + 1e-12))
    assert np.mean(covered) >= 0.92
    assert draws > 12 or np.mean(covered) <= 0.985


@pytest.mark.parametrize("kind", ["smooth", "texture"])
def test_draws_go_where_they_help_more_than_shared_out_evenly(kind: str) -> None:
    effects = surfaces(kind, 0)
    mean, count = effects.mean(axis=1), len(effects)
    chosen = drawn(effects, 8).means()
    held = ledger()
    rows = held.rows(np.arange(count))
    for node in range(8):
        enter(held, effects, rows, np.full(count, node))
    assert np.mean((chosen - mean) ** 2) < 0.7 * np.mean((held.means() - mean) ** 2)


def test_everything_tried_is_exact() -> None:
    effects, held = surfaces("texture", 0)[:2], ledger()
    rows = held.rows(np.array([3, 40]))
    placed = np.zeros((SHAPE[0] * SHAPE[1], len(BANK)))
    placed[[3, 40]] = effects
    for node in range(len(KNOWN)):
        enter(held, placed, rows, np.full(2, node))
    np.testing.assert_allclose(held.means(), effects.mean(axis=1), atol=1e-12)
    np.testing.assert_allclose(held.squares(), (effects**2).mean(axis=1))
    np.testing.assert_allclose(held.variances(), effects.var(axis=1))
    np.testing.assert_array_equal(held.stderrs(), 0)
    assert (held.worths() == -1).all()
    assert held.drawn.tolist() == [len(KNOWN)] * 2


def test_a_draw_is_open_once_the_split_before_it_was_made() -> None:
    held = ledger()
    held.rows(np.array([0]))
    effects = np.ones((SHAPE[0] * SHAPE[1], len(BANK)))
    enter(held, effects, np.array([0]), np.array([0]))
    np.testing.assert_array_equal(np.flatnonzero(held.worths()[0] >= 0), [1])
    enter(held, effects, np.array([0]), np.array([1]))
    expected = np.flatnonzero(np.isin(KNOWN.above, [1]) & (np.arange(len(KNOWN)) > 1))
    np.testing.assert_array_equal(np.flatnonzero(held.worths()[0] >= 0), expected)


def test_a_cell_keeps_its_row() -> None:
    held = ledger()
    assert held.rows(np.array([7, 2])).tolist() == [0, 1]
    assert held.rows(np.array([2, 9, 7])).tolist() == [1, 2, 0]
    assert held.cells.tolist() == [7, 2, 9]


def test_a_patch_without_any_effect_is_doubted_as_much_as_others_vary() -> None:
    """A patch beside one that varies is doubted more than one far away."""
    held = ledger()
    effects = np.zeros((SHAPE[0] * SHAPE[1], len(BANK)))
    effects[0] = np.arange(len(BANK))
    rows = held.rows(np.array([0, 1, 255]))
    for node in range(6):
        enter(held, effects, rows, np.full(3, node))
    beside, away = held.stderrs()[1:]
    assert beside > 1.5 * away > 0


def test_the_work_does_not_depend_on_the_order_of_patches() -> None:
    effects = surfaces("smooth", 1)
    one, other = ledger(), ledger()
    cells = np.arange(0, 200, 7)
    for held, order in ((one, cells), (other, cells[::-1])):
        rows = held.rows(order)
        for node in range(4):
            enter(held, effects, rows, np.full(len(rows), node))
    np.testing.assert_allclose(one.means(), other.means()[::-1], atol=1e-9)
    np.testing.assert_allclose(one.stderrs(), other.stderrs()[::-1], atol=1e-9)
