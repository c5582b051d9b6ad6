"""Models of every origin give the numbers that the network itself gives."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from monai.networks.nets import BasicUNetPlusPlus, DynUNet, UNet
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn
from torch.nn import functional
from torch.testing import assert_close

import pdcr_widgets as pdcr
from pdcr_widgets.models import MaskQueries, Prepared, load_model

REGION = (8, 8, 8, 8)


def image(*shape: int) -> Tensor:
    """Give random pixels, always the same."""
    return torch.rand(shape, generator=torch.Generator().manual_seed(3))


def monai_unet() -> nn.Module:
    return UNet(2, 1, 2, channels=(4, 8), strides=(2,), norm="batch").eval()


def deep_supervision() -> nn.Module:
    return BasicUNetPlusPlus(2, 1, 2, features=(4, 4, 4, 4, 4, 4), deep_supervision=True).eval()


def dynamic_unet() -> nn.Module:
    kernels, strides = [3, 3, 3], [1, 2, 2]
    return DynUNet(2, 1, 2, kernels, strides, strides[1:], filters=[4, 4, 8]).eval()


@pytest.mark.parametrize("build", [monai_unet, deep_supervision, dynamic_unet])
def test_networks_of_monai_are_explained(build: Callable[[], nn.Module]) -> None:
    network, picture = build(), image(1, 32, 32)
    with torch.no_grad():
        output = network(picture[None])
    scores = output if isinstance(output, Tensor) else output[-1]
    expected = scores.softmax(dim=1)[:, 1]
    segmenter = pdcr.segmenter(network).resolve(picture)
    assert_close(segmenter(picture[None]), expected)
    found = pdcr.ate_map(segmenter, picture, REGION, patch_size=16, outcome="mean_probability")
    assert found.base == pytest.approx(100 * float(expected[0, 8:16, 8:16].mean()), abs=1e-3)


def test_which_of_several_outputs_is_the_prediction_is_not_guessed() -> None:
    network, picture = deep_supervision(), image(1, 32, 32)
    with torch.no_grad():
        outputs = network(picture[None])
    assert not torch.equal(outputs[0], outputs[-1])
    for ask in (
        lambda: pdcr.ate_map(network, picture, REGION),
        lambda: Prepared(network)(picture[None]),
    ):
        with pytest.raises(ValueError, match=r"4 tensors of shape .*segmenter\(model, output=-1"):
            ask()
    for number in (0, 2, -1):
        found = pdcr.segmenter(network, output=number).scores(picture[None])
        assert_close(found, outputs[number])
    for found in (pdcr.segmenter(network), pdcr.segmenter(network, scale=1.0, multiple=16)):
        assert_close(found.scores(picture[None]), outputs[-1])
    named = Answering(lambda scores: {"out": 2 * scores, "fine": scores})
    found = pdcr.segmenter(named, output="fine").scores(picture[None])
    assert_close(found, named.network(picture[None]))


class Answering(nn.Module):
    """Network whose answer is wrapped."""

    def __init__(self, wrap: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.network, self.wrap = nn.Conv2d(1, 2, 3, padding=1), wrap

    def forward(self, images: Tensor) -> Any:
        return self.wrap(self.network(images))


@pytest.mark.parametrize(
    "wrap",
    [
        lambda scores: {"out": scores, "aux": scores * 0},
        lambda scores: {"logits": scores},
        lambda scores: [scores, scores[..., ::2, ::2]],
        lambda scores: functional.avg_pool2d(scores, 4),
        lambda scores: {"logits": functional.avg_pool2d(scores, 4)},
    ],
    ids=["torchvision", "transformers", "deep supervision", "low resolution", "both"],
)
def test_an_answer_in_a_dict_a_list_or_at_low_resolution(wrap: Callable[[Tensor], Any]) -> None:
    network = Answering(wrap)
    scores = Prepared(network)(image(2, 1, 16, 24))
    assert scores.shape == (2, 2, 16, 24)
    whole = network.network(image(2, 1, 16, 24))
    assert_close(scores.mean(dim=(2, 3)), whole.mean(dim=(2, 3)), atol=0.05, rtol=0)


def test_what_the_model_is_fed_is_what_was_declared() -> None:
    fed: list[Tensor] = []

    def model(images: Tensor) -> Tensor:
        fed.append(images)
        return images[:, :1]

    prepared = Prepared(
        model, channels=(2, 0), scale=1 / 255, mean=(0.5, 0.25), std=(2.0, 4.0), multiple=8
    )
    picture = image(1, 3, 13, 10) * 255
    scores = prepared(picture)
    red, blue = picture[0, 0] / 255, picture[0, 2] / 255
    assert fed[0].shape == (1, 2, 16, 16)
    assert_close(fed[0][0, 0, 1:14, 3:13], (blue - 0.5) / 2)
    assert_close(fed[0][0, 1, 1:14, 3:13], (red - 0.25) / 4)
    assert_close(scores[0, 0], (blue - 0.5) / 2)


@pytest.mark.parametrize("padding", ["reflect", "replicate", "constant"])
@pytest.mark.parametrize("shape", [(12, 20), (17, 9), (8, 8)])
def test_padding_is_undone_to_the_pixel(padding: str, shape: tuple[int, int]) -> None:
    picture = image(1, 1, *shape)
    assert_close(Prepared(nn.Identity(), multiple=8, padding=padding)(picture), picture)


def test_a_model_of_a_fixed_size_answers_on_the_images_grid() -> None:
    def model(images: Tensor) -> Tensor:
        assert images.shape[2:] == (32, 32)
        return images

    smooth = torch.linspace(0, 1, 48).repeat(24, 1)[None, None]
    scores = Prepared(model, size=(32, 32))(smooth)
    assert scores.shape == smooth.shape
    assert_close(scores, smooth, atol=0.02, rtol=0)


def test_windows_cover_a_larger_image() -> None:
    seen: list[tuple[int, ...]] = []

    def model(images: Tensor) -> Tensor:
        seen.append(tuple(images.shape[2:]))
        return images * 2

    picture = image(1, 1, 40, 24)
    assert_close(Prepared(model, window=(16, 16))(picture), picture * 2)
    assert set(seen) == {(16, 16)}


def test_preprocessing_is_part_of_what_is_explained() -> None:
    network = monai_unet()
    picture = image(1, 30, 28)
    prepared = Prepared(network, mean=0.5, std=0.25, multiple=16)
    by_hand = functional.pad((picture[None] - 0.5) / 0.25, (2, 2, 1, 1), mode="reflect")
    with torch.no_grad():
        expected = network(by_hand)[:, :, 1:31, 2:30].softmax(dim=1)[:, 1]
    segmenter = pdcr.segmenter(prepared).resolve(picture)
    assert_close(segmenter(picture[None]), expected)
    found = pdcr.ate_map(segmenter, picture, REGION, patch_size=8, outcome="mean_probability")
    assert found.spatial == (30, 28)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"padding": "mirror"}, "padding must be"),
        ({"multiple": 0}, "multiple must be"),
        ({"std": (1.0, 0.0)}, "std must be above 0"),
    ],
)
def test_preprocessing_that_cannot_be(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Prepared(nn.Identity(), **options)


def test_numbers_per_channel_must_fit_the_image() -> None:
    with pytest.raises(ValueError, match="mean has 3 values for 1 channels"):
        Prepared(nn.Identity(), mean=(1.0, 2.0, 3.0))(image(1, 1, 8, 8))


def test_masks_and_classes_of_queries_become_scores() -> None:
    classes = torch.tensor([[[9.0, 0.0, 0.0], [0.0, 9.0, 0.0]]])
    masks = torch.tensor([[[[9.0, -9.0]], [[-9.0, 9.0]]]])
    answer = SimpleNamespace(class_queries_logits=classes, masks_queries_logits=masks)
    scores = MaskQueries(lambda images: answer)(image(1, 3, 1, 2))  # type: ignore[arg-type]
    assert scores.shape == (1, 2, 1, 2)
    assert_close(scores.round(), torch.tensor([[[[1.0, 0.0]], [[0.0, 1.0]]]]))


@pytest.fixture
def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 2, 1)).eval()


def test_torchscript_and_exported_programs_load(network: nn.Module, tmp_path: Path) -> None:
    picture = image(3, 1, 16, 16)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        torch.jit.save(torch.jit.trace(network, picture), tmp_path / "a.pt")
    batch = torch.export.Dim("batch")
    exported = torch.export.export(network, (picture,), dynamic_shapes=({0: batch},))
    torch.export.save(exported, tmp_path / "a.pt2")
    torch.export.save(torch.export.export(network, (picture[:1],)), tmp_path / "single.pt2")
    for name in ("a.pt", "a.pt2", "single.pt2"):
        loaded = load_model(tmp_path / name)
        assert_close(loaded(picture[:2]), network(picture[:2]))
        assert pdcr.ate_map(loaded, picture[0], REGION, outcome="area").effect.shape == (2, 2)


def write_onnx(path: Path, network: nn.Module, batch: int | str) -> None:
    """Write conv, relu, conv as ONNX by hand."""
    nodes, weights = [], []
    for index in (0, 2):
        for kind in ("weight", "bias"):
            value = getattr(network[index], kind).detach().numpy()  # type: ignore[index]
            weights.append(numpy_helper.from_array(np.ascontiguousarray(value), f"{kind}{index}"))
    pads = {"pads": [1, 1, 1, 1]}
    nodes.append(helper.make_node("Conv", ["images", "weight0", "bias0"], ["wide"], **pads))
    nodes.append(helper.make_node("Relu", ["wide"], ["positive"]))
    nodes.append(helper.make_node("Conv", ["positive", "weight2", "bias2"], ["scores"]))
    given = helper.make_tensor_value_info("images", TensorProto.FLOAT, [batch, 1, 16, 16])
    answer = helper.make_tensor_value_info("scores", TensorProto.FLOAT, [batch, 2, 16, 16])
    graph = helper.make_graph(nodes, "network", [given], [answer], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, path)


@pytest.mark.parametrize("batch", [1, "batch"])
def test_onnx_files_are_run(batch: int | str, network: nn.Module, tmp_path: Path) -> None:
    write_onnx(tmp_path / "a.onnx", network, batch)
    loaded, picture = load_model(tmp_path / "a.onnx"), image(3, 1, 16, 16)
    assert_close(loaded(picture), network(picture).detach(), atol=1e-5, rtol=1e-5)
    options = {"patch_size": 4, "outcome": "mean_probability"}
    found = pdcr.ate_map(loaded, picture[0], REGION, **options)
    expected = pdcr.ate_map(network, picture[0], REGION, **options)
    np.testing.assert_allclose(found.effect, expected.effect, atol=1e-3)


def test_a_damaged_onnx_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.onnx").write_bytes(b"not a network")
    with pytest.raises(ValueError, match=r"a\.onnx cannot be read as ONNX"):
        load_model(tmp_path / "a.onnx")
