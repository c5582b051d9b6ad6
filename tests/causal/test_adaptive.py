"""`sampling="adaptive"` against every patch of the bank at every place."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from toys import SmallNet, box, picture

from pdcr_widgets.causal import ATEMap, PatchBank, ate_map, iter_ate
from pdcr_widgets.causal.experiment import Experiment, Target
from pdcr_widgets.causal.full import FullEngine
from pdcr_widgets.causal.sampling.adaptive import around

IMAGE = picture(1, 40, 36)
REGION = box((40, 36), slice(17, 24), slice(15, 22))
NET = SmallNet()
OUTCOMES = ["dice", "soft_dice"]


@cache
def bank(number: int = 0) -> PatchBank:
    seeds = (7 + 2 * number, 8 + 2 * number)
    return PatchBank.from_images([picture(1, 40, 40, seed=s) ** 2 for s in seeds], 4, 30)


@cache
def exhaustive(outcome: str, number: int = 0) -> np.ndarray:
    """The mean over the whole bank: what both samplers estimate."""
    target = Target.of(NET, IMAGE, REGION, outcome=outcome)
    engine = FullEngine(target.segmenter, target.image, target.window, 60)
    held = Experiment.of(target, 4, bank(number), engine, seed=0)
    cells = held.grid.cells
    every = np.tile(np.arange(len(bank(number))), len(cells))
    effects = held.effects(np.repeat(cells, len(bank(number))), every).reshape(len(cells), -1)
    means = np.full(int(np.prod(held.grid.shape)), np.nan)
    means[cells] = effects.mean(axis=1)
    return means.reshape(held.grid.shape)


@cache
def found(outcome: str, seed: int, precision: float | None = None, number: int = 0) -> ATEMap:
    return ate_map(
        NET, IMAGE, REGION, patch_size=4, baseline=bank(number), outcome=outcome, seed=seed,
        precision=precision,
    )  # fmt: skip


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_standard_errors_are_honest(outcome: str) -> None:
    """Errors in units of the standard error have a root mean square of about 1."""
    squares, inside = [], []
    for number in range(8):
        ate = found(outcome, 0, number=number)
        drawn = (ate.samples > 1) & (ate.stderr > 0)
        error = (ate.effect - exhaustive(outcome, number))[drawn] / ate.stderr[drawn]
        squares.append(np.mean(error**2))
        inside.append(np.mean(np.abs(error) < 1.96))
    assert np.sqrt(np.mean(squares)) < 1.5
    assert np.mean(inside) > 0.88


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_no_error_is_shared_by_all_patches(outcome: str) -> None:
    """Errors have no direction, and stay within the standard error where all seeds agree."""
    maps = [found(outcome, seed) for seed in range(8)]
    large = (np.abs(exhaustive(outcome)) > 0.5) & (maps[0].stderr > 0)
    assert large.sum() > 10
    errors = np.mean([m.effect - exhaustive(outcome) for m in maps], axis=0)[large]
    z = errors / np.mean([m.stderr for m in maps], axis=0)[large]
    assert abs(z.mean()) < 1
    assert np.sqrt(np.mean(z**2)) < 1.5


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_what_is_ruled_out_or_out_of_reach_has_no_effect(outcome: str) -> None:
    for seed in range(8):
        ate = found(outcome, seed)
        left = np.isfinite(ate.effect) & (ate.samples == 0)
        assert left.any()
        assert_array_equal(ate.effect[left], 0)
        assert np.abs(exhaustive(outcome)[left]).max() < 0.2
        exact = left & (ate.stderr == 0)
        assert_allclose(exhaustive(outcome)[exact], 0, atol=1e-4)


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_it_takes_fewer_evaluations_than_the_paper(outcome: str) -> None:
    paper = ate_map(
        NET, IMAGE, REGION, patch_size=4, baseline=bank(), outcome=outcome, sampling="paper"
    )
    assert found(outcome, 0).evaluations < 0.7 * paper.evaluations


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_what_is_cut_short_is_continued_by_the_same_draws(outcome: str) -> None:
    """More evaluations only add: a longer run passes through the state of a shorter one."""
    options = {"patch_size": 4, "baseline": bank(), "outcome": outcome, "precision": 1e-6}
    longer = {u.done: u.map for u in iter_ate(NET, IMAGE, REGION, budget=600, **options)}
    for budget in (50, 200, 400):
        short = ate_map(NET, IMAGE, REGION, budget=budget, **options)
        same = longer[short.evaluations]
        assert_array_equal(short.effect, same.effect)
        assert_array_equal(short.samples, same.samples)


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_iterating_longer_refines(outcome: str) -> None:
    errors = []
    for budget in (150, 400, 1200):
        each = [
            ate_map(
                NET, IMAGE, REGION, patch_size=4, baseline=bank(), outcome=outcome, seed=seed,
                precision=1e-6, samples=96, budget=budget,
            ).effect
            - exhaustive(outcome)
            for seed in range(4)
        ]  # fmt: skip
        errors.append(float(np.sqrt(np.nanmean(np.square(each)))))
    assert errors[0] > errors[1] > errors[2]


def test_the_mean_of_the_next_neighbours() -> None:
    values = np.arange(12.0).reshape(3, 4)
    mean = around(values)
    assert mean[1, 1] == pytest.approx((0 + 1 + 2 + 4 + 6 + 8 + 9 + 10) / 8)
    assert mean[0, 0] == pytest.approx((1 + 4 + 5) / 8)
    assert_array_equal(around(np.ones(5)), [0.5, 1, 1, 1, 0.5])


def test_no_patch_takes_more_draws_than_asked_for() -> None:
    for samples in (4, 16, 20, 50):
        ate = ate_map(
            NET, IMAGE, REGION, patch_size=4, baseline=bank(), samples=samples, precision=1e-9
        )
        assert ate.samples.max() == samples


def test_a_bank_that_is_drawn_to_its_end_is_exact() -> None:
    ate = ate_map(NET, IMAGE, REGION, patch_size=4, baseline=bank(), samples=60, precision=1e-9)
    whole = ate.samples == len(bank())
    assert whole.sum() > 10
    assert_allclose(ate.stderr[whole], 0, atol=1e-9)
    assert_allclose(ate.effect[whole], exhaustive("dice")[whole], atol=1e-4)


def test_noise_is_drawn_independently_and_honestly() -> None:
    """Many draws of the paper's kind say where the mean is, to within both errors."""
    options = {"patch_size": 4, "baseline": "noise", "outcome": "soft_dice"}
    many = ate_map(NET, IMAGE, REGION, sampling="paper", samples=400, **options)
    z = []
    for seed in range(4):
        ate = ate_map(NET, IMAGE, REGION, seed=seed + 1, **options)
        drawn = (ate.samples > 3) & (many.samples > 100)
        both = np.hypot(ate.stderr, many.stderr)[drawn]
        z.append((ate.effect - many.effect)[drawn] / both)
    assert len(z[0]) > 10
    assert np.sqrt(np.mean(np.concatenate(z) ** 2)) < 1.3
    assert ate.evaluations < 0.5 * many.evaluations


def test_precision_is_reached_or_the_draws_are_used_up() -> None:
    coarse, fine = found("soft_dice", 0, 0.5), found("soft_dice", 0, 0.05)
    for ate, precision in ((coarse, 0.5), (fine, 0.05)):
        drawn = ate.samples > 0
        assert (ate.stderr[drawn & (ate.samples < 48)] <= precision).all()
    assert fine.evaluations > 1.5 * coarse.evaluations


@pytest.mark.parametrize("size", [1, 2, 7, 16])
def test_a_small_bank_is_drawn_to_its_end(size: int) -> None:
    few = PatchBank(bank().patches[:size])
    ate = ate_map(NET, IMAGE, REGION, patch_size=4, baseline=few, outcome="soft_dice", threshold=0)
    alone = [
        ate_map(
            NET, IMAGE, REGION, patch_size=4, baseline=PatchBank(patch[None]), outcome="soft_dice",
            threshold=0,
        ).effect
        for patch in few.patches
    ]  # fmt: skip
    drawn = ate.samples > 0
    assert_array_equal(ate.stderr[drawn], 0)
    assert_allclose(ate.effect[drawn], np.mean(alone, axis=0)[drawn], atol=1e-3)


def test_matched_draws_come_from_nearby() -> None:
    """Where only the nearest few patches may go, they are all drawn, and exact."""
    matched = bank().matched(5)
    ate = ate_map(NET, IMAGE, REGION, patch_size=4, baseline=matched, threshold=0)
    drawn = ate.samples > 0
    assert drawn.any()
    assert_array_equal(ate.samples[drawn], 5)
    assert_array_equal(ate.stderr[drawn], 0)
