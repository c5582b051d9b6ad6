"""Small untrained networks of other libraries, through the libraries' own saving and loading."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional
from torch.testing import assert_close

import pdcr_widgets as pdcr
from pdcr_widgets.models import MaskQueries, Prepared, load_model

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning"),
    pytest.mark.usefixtures("torchvision"),
]


@pytest.fixture
def transformers() -> Any:
    return importlib.import_module("transformers")


def image(channels: int, side: int = 64) -> Tensor:
    """Give random pixels, always the same."""
    return torch.rand(channels, side, side, generator=torch.Generator().manual_seed(5))


def explained(model: Any, picture: Tensor) -> None:
    """Measure one map, and compare its base with the model's own scores."""
    segmenter = pdcr.segmenter(model, target=1).resolve(picture)
    options = {"patch_size": 32, "outcome": "mean_probability", "engine": "full"}
    found = pdcr.ate_map(segmenter, picture, (16, 16, 16, 16), **options)
    expected = segmenter(picture[None])[0, 16:32, 16:32].mean()
    assert found.base == pytest.approx(100 * float(expected), abs=1e-2)


def test_segmentation_models_pytorch_folders(tmp_path: Path) -> None:
    smp = importlib.import_module("segmentation_models_pytorch")
    network = smp.Unet("resnet18", encoder_weights=None, in_channels=1, classes=3).eval()
    network.save_pretrained(str(tmp_path))
    loaded, picture = load_model(tmp_path), image(1)
    with torch.no_grad():
        assert_close(loaded(picture[None]), network(picture[None]))
    explained(loaded, picture)
    odd = Prepared(loaded, multiple=32)
    explained(odd, picture[:, :50, :45])


def test_torchvision_answers_in_a_dict(torchvision: Any) -> None:
    build = torchvision.models.segmentation.lraspp_mobilenet_v3_large
    network = build(weights=None, weights_backbone=None, num_classes=3).eval()
    picture = image(3)
    with torch.no_grad():
        expected = network(picture[None])["out"].softmax(dim=1)[:, 1]
    assert_close(pdcr.segmenter(network, 1).resolve(picture)(picture[None]), expected)
    explained(network, picture)


def test_transformers_semantic_heads(transformers: Any, tmp_path: Path) -> None:
    config = transformers.SegformerConfig(
        num_labels=3, depths=[1, 1, 1, 1], hidden_sizes=[8, 8, 16, 16], decoder_hidden_size=16
    )
    network = transformers.SegformerForSemanticSegmentation(config).eval()
    network.save_pretrained(tmp_path)
    loaded, picture = load_model(tmp_path), image(3)
    with torch.no_grad():
        logits = network(picture[None]).logits
        assert logits.shape[2:] == (16, 16)
        expected = functional.interpolate(logits, (64, 64), mode="bilinear", align_corners=False)
        assert_close(loaded(picture[None]), expected)
    explained(loaded, picture)


def test_transformers_mask_queries(transformers: Any, tmp_path: Path) -> None:
    backbone = transformers.SwinConfig(
        image_size=64,
        embed_dim=8,
        depths=[1, 1, 1, 1],
        num_heads=[1, 1, 1, 1],
        window_size=2,
        out_features=["stage1", "stage2", "stage3", "stage4"],
    )
    config = transformers.Mask2FormerConfig(
        backbone_config=backbone,
        feature_size=32,
        mask_feature_size=32,
        hidden_dim=32,
        encoder_feedforward_dim=16,
        dim_feedforward=16,
        encoder_layers=1,
        decoder_layers=2,
        num_attention_heads=2,
        num_queries=5,
        num_labels=3,
    )
    network = transformers.Mask2FormerForUniversalSegmentation(config).eval()
    network.save_pretrained(tmp_path)
    loaded, picture = load_model(tmp_path), image(3)
    with torch.no_grad():
        answer = network(picture[None])
        scores = MaskQueries(network)(picture[None])
        processor = transformers.Mask2FormerImageProcessor()
        expected = processor.post_process_semantic_segmentation(
            answer, target_sizes=[(64, 64)], return_segmentation_scores=True
        )[0]
    assert_close(scores[0], expected.segmentation_scores.clamp(max=1), atol=1e-5, rtol=1e-5)
    assert_close(loaded(picture[None]), scores)
    explained(loaded, picture)
    assert MaskQueries(network)(picture[None, :, :50, :61]).shape == (1, 3, 50, 61)


def test_a_folder_whose_weights_are_gone(transformers: Any, tmp_path: Path) -> None:
    kind = {"architectures": ["SegformerForSemanticSegmentation"], "model_type": "segformer"}
    (tmp_path / "config.json").write_text(json.dumps(kind))
    with pytest.raises(ValueError, match="cannot be loaded"):
        load_model(tmp_path)
