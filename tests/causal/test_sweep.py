"""A sweep gives, without a forward pass, what interventions give."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from pdcr_widgets import PatchBank, Sweep, ate_map, iter_sweep
from pdcr_widgets.causal.draws import draw
from pdcr_widgets.causal.sweep_index import Bands

SIDE = (45, 50)
REGION = np.zeros(SIDE, dtype=bool)
REGION[16:25, 16:27] = True
TRUTH = np.random.default_rng(0).random(SIDE) > 0.5


@pytest.fixture
def net() -> nn.Module:
    torch.manual_seed(0)
    wide = nn.Conv2d(1, 4, 9, padding=4)
    return nn.Sequential(wide, nn.ReLU(), nn.Conv2d(4, 1, 9, padding=4)).eval()


@pytest.fixture
def image() -> torch.Tensor:
    return torch.randn((1, *SIDE), generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("outcome", ["dice", "iou", "area"])
def test_hard_outcomes_are_those_of_interventions(net, image, outcome, soft) -> None:
    swept = Sweep.run(net, image, soft=soft).ate_map(REGION, TRUTH, outcome=outcome)
    direct = ate_map(net, image, REGION, TRUTH, outcome=outcome, threshold=0.0)
    np.testing.assert_allclose(swept.effect, direct.effect, atol=1e-5)
    assert swept.base == pytest.approx(direct.base)
    assert swept.engine == "sweep"


@pytest.mark.parametrize("outcome", ["soft_dice", "mean_probability"])
def test_soft_outcomes_are_within_the_quantisation(net, image, outcome) -> None:
    swept = Sweep.run(net, image, soft=True).ate_map(REGION, TRUTH, outcome=outcome)
    direct = ate_map(net, image, REGION, TRUTH, outcome=outcome, threshold=0.0)
    assert np.nanmax(np.abs(swept.effect - direct.effect)) < 100 / 508


def test_a_bank_is_averaged_over_the_draws_it_had(net, image) -> None:
    bank = PatchBank(torch.randn((9, 1, 8, 8), generator=torch.Generator().manual_seed(2)))
    ate = Sweep.run(net, image, baseline=bank, samples=3, seed=5).ate_map(REGION, TRUTH)
    cell = 6
    effects = []
    for number in draw(5, np.full(3, cell), np.arange(3), 9):
        one = PatchBank(bank.patches[number : number + 1])
        effects.append(
            ate_map(net, image, REGION, TRUTH, baseline=one, threshold=0).effect.flat[cell]
        )
    assert ate.effect.flat[cell] == pytest.approx(np.mean(effects), abs=1e-4)
    assert ate.stderr.flat[cell] == pytest.approx(np.std(effects, ddof=1) / np.sqrt(3), abs=1e-4)
    assert ate.samples.flat[cell] == 3


def test_any_region_can_be_asked_for_while_it_runs(net, image) -> None:
    updates = list(iter_sweep(net, image, patch_size=2, samples=1, engine="full"))
    assert len(updates) > 2
    early = updates[0].sweep.ate_map(REGION)
    assert 0 < early.evaluations < updates[-1].sweep.ate_map(REGION).evaluations
    unknown = (early.samples == 0) & np.isfinite(early.effect)
    assert unknown.any()
    assert np.isinf(early.stderr[unknown]).all()
    assert updates[-1].done == updates[-1].total


def test_saved_and_loaded_it_answers_the_same(net, image, tmp_path: Path) -> None:
    sweep = Sweep.run(net, image)
    sweep.save(tmp_path / "sweep.npz")
    again = Sweep.load(tmp_path / "sweep.npz")
    np.testing.assert_array_equal(sweep.ate_map(REGION).effect, again.ate_map(REGION).effect)
    assert again.nbytes == sweep.nbytes


def test_memory_is_bounded(net, image) -> None:
    full = Sweep.run(net, image, baseline="noise", samples=3)
    limit = full.nbytes - 1
    sweep = Sweep.run(net, image, baseline="noise", samples=3, limit_bytes=limit)
    assert sweep.nbytes <= limit
    assert 0 < len(sweep.cells) < len(full.cells)
    with pytest.raises(ValueError, match="allow more"):
        Sweep.run(net, image, limit_bytes=4 * image.numel())


def test_its_first_interventions_are_a_sweep_of_their_own(net, image) -> None:
    twice = Sweep.run(net, image, baseline="noise", samples=2, soft=True)
    once = Sweep.run(net, image, baseline="noise", samples=1, soft=True)
    first = twice.first(len(once.cells))
    assert (first.rounds, twice.rounds) == (1, 2)
    np.testing.assert_array_equal(first.ate_map(REGION).effect, once.ate_map(REGION).effect)


def test_flips_alone_give_no_soft_outcome(net, image) -> None:
    with pytest.raises(ValueError, match="soft=True"):
        Sweep.run(net, image).ate_map(REGION, outcome="soft_dice")


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sweep.npz").write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(ValueError, match="not a saved result"):
        Sweep.load(tmp_path / "sweep.npz")


@given(st.data())
def test_changed_pixels_are_found_in_every_region(data: st.DataObject) -> None:
    spatial = (*data.draw(st.lists(st.integers(1, 90), min_size=1, max_size=2)), 3)
    size = int(np.prod(spatial))
    each = data.draw(st.lists(st.lists(st.integers(0, size - 1), unique=True), min_size=1))
    rows = [np.array(sorted(r) if data.draw(st.booleans()) else r, np.uint32) for r in each]
    offsets = np.cumsum([0, *map(len, rows)])
    pixels = np.concatenate(rows).astype(np.uint32)
    region = np.zeros(size, dtype=bool)
    region[data.draw(st.lists(st.integers(0, size - 1), min_size=1))] = True
    where, owner = Bands.of(offsets, pixels, spatial).inside(region.reshape(spatial), pixels)
    expected = [
        (int(offsets[i]) + k, i) for i, r in enumerate(rows) for k, p in enumerate(r) if region[p]
    ]
    assert list(zip(where.tolist(), owner.tolist(), strict=True)) == expected
