"""What arrives while a map is computed."""

from __future__ import annotations

import math
from datetime import timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from toys import SmallNet, Spy, box, picture

from pdcr_widgets.causal import ATEUpdate, PatchBank, ate_map, iter_ate
from pdcr_widgets.causal.spending import UNITS, spending

SAMPLING = ["paper", "adaptive"]
IMAGE = picture(1, 32, 28)
REGION = box((32, 28), slice(11, 17), slice(9, 15))
BANK = PatchBank(picture(12, 1, 4, 4, seed=3))
BASELINES = [0.3, "noise", BANK]


def run(sampling: str, baseline: Any, **more: Any) -> list[ATEUpdate]:
    options = {"patch_size": 4, "samples": 8, "seed": 5, "engine": "full", **more}
    return list(
        iter_ate(SmallNet(), IMAGE, REGION, baseline=baseline, sampling=sampling, **options)
    )


@pytest.mark.parametrize("sampling", SAMPLING)
@pytest.mark.parametrize("baseline", BASELINES)
def test_every_update_is_complete_and_drawable(sampling: str, baseline: Any) -> None:
    updates = run(sampling, baseline)
    touching = np.isnan(updates[-1].map.effect)
    assert len(updates) > 3
    for update in updates:
        ate = update.map
        assert ate.effect.shape == ate.stderr.shape == ate.samples.shape == (8, 7)
        assert_array_equal(np.isnan(ate.effect), touching)
        assert_array_equal(np.isnan(ate.stderr), touching)
        assert (ate.stderr[~touching] >= 0).all()
        assert_array_equal(ate.samples[touching], 0)
        assert ate.summary()["patches"] == (~touching).sum()
        assert ate.to_image().shape == (32, 28)
        assert update.stage


@pytest.mark.parametrize("sampling", SAMPLING)
@pytest.mark.parametrize("baseline", BASELINES)
def test_done_grows_to_total(sampling: str, baseline: Any) -> None:
    updates = run(sampling, baseline)
    done = [u.done for u in updates]
    assert done == sorted(done)
    assert all(u.done <= u.total for u in updates)
    assert all(u.map.evaluations == u.done for u in updates)
    last = updates[-1]
    assert (last.done, last.stage) == (last.total, "done")


@pytest.mark.parametrize("sampling", SAMPLING)
def test_evaluations_are_passes_through_the_model(sampling: str) -> None:
    spy = Spy(SmallNet())
    ate = ate_map(
        spy, IMAGE, REGION, patch_size=4, baseline=BANK, sampling=sampling, engine="full", samples=8
    )
    unperturbed = 2
    assert sum(spy.batches) == ate.evaluations + unperturbed


@pytest.mark.parametrize("sampling", SAMPLING)
@pytest.mark.parametrize("baseline", BASELINES)
def test_the_whole_picture_comes_early(sampling: str, baseline: Any) -> None:
    """Once one intervention per group of patches is made, something is known of every patch."""
    updates = run(sampling, baseline, engine="full", batch=4)
    groups = math.ceil(8 / 4) * math.ceil(7 / 4)
    whole = next(u for u in updates if np.isfinite(u.map.stderr[~np.isnan(u.map.effect)]).all())
    assert whole.done <= groups
    assert whole.done < updates[-1].done / 5


@pytest.mark.parametrize("sampling", SAMPLING)
@pytest.mark.parametrize("baseline", BASELINES)
def test_at_the_end_everything_is_known(sampling: str, baseline: Any) -> None:
    ate = run(sampling, baseline)[-1].map
    assert np.isfinite(ate.stderr[np.isfinite(ate.effect)]).all()
    assert ate.recipe["sampling"] == sampling
    assert ate.recipe["seed"] == 5


@pytest.mark.parametrize("sampling", SAMPLING)
def test_updates_are_frozen(sampling: str) -> None:
    updates = iter_ate(
        SmallNet(), IMAGE, REGION, patch_size=4, baseline=BANK, sampling=sampling, samples=4
    )
    first = next(updates)
    before = first.map.effect.copy(), first.map.stderr.copy(), first.map.samples.copy()
    list(updates)
    assert_array_equal(first.map.effect, before[0])
    assert_array_equal(first.map.stderr, before[1])
    assert_array_equal(first.map.samples, before[2])
    with pytest.raises(AttributeError):
        first.done = 3  # type: ignore[misc]


@pytest.mark.parametrize("sampling", SAMPLING)
@pytest.mark.parametrize("baseline", BASELINES)
def test_running_again_gives_the_same_numbers(sampling: str, baseline: Any) -> None:
    one, other = (run(sampling, baseline, engine="full")[-1].map for _ in "ab")
    assert_array_equal(one.effect, other.effect)
    assert_array_equal(one.stderr, other.stderr)
    assert one.evaluations == other.evaluations


def test_another_seed_gives_other_draws() -> None:
    one = ate_map(SmallNet(), IMAGE, REGION, baseline="noise", outcome="soft_dice", samples=4)
    other = ate_map(
        SmallNet(), IMAGE, REGION, baseline="noise", outcome="soft_dice", samples=4, seed=1
    )
    assert (one.effect != other.effect)[np.isfinite(one.effect)].any()


@pytest.mark.parametrize("sampling", SAMPLING)
def test_a_budget_ends_it_early(sampling: str) -> None:
    updates = run(sampling, BANK, budget=40, batch=4, engine="full")
    last = updates[-1]
    assert 40 <= last.done < 60
    assert last.stage == "done"
    assert last.done == last.total


def test_what_a_budget_leaves_out_is_not_called_exact() -> None:
    ate = run("paper", 0.3, patch_size=2, budget=1, batch=1, engine="full")[-1].map
    assert ate.evaluations == 1
    unknown = np.isinf(ate.stderr)
    assert unknown.any()
    assert_array_equal(ate.effect[unknown], 0)
    assert not ate.significant[unknown].any()


NO_TIME = [
    {"seconds": 1e-9}, {"budget": "0.0001 ms"}, {"budget": timedelta(microseconds=1)},
    {"seconds": 1e-9, "budget": 10_000},
]  # fmt: skip


@pytest.mark.parametrize("limit", NO_TIME, ids=str)
def test_time_ends_it_early(limit: dict[str, Any]) -> None:
    updates = run("paper", BANK, **limit)
    assert len(updates) == 2
    assert updates[-1].stage == "done"


@pytest.mark.parametrize("budget", ["1 h", "60min", timedelta(days=1)])
def test_time_that_is_not_spent_changes_no_number(budget: Any) -> None:
    whole, limited = (run("adaptive", BANK, **o)[-1].map for o in ({}, {"budget": budget}))
    assert_array_equal(whole.effect, limited.effect)
    assert limited.recipe["stopped_after"] is None


@given(st.integers(1, 10_000), st.sampled_from(sorted(UNITS)), st.sampled_from(["", " "]))
def test_time_is_read_in_its_unit(count: int, unit: str, space: str) -> None:
    evaluations, seconds = spending(f"{count}{space}{unit}")
    assert evaluations is None
    per_hour = {"ms": 3_600_000, "s": 3600, "min": 60, "h": 1}
    assert seconds == pytest.approx(count * 3600 / per_hour[unit])
    assert spending(count) == (count, None)


def test_more_time_refines() -> None:
    """Every state on the way to the end has at least the draws of the state before."""
    maps = [u.map for u in run("adaptive", BANK)]
    for earlier, later in pairwise(maps):
        assert (later.samples >= earlier.samples).all()
        assert later.evaluations >= earlier.evaluations


@pytest.mark.parametrize("sampling", SAMPLING)
def test_a_map_agrees_with_the_last_update(sampling: str) -> None:
    whole = ate_map(
        SmallNet(), IMAGE, REGION, patch_size=4, baseline=BANK, sampling=sampling, samples=8, seed=5
    )
    assert_allclose(whole.effect, run(sampling, BANK)[-1].map.effect, atol=1e-4)


@pytest.mark.parametrize("sampling", SAMPLING)
def test_few_patches_need_no_first_picture(sampling: str) -> None:
    ate = ate_map(SmallNet(), IMAGE, REGION, patch_size=14, baseline=0.2, sampling=sampling)
    assert ate.effect.shape == (3, 2)
    assert ate.evaluations <= np.isfinite(ate.effect).sum()
