"""One patch under the lens, against the map and against the definition."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from reference import dice, paste, predictor
from toys import SmallNet, box, picture

from pdcr_widgets.causal import PatchBank, ate_map, patch_draws
from pdcr_widgets.causal.draws import draw

IMAGE = picture(1, 22, 18)
REGION = box((22, 18), slice(8, 13), slice(6, 11))
TRUTH = picture(22, 18, seed=4).numpy() > 0.4
BANK = PatchBank(picture(6, 1, 4, 4, seed=5))
NET = SmallNet()


@pytest.mark.parametrize(("row", "col"), [(0, 0), (1, 2), (5, 4)])
def test_each_draw_is_its_definition(row: int, col: int) -> None:
    found = patch_draws(
        NET, IMAGE, REGION, row, col, TRUTH, patch_size=4, baseline=BANK, samples=9, seed=3
    )
    predict = predictor(NET)
    base = dice(predict(IMAGE.numpy()), TRUTH, REGION)
    assert (found.row, found.col) == (row, col)
    assert found.base == pytest.approx(base, abs=1e-4)
    choices = draw(3, np.full(9, row * 5 + col), np.arange(9), 6)
    assert_allclose(found.contents, BANK.patches[choices].numpy())
    for effect, content in zip(found.effects, found.contents, strict=True):
        changed = paste(IMAGE.numpy(), 4 * row, 4 * col, content)
        assert effect == pytest.approx(dice(predict(changed), TRUTH, REGION) - base, abs=1e-4)


def test_its_mean_is_the_maps() -> None:
    options: dict[str, Any] = {"patch_size": 4, "baseline": BANK, "seed": 3}
    ate = ate_map(
        NET, IMAGE, REGION, TRUTH, sampling="paper", samples=7, screening=2, threshold=0, **options
    )
    found = patch_draws(NET, IMAGE, REGION, 2, 0, TRUTH, samples=9, **options)
    assert ate.effect[2, 0] == pytest.approx(found.effects[2:].mean(), abs=1e-4)


@pytest.mark.parametrize("baseline", [0.3, "blur", "mean"])
def test_one_draw_says_it_all_where_every_draw_is_the_same(baseline: Any) -> None:
    found = patch_draws(NET, IMAGE, REGION, 1, 1, patch_size=4, baseline=baseline, samples=20)
    ate = ate_map(NET, IMAGE, REGION, patch_size=4, baseline=baseline, threshold=0)
    assert found.effects.shape == (1,)
    assert found.contents.shape == (1, 1, 4, 4)
    assert found.effects[0] == pytest.approx(ate.effect[1, 1], abs=1e-4)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_every_precision(dtype: torch.dtype) -> None:
    net = SmallNet().to(dtype)
    found = patch_draws(net, IMAGE, REGION, 1, 1, patch_size=4, baseline=BANK, samples=3)
    assert_allclose(
        found.contents, BANK.patches[draw(0, np.full(3, 6), np.arange(3), 6)], atol=1e-2
    )


@pytest.mark.parametrize(
    ("row", "col", "text"),
    [
        (6, 0, r"there is no patch \(6, 0\) in a grid of \(6, 5\)"),
        (0, -1, "there is no patch"),
        (2, 2, "touches the region and is not intervened on"),
    ],
)
def test_other_places_are_refused(row: int, col: int, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        patch_draws(NET, IMAGE, REGION, row, col, patch_size=4)


def test_no_samples_are_refused() -> None:
    with pytest.raises(ValueError, match="samples must be at least 1, got 0"):
        patch_draws(NET, IMAGE, REGION, 0, 0, patch_size=4, samples=0)
