"""Folders of transformers with their image processor, against the library's own way."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

import pdcr_widgets as pdcr
from pdcr_widgets.models.notes import notes_of
from pdcr_widgets.models.processed import Processed

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning"),
    pytest.mark.usefixtures("torchvision"),
]
MEAN, STD = [0.5, 0.4, 0.3], [0.2, 0.25, 0.3]
FIGURES = {"image_mean": MEAN, "image_std": STD}
SHARP = 1.5  # so that scores of networks that were never trained differ by pixel
Build = Callable[[Any], tuple[nn.Module, Any]]


@pytest.fixture
def transformers() -> Any:
    return importlib.import_module("transformers")


def segformer(library: Any) -> tuple[nn.Module, Any]:
    """A square, smaller than the images: pixels are averaged."""
    config = library.SegformerConfig(
        num_labels=3, depths=[1] * 4, hidden_sizes=[8, 8, 16, 16], decoder_hidden_size=16
    )
    network = library.SegformerForSemanticSegmentation(config)
    size = {"height": 64, "width": 64}
    return network, library.SegformerImageProcessor(size=size, **FIGURES)


def mobilevit(library: Any) -> tuple[nn.Module, Any]:
    """Shortest edge, centre crop, blue before red, no normalisation."""
    config = library.MobileViTConfig(
        num_labels=3, image_size=64, hidden_sizes=[16, 16, 16], neck_hidden_sizes=[8] * 7,
        num_attention_heads=2, aspp_out_channels=16, atrous_rates=[1, 2, 3], output_stride=16,
    )  # fmt: skip
    network = library.MobileViTForSemanticSegmentation(config)
    processor = library.MobileViTImageProcessor(
        size={"shortest_edge": 72}, crop_size={"height": 64, "width": 64}
    )
    return network, processor


def dpt(library: Any) -> tuple[nn.Module, Any]:
    """Sides in proportion, each a multiple."""
    config = library.DPTConfig(
        num_labels=3, hidden_size=16, num_hidden_layers=4, num_attention_heads=2,
        intermediate_size=16, image_size=64, patch_size=16, backbone_out_indices=[0, 1, 2, 3],
        neck_hidden_sizes=[8] * 4, fusion_hidden_size=8, auxiliary_loss_weight=0.0,
        use_auxiliary_head=False,
    )  # fmt: skip
    network = library.DPTForSemanticSegmentation(config)
    size = {"height": 64, "width": 64}
    processor = library.DPTImageProcessor(
        size=size, keep_aspect_ratio=True, ensure_multiple_of=16, do_normalize=True, **FIGURES
    )
    return network, processor


def mask2former(library: Any) -> tuple[nn.Module, Any]:
    """Shortest and longest edge, sides of a multiple."""
    backbone = library.SwinConfig(
        image_size=64, embed_dim=8, depths=[1] * 4, num_heads=[1] * 4, window_size=2,
        out_features=["stage1", "stage2", "stage3", "stage4"],
    )  # fmt: skip
    config = library.Mask2FormerConfig(
        backbone_config=backbone, feature_size=32, mask_feature_size=32, hidden_dim=32,
        encoder_feedforward_dim=16, dim_feedforward=16, encoder_layers=1, decoder_layers=2,
        num_attention_heads=2, num_queries=2, num_labels=3,
    )  # fmt: skip
    network = library.Mask2FormerForUniversalSegmentation(config)
    size = {"shortest_edge": 64, "longest_edge": 90}
    processor = library.Mask2FormerImageProcessor(size=size, size_divisor=32, **FIGURES)
    return network, processor


def beit(library: Any) -> tuple[nn.Module, Any]:
    """Labels that begin one later, which are none of the image's business."""
    config = library.BeitConfig(
        num_labels=3, image_size=64, patch_size=16, hidden_size=16, num_hidden_layers=4,
        num_attention_heads=2, intermediate_size=16, out_indices=[1, 2, 3, 4],
        use_auxiliary_head=False,
    )  # fmt: skip
    config.id2label = {0: "wall", 1: "sky", 2: "tree"}
    network = library.BeitForSemanticSegmentation(config)
    size = {"height": 64, "width": 64}
    processor = library.BeitImageProcessor(
        size=size, do_center_crop=False, do_reduce_labels=True, **FIGURES
    )
    return network, processor


BUILDS: list[Build] = [segformer, mobilevit, dpt, mask2former, beit]
OBLONG: list[Build] = [segformer, mask2former, beit]


def picture(*spatial: int) -> Tensor:
    """Give bytes with structure at every scale, as floating point numbers."""
    generator = torch.Generator().manual_seed(2)
    rough = torch.rand(1, 3, 5, 6, generator=generator)
    smooth = nn.functional.interpolate(rough, spatial, mode="bicubic")
    noise = torch.rand(1, 3, *spatial, generator=generator)
    return (230 * smooth + 25 * noise).clamp(0, 255)[0].round()


def adjusted(network: nn.Module) -> None:
    """Let batch normalisations see one batch, so that scores do not fade from layer to layer."""
    norms = [each for each in network.modules() if isinstance(each, nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = 1.0
    with torch.no_grad():
        network.train()(torch.rand(4, 3, 64, 64, generator=torch.Generator().manual_seed(1)))


def folder(library: Any, build: Build, where: Path) -> tuple[nn.Module, Any]:
    torch.manual_seed(0)
    network, processor = build(library)
    with torch.no_grad():
        for weights in (each for each in network.parameters() if each.ndim > 1):
            weights.normal_(std=SHARP / weights[0].numel() ** 0.5)
    adjusted(network) if build is mobilevit else None
    network.eval().save_pretrained(where)
    processor.save_pretrained(where)
    return network, processor


@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("spatial", [(96, 96), (80, 130), (57, 40)])
def test_the_network_is_shown_what_the_processor_makes(
    transformers: Any, build: Build, spatial: tuple[int, int], tmp_path: Path
) -> None:
    _, processor = folder(transformers, build, tmp_path)
    image = picture(*spatial)
    expected = processor(images=[image.byte()], return_tensors="pt")["pixel_values"]
    level = 1 / 255 / (1 if build is mobilevit else min(STD))
    loaded = pdcr.load_model(tmp_path)
    away = (loaded.feed(image[None]) - expected).abs()
    assert away.max() < 2 * level
    assert away.mean() < 0.4 * level


@pytest.mark.parametrize(
    ("build", "spatial"),
    [(build, (96, 96)) for build in BUILDS] + [(build, (80, 130)) for build in OBLONG],
)
def test_predictions_are_those_of_the_library(
    transformers: Any, build: Build, spatial: tuple[int, int], tmp_path: Path
) -> None:
    network, processor = folder(transformers, build, tmp_path)
    image = picture(*spatial)
    with torch.no_grad():
        answer = network(processor(images=[image], return_tensors="pt")["pixel_values"])
        options = {"target_sizes": [spatial], "return_segmentation_scores": True}
        expected = processor.post_process_semantic_segmentation(answer, **options)[0]
    scores = pdcr.segmenter(tmp_path).scores(image[None])[0]
    if build is not mobilevit:
        top = 1.0 if build is mask2former else np.inf
        away = (scores - expected.segmentation_scores.clamp(max=top)).abs().mean()
        assert away < 0.02 * expected.segmentation_scores.std()
    same = scores.argmax(0) == expected.segmentation
    assert build is mask2former or expected.segmentation.unique().numel() > 1
    assert same.float().mean() > (0.8 if build is mobilevit else 0.98)


def test_a_centre_crop_stays_where_it_is(transformers: Any, tmp_path: Path) -> None:
    """The library would stretch it over the whole image."""
    network, processor = folder(transformers, mobilevit, tmp_path)
    image = picture(72, 130)  # is not resized: the shortest edge is 72 already
    with torch.no_grad():
        logits = network(processor(images=[image], return_tensors="pt")["pixel_values"]).logits
    seen = nn.functional.interpolate(logits, (64, 64), mode="bilinear", align_corners=False)
    scores = pdcr.segmenter(tmp_path).scores(image[None])
    assert_close(scores[..., 4:68, 33:97], seen, atol=1e-3, rtol=1e-3)
    assert_close(scores[..., 4:68, :33], seen[..., :1].expand(-1, -1, -1, 33), atol=1e-3, rtol=1e-3)


def test_names_of_reduced_labels_are_the_networks(transformers: Any, tmp_path: Path) -> None:
    folder(transformers, beit, tmp_path)
    assert pdcr.segmenter(tmp_path).classes == ("wall", "sky", "tree")


def test_a_centre_crop_is_explained_where_it_is_seen(transformers: Any, tmp_path: Path) -> None:
    folder(transformers, mobilevit, tmp_path)
    segmenter = pdcr.segmenter(tmp_path, target=1)
    image = picture(80, 130)
    options = {"patch_size": 10, "outcome": "mean_probability", "baseline": "zero"}
    found = pdcr.ate_map(segmenter, image, (30, 60, 10, 10), **options)
    assert (found.effect[:, [0, 1, -1, -2]] == 0).all()
    assert np.nanmax(np.abs(found.effect[:, 4:9])) > 0
    assert any("nothing outside it is seen" in note for note in notes_of(segmenter.model))


def test_grey_images_are_shown_as_colours(transformers: Any, tmp_path: Path) -> None:
    folder(transformers, segformer, tmp_path)
    grey = picture(70, 60)[:1]
    found = pdcr.segmenter(tmp_path).scores(grey[None])
    assert_close(found, pdcr.segmenter(tmp_path).scores(grey.expand(3, -1, -1)[None]))


def test_a_processor_that_does_something_else_is_refused() -> None:
    class Other:
        def to_dict(self) -> dict[str, Any]:
            return {"do_rescale": True, "rescale_factor": 1 / 255, "resample": 2}

        def __call__(self, images: Any, **how: Any) -> dict[str, Tensor]:
            values = torch.from_numpy(np.asarray(images)).movedim(-1, 0)[None] / 255
            return {"pixel_values": self.done(values)}

        def done(self, values: Tensor) -> Tensor:
            return values

    class Mirroring(Other):
        def done(self, values: Tensor) -> Tensor:
            return values.flip(-1)

    image = picture(20, 24)[None]
    network = nn.Conv2d(3, 2, 1)
    assert_close(Processed(network, Other())(image), network(image / 255))
    for _ in range(2):
        with pytest.raises(ValueError, match=r"Mirroring brings an image of \(20, 24\).*not known"):
            Processed(network, Mirroring())(image)


def test_without_a_processor_it_is_said_that_images_are_shown_as_they_are(
    transformers: Any, tmp_path: Path
) -> None:
    network, _ = folder(transformers, segformer, tmp_path)
    (tmp_path / "preprocessor_config.json").unlink()
    segmenter = pdcr.segmenter(tmp_path)
    assert notes_of(segmenter.model) == [
        "no preprocessor_config.json beside the network: images as they are given"
    ]
    image = picture(64, 64)[None] / 255
    assert_close(segmenter.scores(image), pdcr.segmenter(network).scores(image))


def test_a_network_with_a_task_is_refused_with_what_to_do(transformers: Any) -> None:
    class OneFormerForUniversalSegmentation(nn.Module):
        __module__ = "transformers.models.oneformer"

    with pytest.raises(ValueError, match=r"takes its task as tokens.*task_inputs"):
        pdcr.segmenter(OneFormerForUniversalSegmentation())
