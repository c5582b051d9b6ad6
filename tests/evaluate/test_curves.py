"""Deletion and insertion against sums that can be done by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from toys import Linear, SmallNet, Spy, box, picture, quick

import pdcr_widgets as pdcr
from pdcr_widgets.evaluate import RANKINGS

SPATIAL = (10, 9)
REGION = box(SPATIAL, slice(4, 8), slice(4, 8))
SIZE = 4  # cells are cropped at the right and at the bottom
IMAGE = picture(1, *SPATIAL)
CELLS = [(r, c) for r in range(3) for c in range(3) if (r, c) != (1, 1)]


def model(seed: int = 1) -> Linear:
    return Linear((picture(1, *SPATIAL, seed=seed) - 0.5) / 90)


def effect_of(cell: tuple[int, int], net: Linear, value: float) -> float:
    """100 times the weighted change of the cell's pixels: the model is a plain sum."""
    here = tuple(slice(SIZE * i, SIZE * i + SIZE) for i in cell)
    weight, pixels = net.weight[0][here].double(), IMAGE[0][here].double()
    return 100 * float((weight * (value - pixels)).sum())


def options(**others: Any) -> dict[str, Any]:
    return {"patch_size": SIZE, "baseline": 0.3, "outcome": "mean_probability", **others}


def effects(net: Linear) -> np.ndarray:
    grid = np.full((3, 3), np.nan)
    for cell in CELLS:
        grid[cell] = effect_of(cell, net, 0.3)
    return grid


@pytest.mark.parametrize("rank", ["supporting", "harming"])
@pytest.mark.parametrize("game", ["deletion", "insertion"])
def test_a_sum_loses_or_gains_one_effect_after_the_other(game: str, rank: str) -> None:
    net = model()
    grid = effects(net)
    sign = {"supporting": 1, "harming": -1}[rank]
    steps = np.sort(sign * grid[np.isfinite(grid)]) * sign
    base = 100 * float((net.weight * IMAGE).double().sum())
    if game == "insertion":
        base, steps = base + steps.sum(), -steps
    expected = base + np.concatenate([[0], np.cumsum(steps)])
    play = {"deletion": pdcr.deletion_curve, "insertion": pdcr.insertion_curve}[game]
    curve = play(net, IMAGE, REGION, grid, rank=rank, **options())
    np.testing.assert_allclose(curve.outcomes, expected, atol=1e-4)
    assert curve.counts.tolist() == list(range(9))
    by_hand = (expected.sum() - expected[0] / 2 - expected[-1] / 2) / 8
    assert curve.auc == pytest.approx(by_hand, abs=1e-4)
    assert (curve.kind, curve.rank) == (game, rank)


def test_a_map_scores_per_patch_and_scores_per_pixel_are_one_order() -> None:
    net = model()
    ate = pdcr.ate_map(net, IMAGE, REGION, **options())
    np.testing.assert_allclose(ate.effect, effects(net), atol=1e-3)
    from_map = pdcr.deletion_curve(net, IMAGE, REGION, ate, **options())
    pixels = pdcr.deletion_curve(net, IMAGE, REGION, ate.to_image(), **options())
    assert from_map.order.tolist() == pixels.order.tolist()
    np.testing.assert_array_equal(from_map.outcomes, pixels.outcomes)
    default = {k: v for k, v in options().items() if k != "patch_size"}
    again = pdcr.deletion_curve(net, IMAGE, REGION, ate, **default)
    np.testing.assert_array_equal(again.outcomes, from_map.outcomes)


@quick
@given(st.integers(0, 2**16), st.integers(1, 12), st.sampled_from([*RANKINGS]))
def test_every_patch_outside_the_region_is_touched_once(seed: int, steps: int, rank: str) -> None:
    scores = np.random.default_rng(seed).integers(-2, 3, (3, 3)).astype(float)
    curve = pdcr.deletion_curve(
        model(), IMAGE, REGION, scores, rank=rank, steps=steps, **options(seed=seed)
    )
    assert sorted(curve.order.tolist()) == [0, 1, 2, 3, 5, 6, 7, 8]
    assert curve.counts[0] == 0
    assert curve.counts[-1] == 8
    assert len(curve.counts) == min(steps, 8) + 1
    assert (np.diff(curve.counts) > 0).all()
    priority = RANKINGS[rank](scores.reshape(-1)[curve.order])
    assert (np.diff(priority) <= 0).all()
    low, high = curve.outcomes.min(), curve.outcomes.max()
    assert low - 1e-9 <= curve.auc <= high + 1e-9


def test_ends_are_the_same_for_every_order_and_the_region_stays() -> None:
    seen: list[torch.Tensor] = []

    class Watching(SmallNet):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            seen.append(images.clone())
            return super().forward(images)

    net = Watching()
    seen.clear()
    scores = np.arange(9.0).reshape(3, 3)
    asked = {"patch_size": SIZE, "baseline": "noise", "seed": 4}
    down = pdcr.deletion_curve(net, IMAGE, REGION, scores, **asked)
    up = pdcr.insertion_curve(net, IMAGE, REGION, scores, rank="random", **asked)
    assert down.outcomes[0] == up.outcomes[-1] == 100
    assert down.outcomes[-1] == up.outcomes[0]
    inside = torch.cat(seen)[:, 0, 4:8, 4:8]
    assert torch.equal(inside, IMAGE[0, 4:8, 4:8].expand_as(inside))


def test_ties_are_broken_by_chance_and_not_by_position() -> None:
    orders = {
        tuple(pdcr.deletion_curve(
            model(), IMAGE, REGION, np.zeros((3, 3)), steps=1, **options(seed=seed)
        ).order)
        for seed in range(5)
    }  # fmt: skip
    assert len(orders) == 5
    first, again = (
        pdcr.deletion_curve(model(), IMAGE, REGION, np.zeros((3, 3)), **options(seed=7)).order
        for _ in range(2)
    )
    assert first.tolist() == again.tolist()


def test_the_model_is_left_as_found_and_batches_do_not_matter() -> None:
    spy = Spy(SmallNet())
    spy.train()
    one, three = (
        pdcr.deletion_curve(spy, IMAGE, REGION, np.zeros((3, 3)), patch_size=SIZE, batch=b)
        for b in (1, 3)
    )
    np.testing.assert_allclose(one.outcomes, three.outcomes, atol=1e-4)
    assert all(module.training for module in spy.modules())
    assert max(spy.batches) == 3


def test_volumes_are_played_too() -> None:
    image = picture(1, 6, 6, 6)
    region = box((6, 6, 6), *[slice(2, 4)] * 3)
    net = SmallNet(axes=3)
    curve = pdcr.deletion_curve(net, image, region, np.zeros((3, 3, 3)), patch_size=2, steps=4)
    assert curve.counts.tolist() == [0, 6, 13, 20, 26]


def test_what_does_not_fit_is_refused() -> None:
    ate = pdcr.ate_map(model(), IMAGE, REGION, **options())
    with pytest.raises(ValueError, match="rank must be one of"):
        pdcr.deletion_curve(model(), IMAGE, REGION, ate, rank="absolute", **options())
    with pytest.raises(ValueError, match=r"scores have shape \(2, 2\); give one per patch \(3, 3"):
        pdcr.deletion_curve(model(), IMAGE, REGION, np.zeros((2, 2)), **options())
    with pytest.raises(ValueError, match=r"patches of 4 pixels .* here are 2"):
        pdcr.deletion_curve(model(), IMAGE, REGION, ate, **options(patch_size=2))
    moved = replace(ate, effect=np.full((3, 3), np.nan, np.float32))
    with pytest.raises(ValueError, match="NaN or infinite on 8 patches"):
        pdcr.deletion_curve(model(), IMAGE, REGION, moved, **options())


def test_a_curve_is_a_text_and_a_picture() -> None:
    mpl.use("Agg")
    curve = pdcr.deletion_curve(model(), IMAGE, REGION, effects(model()), **options())
    assert repr(curve) == (
        f"Curve(deletion, supporting first: {curve.outcomes[0]:.2f} to {curve.outcomes[-1]:.2f} "
        f"points while 8 patches are replaced, area {curve.auc:.2f})"
    )
    png = curve._repr_png_()
    assert png is not None
    assert png.startswith(b"\x89PNG")
    axes = curve.plot(label="ours", color="#123456")
    again = pdcr.insertion_curve(model(), IMAGE, REGION, effects(model()), **options()).plot(axes)
    assert again is axes
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), curve.outcomes)
    assert axes.lines[0].get_color() == "#123456"
    assert len(axes.lines) == 2
    plt.close("all")


def test_a_curve_is_a_table() -> None:
    frame = pdcr.deletion_curve(
        model(), IMAGE, REGION, np.zeros((3, 3)), steps=2, **options()
    ).to_dataframe()
    assert frame.columns.tolist() == ["patches", "fraction", "outcome"]
    assert frame.patches.tolist() == [0, 4, 8]
    assert frame.fraction.tolist() == [0, 0.5, 1]
