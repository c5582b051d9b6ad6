"""The same numbers wherever the model is."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from toys import SmallNet, box, picture

from pdcr_widgets.causal import PatchBank, ate_map, patch_draws, segmenter

cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
DEVICES = ["cpu", pytest.param("cuda", marks=cuda)]
IMAGE = picture(1, 24, 24)
REGION = box((24, 24), slice(8, 14), slice(8, 14))
BANK = PatchBank(picture(6, 1, 4, 4, seed=5))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("baseline", [0.3, "mean", "blur", "noise", BANK])
@pytest.mark.parametrize("sampling", ["paper", "adaptive"])
def test_every_device_gives_the_same_map(device: str, baseline: Any, sampling: str) -> None:
    options: dict[str, Any] = {
        "patch_size": 4, "baseline": baseline, "sampling": sampling, "samples": 4,
        "outcome": "mean_probability", "threshold": 0.5,
    }  # fmt: skip
    alone = ate_map(SmallNet(), IMAGE, REGION, engine="full", batch=1, **options)
    found = ate_map(SmallNet().to(device), IMAGE, REGION, **options)
    assert_allclose(found.effect, alone.effect, atol=1e-2)
    if sampling == "paper":
        assert_array_equal(found.samples, alone.samples)


@pytest.mark.parametrize("device", DEVICES)
def test_images_regions_truths_and_banks_may_be_anywhere(device: str) -> None:
    bank = PatchBank(BANK.patches.to(device))
    given = (IMAGE.to(device), torch.from_numpy(REGION).to(device), (IMAGE[0] > 0.4).to(device))
    found = ate_map(SmallNet(), *given, patch_size=4, baseline=bank, samples=4)
    expected = ate_map(
        SmallNet(), IMAGE, REGION, IMAGE[0] > 0.4, patch_size=4, baseline=BANK, samples=4
    )
    assert_allclose(found.effect, expected.effect, atol=1e-2)
    assert bank.digest() == BANK.digest()
    draws = patch_draws(SmallNet().to(device), *given[:2], 0, 0, patch_size=4, baseline=bank)
    assert isinstance(draws.contents, np.ndarray)


@pytest.mark.parametrize("device", DEVICES)
def test_the_model_stays_where_it_is(device: str) -> None:
    net = SmallNet().to(device)
    assert segmenter(net).device.type == device
    ate_map(net, IMAGE, REGION, patch_size=8)
    assert {p.device.type for p in net.parameters()} == {device}


@cuda
def test_memory_on_the_device_is_flat() -> None:
    net = SmallNet().cuda()
    held = []
    for _ in range(20):
        ate_map(net, IMAGE, REGION, patch_size=4, baseline=BANK, samples=4)
        gc.collect()
        held.append(torch.cuda.memory_allocated())
    assert held[-1] <= held[1]
