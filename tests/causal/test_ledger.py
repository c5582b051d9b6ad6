"""Standard errors from replicated blocks: exact at the end, honest before."""

from __future__ import annotations

import numpy as np
import pytest

from pdcr_widgets.causal.design import BLOCK, LEADERS, Block, Design
from pdcr_widgets.causal.sampling.ledger import Ledger
from tests.causal.test_design import natural

BANK = natural(385)
DESIGN = Design(BANK)


def surfaces(kind: str, patches: int, seed: int) -> np.ndarray:
    """Effects of every bank patch at many places, ``(patches, bank)``, in steps of 0.1 points."""
    rng = np.random.default_rng(seed)
    flat = BANK.flatten(1).double().numpy()
    flat = flat - flat.mean(axis=0)
    scores = flat @ np.linalg.svd(flat, full_matrices=False)[2].T
    scores = scores / scores.std(axis=0)
    size = np.exp(rng.normal(0, 1.3, (patches, 1)))
    if kind == "smooth":
        slopes = rng.normal(size=(patches, 6)) * [1.2, 0.4, 0.3, 0.2, 0.2, 0.1]
        shape = np.tanh(slopes @ scores[:, :6].T + rng.normal(0, 1, (patches, 1)))
    else:
        slopes = rng.normal(size=(patches, 30)) / 5
        shape = np.tanh(slopes @ scores[:, 10:40].T + rng.normal(0, 0.5, (patches, 1)))
    shift = rng.normal(0, 0.6, (patches, 1))
    return np.round((shape + shift) * size / 0.1) * 0.1


def drawn(effects: np.ndarray, draws: int, seed: int) -> tuple[Ledger, np.ndarray]:
    """Give every patch ``draws`` draws and a twelfth of them two blocks; which ones have more."""
    count = len(effects)
    ledger = Ledger(count, 3)
    more = np.random.default_rng(seed).permutation(count)[: count // 12]
    for rows, upto in ((np.arange(count), draws), (more, max(draws, 2 * BLOCK))):
        while ledger.drawn[rows[0]] < upto:
            number, first = divmod(int(ledger.drawn[rows[0]]), BLOCK)
            block = DESIGN.block(seed, rows, number)
            last = min(BLOCK, upto - number * BLOCK)
            ledger.add(rows, number, block, effects[rows[:, None], block.choices[:, first:last]])
    return ledger, np.setdiff1d(np.arange(count), more)


@pytest.mark.parametrize("kind", ["smooth", "texture"])
@pytest.mark.parametrize("draws", [LEADERS, BLOCK, 2 * BLOCK])
def test_intervals_cover_the_exhaustive_mean_as_often_as_they_say(kind: str, draws: int) -> None:
    covered = []
    for seed in range(6):
        effects = surfaces(kind, 300, seed)
        ledger, rows = drawn(effects, draws, seed)
        error = np.abs(ledger.means() - effects.mean(axis=1))
        covered.append((error <= 1.96 * ledger.stderrs() + 1e-12)[rows])
    assert 0.92 <= np.mean(covered) <= 0.985


def one_block(effects: list[float]) -> tuple[Block, np.ndarray]:
    values = np.array([effects])
    weights = np.full((1, BLOCK), 1 / BLOCK)
    return Block(
        np.zeros((1, BLOCK), dtype=int), np.full((1, LEADERS), 1 / LEADERS), weights
    ), values


def test_every_draw_is_kept_and_weighted() -> None:
    ledger = Ledger(2, 2)
    block, values = one_block([float(n) for n in range(BLOCK)])
    rows = np.array([1])
    ledger.add(rows, 0, block, values[:, :LEADERS])
    assert ledger.means().tolist() == [0.0, 1.5]
    ledger.add(rows, 0, block, values[:, LEADERS:])
    assert ledger.means().tolist() == [0.0, 7.5]
    ledger.add(rows, 1, block, values + 1)
    assert ledger.means().tolist() == [0.0, 8.0]
    assert ledger.drawn.tolist() == [0, 2 * BLOCK]


def test_equal_draws_leave_the_doubt_of_the_one_that_was_not_drawn() -> None:
    ledger = Ledger(2, 2)
    block, values = one_block([2.0] * BLOCK)
    doubts = []
    for number in range(2):
        ledger.add(np.array([0]), number, block, values)
        doubts.append(ledger.stderrs()[0])
        assert 0 < doubts[-1] <= 2.0 / (number + 1) / LEADERS
    assert doubts[1] < doubts[0]
    assert ledger.stderrs()[1] == 0


def test_the_spread_of_a_draw_is_that_of_the_bank() -> None:
    ledger = Ledger(2, 2)
    block, values = one_block([float(n) for n in range(BLOCK)])
    ledger.add(np.array([0]), 0, block, values[:, :LEADERS])
    assert ledger.squares().tolist() == [3.5, 0.0]
    assert ledger.variances().tolist() == [1.25, 0.0]
    ledger.add(np.array([0]), 0, block, values[:, LEADERS:])
    assert ledger.variances()[0] == pytest.approx(np.var(values))


def test_a_patch_without_any_effect_carries_what_such_patches_are_seen_to_miss() -> None:
    ledger = Ledger(3, 2)
    block, values = one_block([0.0] * (BLOCK - 1) + [16.0])
    ledger.add(np.array([0]), 0, block, values)
    for row in (1, 2):
        ledger.add(np.array([row]), 0, block, np.zeros((1, LEADERS)))
    stderr = ledger.stderrs()
    assert stderr[1] == stderr[2] >= 1.0


def test_more_blocks_make_errors_smaller() -> None:
    effects = surfaces("texture", 200, 0)
    few, many = (np.median(drawn(effects, n, 0)[0].stderrs()) for n in (BLOCK, 3 * BLOCK))
    assert many < few
