"""Promptable networks of transformers, small and untrained, against the library's own processor."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

import pdcr_widgets as pdcr

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning"),
    pytest.mark.usefixtures("torchvision"),
]
MEAN, STD = [0.5, 0.4, 0.3], [0.2, 0.25, 0.3]
BOX = (6.0, 10.0, 20.0, 30.0)
POINTS, OUTSIDE = [(15.0, 20.0), (22.0, 31.0)], [(2.0, 3.0)]
SIDE = 64


@pytest.fixture
def transformers() -> Any:
    return importlib.import_module("transformers")


@pytest.fixture
def sam() -> nn.Module:
    return small_sam()


def small_sam() -> nn.Module:
    """SAM of one layer on 64 x 64 pixels."""
    transformers = importlib.import_module("transformers")
    config = transformers.SamConfig(
        vision_config={
            "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
            "image_size": SIDE, "patch_size": 16, "output_channels": 16, "window_size": 2,
            "global_attn_indexes": [0], "mlp_dim": 16, "num_pos_feats": 8,
        },
        prompt_encoder_config={
            "hidden_size": 16, "image_size": SIDE, "patch_size": 16, "mask_input_channels": 4,
        },
        mask_decoder_config={
            "hidden_size": 16, "mlp_dim": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
            "iou_head_hidden_dim": 16,
        },
    )  # fmt: skip
    torch.manual_seed(0)
    return transformers.SamModel(config).eval()


def picture() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)


def as_image(pixels: np.ndarray) -> Tensor:
    return torch.from_numpy(pixels).movedim(-1, 0).float()


def processed(transformers: Any, sam: nn.Module) -> Tensor:
    """Logits through the processor of the library: box and points as x, y."""
    size = {"longest_edge": SIDE}
    processor = transformers.SamProcessor(
        transformers.SamImageProcessor(
            size=size, pad_size={"height": SIDE, "width": SIDE}, image_mean=MEAN, image_std=STD
        )
    )
    top, left, height, width = BOX
    inputs = processor(
        images=picture(),
        input_boxes=[[[left, top, left + width, top + height]]],
        input_points=[[[[x, y] for y, x in [*POINTS, *OUTSIDE]]]],
        input_labels=[[[1, 1, 0]]],
        return_tensors="pt",
    )
    with torch.no_grad():
        masks = sam(
            **{
                k: inputs[k] for k in ("pixel_values", "input_boxes", "input_points",
                                       "input_labels")
            },
            multimask_output=False,
        ).pred_masks  # fmt: skip
    shapes = inputs["original_sizes"], inputs["reshaped_input_sizes"]
    return processor.image_processor.post_process_masks(
        masks, *shapes, binarize=False, pad_size={"height": SIDE, "width": SIDE}
    )[0][0]


def test_a_prompt_is_asked_as_the_processor_asks_it(transformers: Any, sam: nn.Module) -> None:
    expected = processed(transformers, sam)
    prompt = {"box": BOX, "points": POINTS, "outside": OUTSIDE}
    segmenter = pdcr.segmenter(sam, scale=1 / 255, mean=MEAN, std=STD, **prompt)
    image = as_image(picture())
    assert_close(segmenter.scores(image[None])[0], expected, atol=1e-4, rtol=1e-3)


def test_a_promptable_folder_is_explained(sam: Any, tmp_path: Path) -> None:
    sam.save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=r"needs a prompt: box=\(top, left, height, width\)"):
        pdcr.segmenter(tmp_path)
    grey = torch.rand(1, 48, 64, generator=torch.Generator().manual_seed(0))
    segmenter = pdcr.segmenter(tmp_path, box=BOX).resolve(grey)
    assert segmenter.activation == "sigmoid"
    options = {"patch_size": 32, "outcome": "mean_probability"}
    found = pdcr.ate_map(segmenter, grey, (8, 12, 10, 10), **options)
    assert np.isfinite(found.effect).sum() >= 2
    other = pdcr.segmenter(tmp_path, points=[(40.0, 50.0)]).resolve(grey)
    assert not torch.equal(other(grey[None]), segmenter(grey[None]))


def small_sam2() -> nn.Module:
    """SAM 2 of five blocks on 64 x 64 pixels."""
    transformers = importlib.import_module("transformers")
    backbone = transformers.Sam2HieraDetConfig(
        hidden_size=8, num_attention_heads=1, image_size=[SIDE, SIDE],
        blocks_per_stage=[1, 1, 2, 1], embed_dim_per_stage=[8, 16, 32, 64],
        num_attention_heads_per_stage=[1, 2, 4, 8],
        window_size_per_stage=[4, 2, 2, 2], global_attention_blocks=[3],
        window_positional_embedding_background_size=[4, 4],
    )  # fmt: skip
    config = transformers.Sam2Config(
        vision_config={
            "backbone_config": backbone, "backbone_channel_list": [64, 32, 16, 8],
            "backbone_feature_sizes": [[16, 16], [8, 8], [4, 4]], "fpn_hidden_size": 16,
        },
        prompt_encoder_config={
            "hidden_size": 16, "image_size": SIDE, "patch_size": 16, "mask_input_channels": 4,
        },
        mask_decoder_config={
            "hidden_size": 16, "mlp_dim": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
            "iou_head_hidden_dim": 16,
        },
    )  # fmt: skip
    torch.manual_seed(0)
    network = transformers.Sam2Model(config).eval()
    with torch.no_grad():
        for weights in (each for each in network.parameters() if each.ndim > 1):
            weights.normal_(std=weights[0].numel() ** -0.5)
    return network


@pytest.fixture
def sam2(transformers: Any) -> tuple[nn.Module, Any]:
    size = {"height": SIDE, "width": SIDE}
    images = transformers.Sam2ImageProcessor(size=size, image_mean=MEAN, image_std=STD)
    return small_sam2(), transformers.Sam2Processor(images, target_size=SIDE)


@pytest.mark.parametrize("shape", [(48, 64), (100, 70), (64, 64)])
@pytest.mark.parametrize("given", ["box", "points", "both"])
def test_sam2_is_asked_as_its_processor_asks_it(
    sam2: tuple[nn.Module, Any], shape: tuple[int, int], given: str, tmp_path: Path
) -> None:
    network, processor = sam2
    pixels = as_image(np.random.default_rng(1).integers(0, 256, (*shape, 3), dtype=np.uint8))
    top, left, height, width = BOX
    asked: dict[str, Any] = {"input_boxes": [[[left, top, left + width, top + height]]]}
    prompt: dict[str, Any] = {"box": BOX}
    if given != "box":
        clicks = [[x, y] for y, x in [*POINTS, *OUTSIDE]]
        points = {"input_points": [[clicks]], "input_labels": [[[1, 1, 0]]]}
        asked = points if given == "points" else asked | points
        prompt = ({} if given == "points" else prompt) | {"points": POINTS, "outside": OUTSIDE}
    inputs = processor(images=[pixels], return_tensors="pt", **asked)
    with torch.no_grad():
        fed = {name: inputs[name] for name in ("pixel_values", *asked)}
        masks = network(**fed, multimask_output=False).pred_masks
    expected = processor.post_process_masks(masks, inputs["original_sizes"], binarize=False)[0][0]
    assert expected.std() > 1e-3
    found = pdcr.segmenter(network, scale=1 / 255, mean=MEAN, std=STD, **prompt)
    assert_close(found.scores(pixels[None])[0], expected, atol=1e-4, rtol=1e-3)
    network.save_pretrained(tmp_path)
    processor.save_pretrained(tmp_path)
    loaded = pdcr.segmenter(tmp_path, **prompt)
    assert_close(loaded.scores(pixels[None])[0], expected, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize(
    "prompt", [{}, {"outside": OUTSIDE}, {"box": (1, 2, 3)}, {"points": [(1, 2, 3)]}]
)
def test_prompts_that_cannot_be(sam: nn.Module, prompt: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"box.*\(top, left, height, width\)"):
        pdcr.segmenter(sam, **prompt)


def test_networks_are_adapted_from_memory(transformers: Any) -> None:
    backbone = transformers.SwinConfig(
        image_size=64, embed_dim=8, depths=[1, 1, 1, 1], num_heads=[1, 1, 1, 1], window_size=2,
        out_features=["stage1", "stage2", "stage3", "stage4"],
    )  # fmt: skip
    decoder = transformers.DetrConfig(
        d_model=32, decoder_layers=1, decoder_attention_heads=2, decoder_ffn_dim=16, num_queries=4
    )
    config = transformers.MaskFormerConfig(
        backbone_config=backbone, decoder_config=decoder, fpn_feature_size=32,
        mask_feature_size=32, num_labels=3,
    )  # fmt: skip
    network = transformers.MaskFormerForInstanceSegmentation(config).eval()
    image = torch.rand(3, 64, 64, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        answer = network(image[None])
    queries = answer.class_queries_logits.softmax(-1)[0, :, :-1]
    masks = answer.masks_queries_logits.sigmoid()[0]
    by_hand = torch.einsum("qc,qhw->chw", queries, masks).clamp(max=1)
    scores = pdcr.segmenter(network).scores(image[None])[0]
    assert scores.shape == (3, 64, 64)
    assert_close(scores.mean((1, 2)), by_hand.mean((1, 2)), atol=1e-3, rtol=1e-3)


def test_a_folder_of_a_class_that_is_not_there(tmp_path: Path) -> None:
    kind = {"architectures": ["TomorrowForSemanticSegmentation"]}
    (tmp_path / "config.json").write_text(json.dumps(kind))
    with pytest.raises(ValueError, match="which transformers"):
        pdcr.load_model(tmp_path)
