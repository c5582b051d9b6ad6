"""`sampling="paper"` against the paper's loops, written out in `reference.py`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from reference import Choose, paper_map, predictor, random_choices
from toys import SmallNet, Spy, box, picture

from pdcr_widgets.causal import ATEMap, PatchBank, ate_map, iter_ate
from pdcr_widgets.causal.draws import draw

REGIONS = {
    "aligned box": box((24, 24), slice(8, 16), slice(8, 16)),
    "unaligned box": box((24, 24), slice(5, 13), slice(10, 19)),
    "two pieces": box((24, 24), slice(2, 5), slice(2, 5))
    | box((24, 24), slice(12, 20), slice(9, 13)),
    "one pixel": box((24, 24), slice(20, 21), slice(14, 15)),
}


def case(
    height: int = 24, width: int = 24, channels: int = 1
) -> tuple[SmallNet, torch.Tensor, Any]:
    image = picture(channels, height, width, seed=3)
    truth = picture(height, width, seed=4).numpy() > 0.4
    return SmallNet(channels), image, truth


def keyed(seed: int, columns: int, count: int) -> Choose:
    """The choices that the package makes, one by one."""

    def choose(row: int, col: int, sample: int) -> int:
        return int(draw(seed, np.array([row * columns + col]), np.array([sample]), count)[0])

    return choose


def ours(
    net: Any, image: Any, region: Any, truth: Any, bank: Any, size: int, **more: Any
) -> ATEMap:
    return ate_map(
        net, image, region, truth, patch_size=size, baseline=PatchBank(bank), sampling="paper",
        empty="paper", **more,
    )  # fmt: skip


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("size", [4, 5, 8])
def test_a_bank_of_one_patch_gives_the_references_map(region: str, size: int) -> None:
    net, image, truth = case()
    bank = picture(1, 1, size, size, seed=7)
    expected = paper_map(
        predictor(net), image.numpy(), REGIONS[region], truth, bank.numpy(), size,
        random_choices(0, 1),
    )  # fmt: skip
    found = ours(net, image, REGIONS[region], truth, bank, size)
    assert_allclose(found.effect, expected, atol=1e-4)
    assert (expected[np.isfinite(expected)] != 0).any()


@pytest.mark.parametrize("seed", [0, 11])
@pytest.mark.parametrize("screening", [1, 3])
def test_on_identical_draws_a_bank_of_many_gives_the_references_map(
    seed: int, screening: int
) -> None:
    net, image, truth = case()
    region = REGIONS["unaligned box"]
    bank = picture(7, 1, 8, 8, seed=8)
    expected = paper_map(
        predictor(net), image.numpy(), region, truth, bank.numpy(), 8, keyed(seed, 3, 7),
        screening=screening, refinement=12, threshold=0.5,
    )  # fmt: skip
    found = ours(
        net, image, region, truth, bank, 8,
        seed=seed, screening=screening, samples=12, threshold=0.5,
    )  # fmt: skip
    assert_allclose(found.effect, expected, atol=1e-4)
    kinds = expected[np.isfinite(expected)]
    assert (kinds == 0).any()
    assert (kinds != 0).any()


@pytest.mark.parametrize(("height", "width", "channels"), [(19, 26, 1), (17, 24, 3), (21, 18, 4)])
def test_sizes_that_the_patch_does_not_divide(height: int, width: int, channels: int) -> None:
    net, image, truth = case(height, width, channels)
    region = box((height, width), slice(6, 11), slice(4, 9))
    bank = picture(4, channels, 8, 8, seed=8)
    columns = -(-width // 8)
    expected = paper_map(
        predictor(net), image.numpy(), region, truth, bank.numpy(), 8, keyed(0, columns, 4),
        refinement=8,
    )  # fmt: skip
    found = ours(net, image, region, truth, bank, 8, samples=8)
    assert found.effect.shape == (-(-height // 8), columns)
    assert_allclose(found.effect, expected, atol=1e-4)


def test_a_constant_is_a_bank_of_one_flat_patch() -> None:
    net, image, truth = case()
    flat = np.full((1, 1, 8, 8), 0.3, dtype=np.float32)
    region = REGIONS["aligned box"]
    expected = paper_map(
        predictor(net), image.numpy(), region, truth, flat, 8, random_choices(0, 1)
    )
    found = ate_map(
        net, image, region, truth, baseline=0.3, sampling="paper", empty="paper"
    )  # fmt: skip
    assert_allclose(found.effect, expected, atol=1e-4)
    assert_array_equal(found.stderr[np.isfinite(expected)], 0)


def test_a_truth_empty_in_the_region() -> None:
    """The reference scores 0 before and after; here an agreement can be lost."""
    net, image, _ = case()
    region, nothing = REGIONS["aligned box"], np.zeros((24, 24), dtype=bool)
    bank = picture(1, 1, 8, 8, seed=7)
    expected = paper_map(
        predictor(net), image.numpy(), region, nothing, bank.numpy(), 8, random_choices(0, 1)
    )
    found = ours(net, image, region, nothing, bank, 8)
    assert_array_equal(found.effect, expected)
    assert_array_equal(found.effect[np.isfinite(expected)], 0)


def test_standard_errors_are_those_of_the_refining_draws() -> None:
    net, image, truth = case()
    region, bank = REGIONS["aligned box"], picture(5, 1, 8, 8, seed=8)
    found = ours(net, image, region, truth, bank, 8, samples=10, threshold=0.0)
    choose = keyed(0, 3, 5)
    for row, col in ((0, 0), (2, 1)):
        each = []
        for sample in range(3, 13):
            one = bank[choose(row, col, sample)][None]
            alone = ours(net, image, region, truth, one, 8, threshold=0.0)
            each.append(alone.effect[row, col])
        assert found.samples[row, col] == 10
        assert found.effect[row, col] == pytest.approx(np.mean(each), abs=1e-4)
        assert found.stderr[row, col] == pytest.approx(np.std(each, ddof=1) / 10**0.5, abs=1e-4)


@pytest.mark.parametrize("batch", [1, 2, 7, 16])
def test_batches_mix_patches_and_never_change_a_number(batch: int) -> None:
    net, image, truth = case()
    region, bank = REGIONS["unaligned box"], picture(5, 1, 8, 8, seed=8)
    spy = Spy(net)
    found = ours(spy, image, region, truth, bank, 8, samples=10, batch=batch, engine="full")
    alone = ours(net, image, region, truth, bank, 8, samples=10, engine="full")
    assert_allclose(found.effect, alone.effect, atol=1e-4)
    full = [n for n in spy.batches if n == batch]
    assert len(spy.batches) - len(full) <= 4, "all but the last batch of each stage are full"
    assert sum(spy.batches) == found.evaluations + 2


def test_evaluations_are_those_of_the_reference_where_patches_survive() -> None:
    net, image, truth = case()
    region = REGIONS["aligned box"]
    updates = list(
        iter_ate(
            net, image, region, truth, baseline=PatchBank(picture(5, 1, 8, 8, seed=8)),
            sampling="paper", empty="paper", samples=10, engine="full",
        )
    )  # fmt: skip
    last = updates[-1].map
    survivors = int((last.samples == 10).sum())
    patches = int(np.isfinite(last.effect).sum())
    assert last.evaluations == 3 * patches + 10 * survivors
    assert set(np.unique(last.samples[np.isfinite(last.effect)])) <= {3, 10}
