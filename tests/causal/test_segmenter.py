"""Any model as one function: what is decided, what is read, what is refused."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from toys import Pixelwise, Returns, SmallNet, picture, quick

from pdcr_widgets.causal.segmenter import Segmenter, segmenter

IMAGE = picture(1, 6, 5)


def logits(classes: int) -> Any:
    return lambda x: (
        4 * (x.expand(-1, classes, -1, -1) - torch.linspace(0, 1, classes)[:, None, None])
    )


@pytest.mark.parametrize(
    ("answer", "activation", "target"),
    [
        (lambda x: 6 * x - 3, "sigmoid", 0),
        (lambda x: x, "identity", 0),
        (lambda x: (x > 0.5).float(), "identity", 0),
        (lambda x: (6 * x - 3)[:, 0], "sigmoid", 0),
        (lambda x: x[:, 0], "identity", 0),
        (logits(2), "softmax", 1),
        (lambda x: logits(3)(x).softmax(dim=1), "identity", 1),
        (lambda x: logits(4)(x).sigmoid(), "identity", 1),
        (lambda x: {"out": 6 * x - 3, "aux": x}, "sigmoid", 0),
        (lambda x: OrderedDict(loss=None, logits=logits(2)(x)), "softmax", 1),
        (lambda x: {"anything": x}, "identity", 0),
        (lambda x: (x, "rest"), "identity", 0),
        (lambda x: [[6 * x - 3]], "sigmoid", 0),
        (lambda x: 9 * logits(3)(x).softmax(dim=1), "softmax", 1),
    ],
)
def test_activation_and_target_are_decided_on_the_image(
    answer: Any, activation: str, target: int
) -> None:
    resolved = segmenter(Returns(answer)).resolve(IMAGE)
    assert (resolved.activation, resolved.target) == (activation, target)
    probability = resolved(IMAGE[None])
    assert probability.shape == (1, 6, 5)
    assert probability.min() >= 0
    assert probability.max() <= 1


def test_probabilities_may_miss_their_ends_by_rounding() -> None:
    for beyond in (1.0000002, 1.0005):
        assert segmenter(Returns(lambda x, k=beyond: k * x / x.max())).resolve(
            IMAGE
        ).activation == ("identity")


@pytest.mark.parametrize("factor", [1.01, 100, 255])
def test_scores_of_one_class_that_are_no_probabilities_and_no_logits_are_refused(
    factor: float,
) -> None:
    grey = Returns(lambda x: factor * x / x.max())
    with pytest.raises(ValueError, match=rf"one class from .* to {factor}: neither probabilities"):
        segmenter(grey).resolve(IMAGE)
    said = segmenter(grey, activation="sigmoid").resolve(IMAGE)
    torch.testing.assert_close(said(IMAGE[None]), (factor * IMAGE / IMAGE.max()).sigmoid())


def test_the_target_of_many_is_the_class_predicted_most() -> None:
    scores = torch.zeros(1, 4, 6, 5)
    scores[:, 0] = 1
    scores[:, 2, :2], scores[:, 3, :1] = 5, 9
    scores[:, 3, 4:] = 9
    resolved = segmenter(Returns(lambda x: scores)).resolve(IMAGE)
    assert resolved.target == 3


def test_background_alone_leaves_class_one() -> None:
    scores = torch.zeros(1, 4, 6, 5)
    scores[:, 0] = 5
    assert segmenter(Returns(lambda x: scores)).resolve(IMAGE).target == 1


def test_what_is_given_is_kept() -> None:
    model = Returns(logits(3))
    assert segmenter(model, target=0).resolve(IMAGE).target == 0
    assert segmenter(model, target=0).resolve(IMAGE).activation == "softmax"
    assert segmenter(model, activation="sigmoid").resolve(IMAGE).activation == "sigmoid"
    resolved = segmenter(model, target=2, activation="sigmoid")
    assert resolved.resolve(IMAGE) is resolved
    assert segmenter(resolved) is resolved


@quick
@given(classes=st.integers(1, 4), target=st.integers(0, 3), seed=st.integers(0, 99))
def test_probabilities_are_the_activation_of_the_scores(
    classes: int, target: int, seed: int
) -> None:
    target = min(target, classes - 1)
    scores = 8 * picture(3, classes, 4, 5, seed=seed) - 4
    expected = {"identity": scores, "sigmoid": 1 / (1 + (-scores).exp())}
    if classes > 1:
        expected["softmax"] = scores.exp() / scores.exp().sum(dim=1, keepdim=True)
    for activation, probability in expected.items():
        read = Segmenter(Pixelwise(), target, activation).probability(scores)
        torch.testing.assert_close(read, probability[:, target])
    custom = Segmenter(Pixelwise(), target, lambda s: s.abs() / 4).probability(scores)
    torch.testing.assert_close(custom, scores[:, target].abs() / 4)


def test_a_callable_needs_no_module() -> None:
    wrapped = segmenter(lambda x: 6 * x - 3)
    assert (wrapped.device, wrapped.dtype) == (torch.device("cpu"), torch.float32)
    assert wrapped.resolve(IMAGE.double()).activation == "sigmoid"


def test_a_callable_without_weights_gets_images_where_they_are() -> None:
    elsewhere = segmenter(lambda x: x).placed(torch.empty(1, 1, 4, 4, device="meta"))
    assert elsewhere.device.type == "meta"


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_images_are_cast_to_the_weights_type(dtype: torch.dtype) -> None:
    wrapped = segmenter(SmallNet().to(dtype))
    assert wrapped.dtype == dtype
    assert wrapped.resolve(IMAGE)(IMAGE[None]).dtype == dtype
    assert wrapped.resolve(IMAGE.double())(IMAGE.double()[None]).dtype == dtype


def test_an_integer_buffer_is_not_the_weights_type() -> None:
    class Counting(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("seen", torch.zeros(1, dtype=torch.int64))
            self.register_buffer("gain", torch.ones(1, dtype=torch.float64))

        def forward(self, images: Tensor) -> Tensor:
            return images * self.gain

    assert segmenter(Counting()).dtype == torch.float64


def test_a_model_that_works_in_place_does_not_change_the_image() -> None:
    image = IMAGE.clone()
    inplace = nn.Sequential(nn.Threshold(0.5, -9.0, inplace=True), Pixelwise())
    segmenter(inplace).resolve(image)(image[None])
    torch.testing.assert_close(image, IMAGE, rtol=0, atol=0)


def test_what_a_model_caches_can_be_trained_with() -> None:
    class Caching(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(1))
            self.grid: Tensor | None = None

        def forward(self, images: Tensor) -> Tensor:
            if self.grid is None:
                self.grid = torch.linspace(0, 1, images.shape[-1]) * 2
            return images * (self.weight * self.grid)

    model = Caching()
    segmenter(model, activation="sigmoid").resolve(IMAGE)
    model(IMAGE[None]).sum().backward()
    assert model.weight.grad is not None


def test_predictions_carry_no_gradient() -> None:
    class Insists(SmallNet):
        def forward(self, images: Tensor) -> Tensor:
            with torch.enable_grad():
                return super().forward(images)

    wrapped = segmenter(Insists()).resolve(IMAGE)
    assert not wrapped.scores(IMAGE[None]).requires_grad
    assert not wrapped(IMAGE[None]).requires_grad


def test_views_of_outputs_are_read() -> None:
    rolled = Returns(lambda x: x.transpose(2, 3).contiguous().transpose(2, 3).expand(-1, 2, -1, -1))
    wrapped = segmenter(rolled, target=1).resolve(IMAGE)
    torch.testing.assert_close(wrapped(IMAGE[None]), IMAGE)


@pytest.mark.parametrize(
    ("answer", "error", "text"),
    [
        (lambda x: None, TypeError, "the model returned NoneType, not a tensor"),
        (lambda x: {"loss": 1.0}, TypeError, "returned dict.*wrap it"),
        (lambda x: "mask", TypeError, "returned str"),
        (lambda x: [], TypeError, "returned list"),
        (lambda x: x.mean(), ValueError, r"returned shape \(\).*\(1, 1, 6, 5\)"),
        (lambda x: x[..., ::2], ValueError, r"returned shape \(1, 1, 6, 3\)"),
        (lambda x: x[0, 0], ValueError, r"returned shape \(6, 5\)"),
        (lambda x: torch.cat([x, x]), ValueError, r"returned shape \(2, 1, 6, 5\)"),
        (lambda x: x[:, :0], ValueError, r"returned shape \(1, 0, 6, 5\)"),
        (lambda x: (x > 0.5).long(), TypeError, r"returned int64.*not labels.*mask\.float"),
        (lambda x: x > 0.5, TypeError, "returned bool"),
    ],
)
def test_a_bad_output_is_refused(answer: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        segmenter(Returns(answer)).resolve(IMAGE)


def test_a_model_that_raises() -> None:
    with pytest.raises(ValueError, match=r"shape \(1, 2, 6, 5\).*float32 on cpu") as caught:
        segmenter(SmallNet()).resolve(picture(2, 6, 5))
    assert "RuntimeError: Given groups=1" in str(caught.value)
    assert "check that channels come first" in str(caught.value)
    assert isinstance(caught.value.__cause__, RuntimeError)


def test_memory_that_runs_out_is_not_wrapped() -> None:
    def fails(images: Tensor) -> Tensor:
        raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(torch.OutOfMemoryError):
        segmenter(Returns(fails)).resolve(IMAGE)


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ((3,), TypeError, "module or a callable, got int"),
        ((Pixelwise(), -1), ValueError, "target must be at least 0"),
        ((Pixelwise(), 0.5), TypeError, "target must be a whole number"),
        ((Pixelwise(), None, "relu"), ValueError, r"activation must be.*'softmax'.*got 'relu'"),
        ((Pixelwise(), None, ["relu"]), ValueError, "activation must be"),
        ((Pixelwise(), None, "auto", 1.5), ValueError, r"threshold is a probability in 0\.\.1"),
        ((Pixelwise(), None, "auto", float("nan")), ValueError, "threshold"),
    ],
)
def test_bad_arguments_are_refused(
    arguments: tuple[Any, ...], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        segmenter(*arguments)


@pytest.mark.parametrize(
    ("wrapped", "text"),
    [
        (Segmenter(Pixelwise(), 0), r"undecided; call .\.resolve\(image\)"),
        (Segmenter(Pixelwise(), 1, "sigmoid"), r"class 1 does not exist.*1 channels \(0\.\.0\)"),
        (Segmenter(Pixelwise(), 0, "softmax"), "softmax over one channel is 1 everywhere"),
        (Segmenter(Pixelwise(), 0, lambda s: s[:, 0]), r"activation returned shape \(1, 6, 5\)"),
        (Segmenter(Pixelwise(), 0, lambda s: None), "activation returned NoneType"),
    ],
)
def test_what_cannot_be_read_is_refused(wrapped: Segmenter, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        wrapped(IMAGE[None])


def test_values_that_the_weights_type_cannot_hold() -> None:
    wrapped = segmenter(SmallNet().half())
    with pytest.raises(ValueError, match="from 0 to 70000, which the model's float16 cannot hold"):
        wrapped.prepare(torch.tensor([[0.0, 70000.0]]))
