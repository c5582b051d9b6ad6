"""Whatever is wrong, the error says what was given and what to do, before any work is done."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from toys import Linear, Pixelwise, Returns, SmallNet, Spy, box, picture

from pdcr_widgets.causal import PatchBank, Segmenter, ate_map, iter_ate

IMAGE = picture(1, 16, 12)
REGION = box((16, 12), slice(4, 8), slice(4, 8))

NOT_A_NUMBER = IMAGE.clone()
NOT_A_NUMBER[0, 3, 3] = torch.nan
INFINITE = IMAGE.clone()
INFINITE[0, 3, 3] = -torch.inf

BAD_INPUT: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "NaN": ({"image": NOT_A_NUMBER}, ValueError, "image has 1 NaN or infinite.*replace"),
    "infinite": ({"image": INFINITE}, ValueError, "image has 1 NaN or infinite.*replace"),
    "integers": (
        {"image": (IMAGE * 255).byte()},
        TypeError,
        "image has dtype uint8; give floats.*astype",
    ),
    "no axes": ({"image": 0.5}, ValueError, r"image must be \(channels, height, width\)"),
    "empty region": ({"region": ~REGION & REGION}, ValueError, "region is empty"),
    "whole region": ({"region": REGION | True}, ValueError, "covers the whole 16 x 12.*smaller"),
    "region shape": (
        {"region": REGION.T},
        ValueError,
        r"region has shape \(12, 16\), the image is \(16, 12\); give",
    ),
    "box outside": ({"region": (10, 0, 9, 3)}, ValueError, "leaves the 16 x 12 image"),
    "truth shape": ({"truth": REGION.T}, ValueError, r"truth has shape \(12, 16\)"),
    "truth values": ({"truth": REGION * 255}, ValueError, "truth must be a boolean mask"),
    "large patch": ({"patch_size": 13}, ValueError, r"patch_size must be 1\.\.12 pixels.*got 13"),
    "no patch": ({"patch_size": 0}, ValueError, "patch_size must be at least 1, got 0"),
    "no room": (
        {"patch_size": 12, "region": box((16, 12), slice(2, 14), slice(5, 6))},
        ValueError,
        "no 12-pixel patch lies outside the region.*use smaller patches",
    ),
    "bank size": (
        {"baseline": PatchBank(picture(3, 1, 5, 5))},
        ValueError,
        r"patches are \(1, 5, 5\).*needs \(1, 4, 4\); rebuild",
    ),
    "bank channels": (
        {"baseline": PatchBank(picture(3, 2, 4, 4))},
        ValueError,
        r"patches are \(2, 4, 4\).*needs \(1, 4, 4\)",
    ),
    "baseline name": ({"baseline": "black"}, ValueError, "one of .'zero'.*got 'black'"),
    "baseline channels": ({"baseline": [1.0, 2.0]}, ValueError, r"one per channel \(1\), got 2"),
    "outcome": ({"outcome": "auc"}, ValueError, "outcome must be one of.*'dice'.*got 'auc'"),
    "sampling": ({"sampling": "fast"}, ValueError, "sampling must be one of.*got 'fast'"),
    "engine": ({"engine": "gpu"}, ValueError, "engine must be one of.*got 'gpu'"),
    "empty": ({"empty": "nan"}, ValueError, "empty must be 'agree' or 'paper', got 'nan'"),
    "screening": ({"screening": 0}, ValueError, "screening must be at least 1, got 0"),
    "samples": ({"samples": 2.5}, TypeError, "samples must be a whole number"),
    "threshold": ({"threshold": -1}, ValueError, "threshold is in points and at least 0, got -1"),
    "precision": ({"precision": 0}, ValueError, "precision is a standard error.*above 0, got 0"),
    "seed": ({"seed": "x"}, TypeError, "seed must be a whole number.*'x'"),
    "batch": ({"batch": 0}, ValueError, "batch must be at least 1, got 0"),
    "budget": ({"budget": 0}, ValueError, "budget must be at least 1, got 0"),
    "budget without its unit": ({"budget": "20"}, ValueError, "time such as '500 ms', '2 s'"),
    "budget of no kind": ({"budget": 2.5}, TypeError, "budget='2.5 s' for seconds"),
    "budget of no time": ({"budget": "0 s"}, ValueError, "more than no time, got '0 s'"),
    "time twice": ({"budget": "2 s", "seconds": 1}, ValueError, "seconds=1 is given too"),
    "seconds": ({"seconds": 0}, ValueError, "seconds must be above 0, got 0"),
}


@pytest.mark.parametrize("name", BAD_INPUT)
def test_bad_input_is_refused_before_anything_is_measured(name: str) -> None:
    wrong, error, text = BAD_INPUT[name]
    spy = Spy(SmallNet())
    given = {"image": IMAGE, "region": REGION, "patch_size": 4, **wrong}
    with pytest.raises(error, match=text):
        ate_map(spy, **given)
    assert sum(spy.batches) <= 2, "only the unperturbed image was predicted"


def test_unknown_arguments_are_refused() -> None:
    with pytest.raises(TypeError, match="patchsize"):
        ate_map(SmallNet(), IMAGE, REGION, patchsize=4)


def test_arguments_are_checked_at_the_first_step() -> None:
    updates = iter_ate(SmallNet(), IMAGE, REGION, patch_size=99)
    with pytest.raises(ValueError, match="patch_size"):
        next(updates)


class FailsLater(Pixelwise):
    """Answers the unperturbed image well, and anything else with what it was given."""

    def __init__(self, answer: Any) -> None:
        super().__init__()
        self.answer, self.calls = answer, 0

    def forward(self, images: torch.Tensor) -> Any:
        self.calls += 1
        return super().forward(images) if self.calls <= 2 else self.answer(images)


def complain(images: torch.Tensor) -> torch.Tensor:
    raise KeyError("missing weights")


BAD_ANSWERS: dict[str, tuple[Any, type[Exception], str]] = {
    "NaN": (lambda x: x * torch.nan, ValueError, "NaN or infinite values"),
    "infinite": (lambda x: x / 0, ValueError, "NaN or infinite values"),
    "shape": (lambda x: x[..., :5], ValueError, r"returned shape \(\d+, 1, 16, 5\)"),
    "labels": (lambda x: (x > 0).long(), TypeError, "must return scores or probabilities"),
    "nothing": (lambda x: None, TypeError, "returned NoneType, not a tensor"),
    "raises": (complain, ValueError, r"failed on images of shape \(\d+, 1, 16, 12\).*KeyError"),
}


@pytest.mark.parametrize("name", BAD_ANSWERS)
def test_a_model_that_fails_on_the_image(name: str) -> None:
    answer, error, text = BAD_ANSWERS[name]
    with pytest.raises(error, match=text):
        ate_map(Segmenter(Returns(answer), 0, "identity"), IMAGE, REGION, patch_size=4)


@pytest.mark.parametrize("name", BAD_ANSWERS)
@pytest.mark.parametrize("sampling", ["paper", "adaptive"])
def test_a_model_that_fails_on_an_intervention(name: str, sampling: str) -> None:
    answer, error, text = BAD_ANSWERS[name]
    model = FailsLater(answer)
    read = Segmenter(model, 0, "identity")
    with pytest.raises(error, match=text):
        ate_map(read, IMAGE, REGION, patch_size=4, sampling=sampling, engine="full")
    assert model.calls > 2


def test_a_baseline_far_outside_says_so() -> None:
    weight = torch.ones(1, 16, 12)
    linear = Segmenter(Linear(weight), 0, "identity")
    with pytest.raises(ValueError, match=r"of \d+ intervened images; the baseline may be far"):
        ate_map(linear, IMAGE, REGION, patch_size=4, baseline=3e38, engine="full")


def test_nan_outside_the_region_is_named_too() -> None:
    scores = torch.zeros(1, 1, 16, 12)
    scores[..., 0, 0] = torch.nan
    with pytest.raises(ValueError, match="NaN or infinite values for the image; check"):
        ate_map(Segmenter(Returns(lambda x: scores), 0, "sigmoid"), IMAGE, REGION)


def test_channels_that_come_last() -> None:
    with pytest.raises(ValueError, match=r"shape \(1, 16, 12, 3\).*channels come first"):
        ate_map(SmallNet(3), picture(16, 12, 3), box((12, 3), slice(0, 1), slice(0, 1)))


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
def test_interrupts_and_memory_pass_through(error: type[BaseException]) -> None:
    def fail(images: torch.Tensor) -> torch.Tensor:
        raise error

    with pytest.raises(error):
        ate_map(FailsLater(fail), IMAGE, REGION, patch_size=4, batch=1, engine="full")


def test_every_message_is_one_readable_line() -> None:
    for name, (wrong, error, _) in BAD_INPUT.items():
        given = {"image": IMAGE, "region": REGION, "patch_size": 4, **wrong}
        with pytest.raises(error) as caught:
            ate_map(SmallNet(), **given)
        text = str(caught.value)
        assert "\n" not in text, name
        assert 15 < len(text) < 300, name
        assert not text.endswith("."), name


def test_numpy_scalars_are_numbers() -> None:
    found = ate_map(
        SmallNet(), IMAGE, np.array([4, 4, 4, 4]), patch_size=np.int16(4), samples=np.int64(4),
        screening=np.uint8(2), threshold=np.float32(0.5), seed=np.int32(1), batch=np.int64(3),
        budget=np.int64(500),
    )  # fmt: skip
    assert type(found.recipe["samples"]) is int
    assert type(found.recipe["threshold"]) is float
