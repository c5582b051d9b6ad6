"""Models that look at the values of their activations: a recording says nothing of other images."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pdcr_widgets.causal import ate_map, segmenter
from pdcr_widgets.causal.components import layer_effects

IMAGE = torch.randn(1, 24, 24, generator=torch.Generator().manual_seed(0))
REGION = (8, 8, 8, 8)
OPTIONS: dict[str, Any] = {"patch_size": 4, "baseline": 5.0, "outcome": "soft_dice"}


class Ends(nn.Module):
    """Two convolutions, and a function of their scores that looks at values."""

    def __init__(self, end: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.body = nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 1, 3, padding=1)
        )
        self.end = end

    def forward(self, images: Tensor) -> Tensor:
        return self.end(self.body(images))


def soft_dice(probability: Tensor, truth: Tensor) -> float:
    both = (probability * truth).sum()
    return float(200 * both / (probability.sum() + truth.sum()))


def grown(x: Tensor) -> Tensor:
    count = 0
    while x.abs().amax() < 9 and count < 10:
        x, count = x * 1.5, count + 1
    return x


DECIDING: dict[str, Callable[[Tensor], Tensor]] = {
    "bool": lambda x: x * 3 if x.mean() > 0 else -x,
    "loop": grown,
    "item": lambda x: x * x.amax().item(),
    "float": lambda x: x * float(x.amax()),
    "int": lambda x: x * int(x.abs().sum()),
    "tolist": lambda x: x * x.amax((1, 2, 3)).tolist()[0],
    "iteration": lambda x: x * sum(1 for value in x.flatten()[:40] if value > 0),
    "text": lambda x: x * float(f"{x.amax():.3f}"),
    "numpy": lambda x: x * float(x.numpy().max()),
    "asarray": lambda x: x * float(np.asarray(x).max()),
    "dlpack": lambda x: x * float(np.from_dlpack(x.detach()).max()),
    "storage": lambda x: x * float(x.amax().untyped_storage()[0]),
    "data": lambda x: x * float(x.data.amax()),
    "equal": lambda x: x * 3 if torch.equal(x, x.clamp(max=1)) else -x,
    "allclose": lambda x: x * 3 if torch.allclose(x, x.clamp(max=1)) else -x,
    "nonzero": lambda x: x * len((x > 0).nonzero()),
    "where of one": lambda x: x * len(torch.where(x > 0)[0]),
    "masked indexing": lambda x: x + x[x > 0].mean(),
    "masked select": lambda x: x * x.masked_select(x > 0).numel(),
    "unique": lambda x: x * len(torch.unique(x.round())),
    "bincount": lambda x: x * len(torch.bincount(x.abs().mul(3).long().flatten())),
    "one hot": lambda x: x * nn.functional.one_hot(x.abs().mul(3).long()).shape[-1],
    "repetition": lambda x: x * x.flatten().repeat_interleave((x > 0).long().flatten()).numel(),
}  # fmt: skip


@pytest.mark.parametrize("name", DECIDING)
def test_a_model_that_decides_by_values_gets_plain_passes_of_one_image(name: str) -> None:
    net = Ends(DECIDING[name])
    found = ate_map(net, IMAGE, REGION, **OPTIONS)
    assert found.engine == "full"
    assert "decides by the values" in found.reason
    expected = ate_map(net, IMAGE, REGION, engine="full", batch=1, **OPTIONS)
    np.testing.assert_array_equal(found.effect, expected.effect)
    with pytest.raises(ValueError, match="decides by the values"):
        ate_map(net, IMAGE, REGION, engine="incremental", **OPTIONS)


def test_interventions_that_flip_the_branch_are_measured_on_their_side_of_it() -> None:
    taken = []

    def either(x: Tensor) -> Tensor:
        taken.append(bool(x.mean() > 0))
        return x * 3 if taken[-1] else -x

    net = Ends(either)
    with torch.no_grad():
        net.body[2].bias -= net.body(IMAGE[None]).mean() - 0.001
    found = ate_map(net, IMAGE, REGION, threshold=0.0, **OPTIONS)
    assert set(taken) == {True, False}, "no intervention flipped the branch"
    for row, col in ((0, 0), (0, 5), (5, 1), (3, 0)):
        changed = IMAGE.clone()
        changed[:, 4 * row : 4 * row + 4, 4 * col : 4 * col + 4] = 5.0
        with torch.no_grad():
            both = torch.cat([torch.sigmoid(net(i[None]))[:, 0] for i in (IMAGE, changed)])
        before, after = both[:, 8:16, 8:16].double()
        dice = [soft_dice(p, before > 0.5) for p in (before, after)]
        assert found.effect[row, col] == pytest.approx(dice[1] - dice[0], abs=1e-4)


HARMLESS: dict[str, Callable[[Tensor], Tensor]] = {
    "where": lambda x: torch.where(x > 0, x, -2 * x),
    "mask as a factor": lambda x: x * (x > 0),
    "masked fill": lambda x: x.masked_fill(x > 0.1, -1.0),
    "shape": lambda x: x * 2 if x.shape[-1] > 4 and len(x) and x.numel() else x,
}


@pytest.mark.parametrize("name", HARMLESS)
def test_values_that_stay_inside_torch_are_windowed(name: str) -> None:
    net = segmenter(Ends(HARMLESS[name]), 0, "sigmoid")
    found = ate_map(net, IMAGE, REGION, engine="incremental", **OPTIONS)
    expected = ate_map(net, IMAGE, REGION, engine="full", batch=1, **OPTIONS)
    np.testing.assert_allclose(found.effect, expected.effect, atol=1e-4)


def test_a_model_whose_images_share_a_mean_gets_one_at_a_time() -> None:
    net = Ends(lambda x: x - x.mean())
    found = ate_map(net, IMAGE, REGION, **OPTIONS)
    expected = ate_map(net, IMAGE, REGION, engine="full", batch=1, **OPTIONS)
    assert "mixes the images of a batch" in found.reason
    np.testing.assert_array_equal(found.effect, expected.effect)


def test_layers_of_such_a_model_are_intervened_on_one_image_at_a_time() -> None:
    net = Ends(lambda x: x * 3 if x.mean() > 0 else -x)
    options: dict[str, Any] = {"intervention": "noise", "samples": 6, "outcome": "soft_dice"}
    with torch.no_grad():
        net.body[2].bias -= net.body(IMAGE[None]).mean()
    found, alone, together = (
        [row.effect for row in layer_effects(net, IMAGE, REGION, **options, **more).rows]
        for more in ({}, {"engine": "full", "batch": 1}, {"engine": "full", "batch": 6})
    )
    assert found == alone
    assert together != alone, "nothing depended on the batch"
