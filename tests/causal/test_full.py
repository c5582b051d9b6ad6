"""Plain forward passes: batches of every size, memory that runs out, statistics of the batch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from toys import Returns, SmallNet, Spy, box, picture

from pdcr_widgets.causal import ate_map, segmenter
from pdcr_widgets.causal.full import FullEngine
from pdcr_widgets.causal.memory import is_out_of_memory

IMAGE = picture(1, 12, 10)
WINDOW = (slice(3, 8), slice(2, 9))
STARTS = np.array([[0, 0], [4, 4], [8, 6], [2, 5], [7, 0]])
CONTENT = picture(5, 1, 4, 4, seed=1)


def engine(model: Any, batch: int | None = None) -> FullEngine:
    return FullEngine(segmenter(model, 0, "sigmoid"), IMAGE, WINDOW, batch)


def one_by_one(model: torch.nn.Module) -> torch.Tensor:
    """The definition: paste, predict, cut."""
    windows = []
    for (top, left), content in zip(STARTS, CONTENT, strict=True):
        image = IMAGE.clone()
        image[:, top : top + 4, left : left + 4] = content
        with torch.no_grad():
            windows.append(torch.sigmoid(model(image[None]))[0, 0][WINDOW])
    return torch.stack(windows)


@pytest.mark.parametrize("batch", [None, 1, 2, 3, 4, 5, 8, 16])
def test_every_batch_size_is_the_definition(batch: int | None) -> None:
    net = SmallNet()
    found = engine(net, batch).probabilities(STARTS, CONTENT)
    torch.testing.assert_close(found, one_by_one(net), rtol=1e-5, atol=1e-6)
    assert found.is_contiguous()


def test_a_model_that_cannot_read_channels_last_images_is_given_others() -> None:
    orders = []

    def viewing(images: torch.Tensor) -> torch.Tensor:
        orders.append(images.is_contiguous())
        return images.view(len(images), -1).view(images.shape).mean(dim=1, keepdim=True)

    image, content = picture(3, 12, 10), picture(5, 3, 4, 4, seed=1)
    held = FullEngine(segmenter(viewing, 0, "identity"), image, WINDOW, 2)
    expected = []
    for (top, left), block in zip(STARTS, content, strict=True):
        changed = image.clone()
        changed[:, top : top + 4, left : left + 4] = block
        expected.append(changed.mean(dim=0)[WINDOW])
    torch.testing.assert_close(held.probabilities(STARTS, content), torch.stack(expected))
    assert orders == [False, True, True, True]


def test_images_of_one_channel_lie_channels_last_too() -> None:
    strides = []

    class Watched(SmallNet):
        def forward(self, images: torch.Tensor) -> Any:
            strides.append(images.stride(1))
            return super().forward(images)

    held = engine(Watched(), 2)
    strides.clear()
    held.probabilities(STARTS, CONTENT)
    assert set(strides) == {1}, "ambiguous strides make convolutions take the slower layout"


def test_a_model_that_answers_from_one_buffer() -> None:
    buffer = torch.empty(5, 1, 12, 10)

    def answer(images: torch.Tensor) -> torch.Tensor:
        buffer[: len(images)] = images
        return buffer[: len(images)]

    held = FullEngine(segmenter(Returns(answer), 0, "identity"), IMAGE, WINDOW, 2)
    found = held.probabilities(STARTS, CONTENT)
    torch.testing.assert_close(torch.sigmoid(found), one_by_one(Returns(lambda x: x)))


def test_every_box_may_reach_the_window() -> None:
    assert engine(SmallNet()).reaches(STARTS, (4, 4)).tolist() == [True] * 5


class Tight(Spy):
    """Runs out of memory above a number of images."""

    def __init__(self, most: int, error: Exception) -> None:
        super().__init__(SmallNet())
        self.most, self.error = most, error

    def forward(self, images: torch.Tensor) -> Any:
        result = super().forward(images)
        if len(images) > self.most:
            raise self.error
        return result


MEMORY_ERRORS = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB"),
    MemoryError(),
    RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: not enough memory"),
    RuntimeError("MPS backend out of memory"),
]


@pytest.mark.parametrize("error", MEMORY_ERRORS, ids=lambda e: type(e).__name__)
@pytest.mark.parametrize(("most", "batches"), [(2, [5, 2, 2, 1]), (1, [5, 2, 1, 1, 1, 1, 1])])
def test_out_of_memory_halves_the_batch_and_goes_on(
    error: Exception, most: int, batches: list[int]
) -> None:
    tight = Tight(most, error)
    held = engine(tight, 16)
    found = held.probabilities(STARTS, CONTENT)
    torch.testing.assert_close(found, one_by_one(tight.model), rtol=1e-5, atol=1e-6)
    assert tight.batches == batches
    held.probabilities(STARTS, CONTENT)
    assert max(tight.batches[len(batches) :]) == most, "the batch stays small"


def test_one_image_that_does_not_fit_is_an_error() -> None:
    tight = Tight(0, torch.OutOfMemoryError("CUDA out of memory"))
    with pytest.raises(torch.OutOfMemoryError):
        engine(tight, 4).probabilities(STARTS, CONTENT)


def test_a_whole_map_survives_running_out_of_memory() -> None:
    region = box((12, 10), slice(4, 7), slice(4, 7))
    tight = Tight(3, torch.OutOfMemoryError("out of memory"))
    options = {"patch_size": 3, "baseline": "blur", "outcome": "mean_probability"}
    found = ate_map(tight, IMAGE, region, batch=16, engine="full", **options)
    expected = ate_map(tight.model, IMAGE, region, batch=1, engine="full", **options)
    np.testing.assert_allclose(found.effect, expected.effect, atol=1e-3)


def test_other_failures_are_not_taken_for_memory() -> None:
    assert not is_out_of_memory(RuntimeError("shapes do not match"))
    assert not is_out_of_memory(ValueError("the disk is out of memory cards"))
    failing = Tight(1, RuntimeError("shapes do not match"))
    with pytest.raises(ValueError, match="shapes do not match"):
        engine(failing, 4).probabilities(STARTS, CONTENT)
    assert failing.batches == [4]


def test_batch_statistics_are_kept_to_one_image() -> None:
    net = SmallNet()
    net.norm = torch.nn.BatchNorm2d(4, track_running_stats=False)
    held = engine(net, 16)
    assert held.batch == 1
    assert "normalises over the batch" in held.reason
    torch.testing.assert_close(
        held.probabilities(STARTS, CONTENT), one_by_one(net), rtol=1e-5, atol=1e-6
    )


def test_a_map_says_why_it_took_one_image_at_a_time() -> None:
    net = SmallNet()
    net.norm = torch.nn.BatchNorm2d(4, track_running_stats=False)
    spy = Spy(net)
    found = ate_map(spy, IMAGE, box((12, 10), slice(4, 7), slice(4, 7)), patch_size=3)
    assert found.engine == "full"
    assert "normalises over the batch" in found.reason
    assert set(spy.batches) == {1}


@pytest.mark.parametrize(
    ("batch", "error"), [(0, ValueError), (-3, ValueError), (2.5, TypeError), (True, TypeError)]
)
def test_a_bad_batch_is_refused(batch: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="batch must be"):
        engine(SmallNet(), batch)
