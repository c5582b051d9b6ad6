"""Half precision is used where outcomes stay the same, and refused elsewhere; on any device."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close
from toys import SmallNet, box, picture

from pdcr_widgets.causal import ate_map, segmenter
from pdcr_widgets.causal.incremental import incremental_engine
from pdcr_widgets.causal.mixed import Mixed
from pdcr_widgets.causal.recomputing import recompute

IMAGE = picture(1, 24, 24)
REGION = box((24, 24), slice(8, 14), slice(8, 14))
OPTIONS: dict[str, Any] = {"patch_size": 4, "baseline": 0.2, "outcome": "dice"}


class Noted(nn.Module):
    """Two convolutions, and the types of what they gave; every pixel is predicted by far."""

    shift = 3.0

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.last = nn.Conv2d(1, 8, 3, padding=1), nn.Conv2d(8, 1, 3, padding=1)
        self.types = set[torch.dtype]()

    def forward(self, images: Tensor) -> Tensor:
        scores = self.last(self.first(images).relu())
        self.types.add(scores.dtype)
        return scores + self.shift


class Coarse(Noted):
    """Scores around 0 that were around 50 before: there bfloat16 has steps of a quarter."""

    def __init__(self) -> None:
        super().__init__()
        with torch.no_grad():
            self.last.bias += 50.0
            self.shift = -float(self.last(self.first(IMAGE[None]).relu()).median())


@pytest.mark.parametrize("engine", ["full", "incremental"])
def test_half_precision_is_used_where_outcomes_agree(engine: str) -> None:
    net = Noted()
    seg = segmenter(net, 0, "sigmoid")
    found = ate_map(seg, IMAGE, REGION, engine=engine, half=True, **OPTIONS)
    assert found.recipe["half"] is True
    assert "bfloat16 changes 16 outcomes by up to" in found.reason
    assert found.reason.endswith(": used")
    if engine == "full":
        assert torch.bfloat16 in net.types
    plain = ate_map(seg, IMAGE, REGION, engine=engine, **OPTIONS)
    assert found.engine == plain.engine
    np.testing.assert_allclose(found.effect, plain.effect, atol=0.02)


@pytest.mark.parametrize("count", [1, 9])
def test_windows_of_an_upsampling_network_are_predicted_in_half_precision(count: int) -> None:
    torch.manual_seed(0)
    down = [nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(4)]
    up = [nn.ConvTranspose2d(8, 8, 4, 4), nn.Conv2d(8, 8, 3, padding=1), nn.Conv2d(8, 1, 1)]
    seg = segmenter(nn.Sequential(*down, *up), 0, "sigmoid")
    corner = (slice(0, 4), slice(20, 24))
    engine = incremental_engine(seg, IMAGE, corner, must_be_faster=False)
    starts = np.array([[0, 16], [4, 20], [4, 16]] * 3)[:count]
    content = 3 * picture(count, 1, 4, 4)
    plain = engine.probabilities(starts, content)
    found = Mixed(engine, torch.device("cpu")).probabilities(starts, content)
    assert found.dtype is torch.float32
    assert (found != plain).any()
    assert_close(found, plain, atol=0.01, rtol=0)


@pytest.mark.parametrize("engine", ["full", "incremental"])
def test_half_precision_is_refused_where_outcomes_differ(engine: str) -> None:
    seg = segmenter(SmallNet(), 0, "sigmoid")
    options = {**OPTIONS, "outcome": "soft_dice", "threshold": 1e-9, "engine": engine}
    found = ate_map(seg, IMAGE, REGION, half=True, **options)
    plain = ate_map(seg, IMAGE, REGION, **options)
    assert found.recipe["half"] is False
    assert found.reason.endswith("more than 1e-09: not used")
    np.testing.assert_array_equal(found.effect, plain.effect)
    assert found.evaluations == plain.evaluations


def test_flips_at_the_threshold_are_differences() -> None:
    found = ate_map(segmenter(Coarse(), 0, "sigmoid"), IMAGE, REGION, half=True, **OPTIONS)
    assert found.recipe["half"] is False
    assert "points, more than 0.02: not used" in found.reason


def test_a_model_that_half_precision_breaks_gets_float32() -> None:
    class Strict(SmallNet):
        def forward(self, images: Tensor) -> Tensor:
            scores: Tensor = super().forward(images)
            if scores.dtype != torch.float32:
                raise RuntimeError("float32 only")
            return scores

    seg = segmenter(Strict(), 0, "sigmoid")
    found = ate_map(seg, IMAGE, REGION, engine="full", half=True, **OPTIONS)
    assert found.recipe["half"] is False
    assert "bfloat16 fails" in found.reason


def test_a_recipe_says_how_numbers_were_made() -> None:
    seg = segmenter(Noted(), 0, "sigmoid")
    found = ate_map(seg, IMAGE, REGION, half=True, **OPTIONS)
    again = recompute(found.recipe, seg, IMAGE)
    assert isinstance(again, type(found))
    assert again.recipe["half"] is True
    np.testing.assert_array_equal(again.effect, found.effect)
