"""Means and standard errors from representatives: exact at the end, honest before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from pdcr_widgets.causal.representatives import Representatives
from pdcr_widgets.causal.sampling import surrogate
from pdcr_widgets.causal.sampling.ledger import Ledger
from pdcr_widgets.causal.sampling.surrogate import Surrogate
from tests.causal.test_representatives import natural

BANK = natural(150)
KNOWN = Representatives.of(BANK)
SHAPE = (12, 12)


@dataclass
class Itself:
    """Effects are read off as they are."""

    width: int = 1

    def telling(self, largest: np.ndarray) -> np.ndarray:
        return np.arange(len(largest))

    def read(self, responses: np.ndarray, which: np.ndarray) -> np.ndarray:
        del which
        return responses[:, 0].astype(float)


def ledger(known: Representatives = KNOWN) -> Ledger:
    own = np.zeros(known.features.shape[1])
    guesses = Surrogate(known, SHAPE, lambda cells: np.tile(own, (len(cells), 1)), Itself())
    return Ledger(SHAPE, known, guesses)


def begun(held: Ledger, cells: np.ndarray, hint: float = 0.0) -> np.ndarray:
    rows = held.rows(cells, np.full(len(cells), hint))
    held.learn()
    return rows


def surfaces(kind: str, seed: int) -> np.ndarray:
    """Effects of every bank patch at every place of the grid, in steps of 0.1 points.

    Content in the middle of the bank, which is what the image has everywhere, has none.
    """
    rng = np.random.default_rng(seed)
    flat = BANK.flatten(1).double().numpy()
    flat = flat - flat.mean(axis=0)
    scores = flat @ np.linalg.svd(flat, full_matrices=False)[2].T
    scores = scores / scores.std(axis=0)
    count = SHAPE[0] * SHAPE[1]
    row, column = np.unravel_index(np.arange(count), SHAPE)
    size = np.exp(2 * np.sin(row / 4) * np.cos(column / 4) + rng.normal(0, 0.4, count))[:, None]
    offset = rng.normal(0, 1, (count, 1))
    if kind == "smooth":
        slopes = rng.normal(size=(count, 6)) * [1.2, 0.4, 0.3, 0.2, 0.2, 0.1]
        inner = slopes @ scores[:, :6].T
    else:
        slopes = rng.normal(size=(count, 30)) / 5
        inner = slopes @ scores[:, 10:40].T
    shape = np.tanh(inner + offset) - np.tanh(offset)
    return np.round(shape * size / 0.1) * 0.1


def enter(held: Ledger, effects: np.ndarray, rows: np.ndarray, nodes: np.ndarray) -> None:
    came = effects[held.cells[rows], KNOWN.numbers[nodes]]
    held.add(rows, nodes, came, came[:, None].astype(np.float32))
    held.learn()


def drawn(effects: np.ndarray, draws: int) -> Ledger:
    """The best draws, one at a patch and an eighth more at a time."""
    held = ledger()
    rows = begun(held, np.arange(len(effects)))
    while held.made.sum() < draws * len(rows):
        worth = held.worths()
        nodes = worth.argmax(axis=1)
        best = np.argsort(-worth.max(axis=1), kind="stable")
        best = best[: max(32, int(held.made.sum()) // 8)]
        enter(held, effects, best, nodes[best])
    return held


@pytest.mark.parametrize("kind", ["smooth", "texture"])
@pytest.mark.parametrize("draws", [4, 12, 24])
def test_intervals_cover_the_exhaustive_mean_as_often_as_they_say(kind: str, draws: int) -> None:
    covered, ratios = [], []
    for seed in range(3):
        effects = surfaces(kind, seed)
        held = drawn(effects, draws)
        error = np.abs(held.means() - effects.mean(axis=1))
        covered.append(np.mean(error <= 1.96 * held.stderrs() + 1e-12))
        ratios.append(np.mean(error**2) / np.mean(held.stderrs() ** 2))
    assert np.mean(covered) >= 0.92
    assert np.mean(covered) <= (0.985 if kind == "texture" and draws > 4 else 1)
    assert 0.35**2 < np.mean(ratios) < 1.2**2


def test_draws_go_where_they_help_more_than_shared_out_evenly() -> None:
    effects = surfaces("smooth", 0)
    mean, count = effects.mean(axis=1), len(effects)
    chosen = drawn(effects, 8).means()
    held, rng = ledger(), np.random.default_rng(0)
    rows = begun(held, np.arange(count))
    order = rng.permuted(np.tile(np.arange(len(KNOWN)), (count, 1)), axis=1)
    for nodes in order[:, :8].T:
        enter(held, effects, rows, nodes)
    assert np.mean((chosen - mean) ** 2) < 0.7 * np.mean((held.means() - mean) ** 2)


def test_everything_tried_is_exact() -> None:
    effects, held = surfaces("texture", 0)[:2], ledger()
    rows = begun(held, np.array([3, 40]))
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


def test_a_cell_keeps_its_row() -> None:
    held = ledger()
    assert begun(held, np.array([7, 2])).tolist() == [0, 1]
    assert begun(held, np.array([2, 9, 7])).tolist() == [1, 2, 0]
    assert held.cells.tolist() == [7, 2, 9]


def test_a_patch_without_any_effect_is_doubted_as_much_as_others_vary() -> None:
    """A patch beside one that varies is doubted more than one far away."""
    held = ledger()
    effects = np.zeros((SHAPE[0] * SHAPE[1], len(BANK)))
    effects[0] = np.arange(len(BANK))
    rows = begun(held, np.array([0, 2, 143]))
    for node in range(6):
        enter(held, effects, rows, np.full(3, node))
    beside, away = held.stderrs()[1:]
    assert beside > 1.5 * away > 0


def test_a_patch_of_which_more_is_expected_is_drawn_first() -> None:
    held = ledger()
    held.rows(np.array([0, 66, 143]), np.array([0.01, 4.0, 0.04]))
    held.learn()
    assert np.argsort(-held.worths().max(axis=1)).tolist() == [1, 2, 0]


def test_without_any_effect_there_is_no_doubt() -> None:
    held = ledger()
    rows = begun(held, np.arange(40))
    enter(held, np.zeros((SHAPE[0] * SHAPE[1], len(BANK))), rows, np.zeros(40, dtype=int))
    np.testing.assert_array_equal(held.means(), 0)
    np.testing.assert_array_equal(held.stderrs(), 0)


def test_the_work_does_not_depend_on_the_order_of_patches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where guesses leave no draw out: of those equally far away, the order may decide."""
    monkeypatch.setattr(surrogate, "MOST", 1000)
    effects = surfaces("smooth", 1)
    one, other = ledger(), ledger()
    cells = np.arange(0, 140, 5)
    for held, order in ((one, cells), (other, cells[::-1])):
        rows = begun(held, order)
        for node in range(4):
            enter(held, effects, rows, np.full(len(rows), node))
    np.testing.assert_allclose(one.means(), other.means()[::-1], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(one.stderrs(), other.stderrs()[::-1], rtol=1e-4, atol=1e-5)


def test_draws_of_a_round_may_be_entered_in_parts() -> None:
    effects = surfaces("smooth", 1)
    cells = np.arange(0, 140, 5)
    one, other = ledger(), ledger()
    for held, parts in ((one, 1), (other, 3)):
        rows = begun(held, cells)
        for node in range(3):
            for part in np.array_split(rows, parts):
                came = effects[held.cells[part], KNOWN.numbers[node]]
                nodes = np.full(len(part), node)
                held.add(part, nodes, came, came[:, None].astype(np.float32))
            held.learn()
    np.testing.assert_allclose(one.means(), other.means(), rtol=1e-6)
    np.testing.assert_allclose(one.stderrs(), other.stderrs(), rtol=1e-6)


def test_where_content_does_as_it_likes_the_nearest_draw_is_believed() -> None:
    noise = np.random.default_rng(0).normal(size=(SHAPE[0] * SHAPE[1], len(BANK)))
    held = ledger()
    rows = begun(held, np.arange(0, 144, 9))
    for node in range(20):
        enter(held, noise, rows, np.full(len(rows), node))
    tried = KNOWN.features[:20]
    nearest = ((KNOWN.features[:, None] - tried) ** 2).sum(axis=2).argmin(axis=1)
    plain = noise[held.cells][:, KNOWN.numbers[nearest]] @ KNOWN.shares
    np.testing.assert_allclose(held.means(), plain, atol=0.1)
