"""Components of networks that others wrote: found by structure, replaced, and left as they were."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pdcr_widgets.causal.components import Component, components, layer_effects

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning"),
    pytest.mark.usefixtures("torchvision"),
]
REGION = (20, 24, 16, 12)


def monai(name: str, *args: object, **options: object) -> Callable[[], nn.Module]:
    return lambda: getattr(importlib.import_module("monai.networks.nets"), name)(*args, **options)


def smp(name: str, encoder: str, **options: object) -> Callable[[], nn.Module]:
    library = "segmentation_models_pytorch"
    return lambda: getattr(importlib.import_module(library), name)(
        encoder, encoder_weights=None, in_channels=1, **options
    )


def torchvision(name: str) -> Callable[[], nn.Module]:
    library = "torchvision.models.segmentation"
    options = {"weights": None, "weights_backbone": None, "num_classes": 2}
    return lambda: getattr(importlib.import_module(library), name)(**options)


class Upscaled(nn.Module):
    """SegFormer of transformers, its quarter-size scores brought to the image's size."""

    def __init__(self) -> None:
        super().__init__()
        library = importlib.import_module("transformers")
        self.net = library.SegformerForSemanticSegmentation(
            library.SegformerConfig(
                num_labels=2, num_channels=1, depths=[1, 2, 1, 1], hidden_sizes=[8, 16, 40, 64],
                decoder_hidden_size=32,
            )
        )  # fmt: skip

    def forward(self, images: Tensor) -> Tensor:
        scores = self.net(images).logits
        return nn.functional.interpolate(scores, size=images.shape[2:], mode="bilinear")


NETWORKS: dict[str, tuple[Callable[[], nn.Module], dict[str, int]]] = {
    "MONAI UNet": (
        monai("UNet", 2, 1, 2, (8, 16, 32, 64), (2, 2, 2), num_res_units=2, norm="batch"),
        {"skip": 2, "residual": 7, "gate": 0, "head": 0},
    ),
    "MONAI AttentionUnet": (
        monai("AttentionUnet", 2, 1, 2, (8, 16, 32), (2, 2)),
        {"skip": 4, "residual": 0, "gate": 2, "head": 0},
    ),
    "Unet resnet18": (
        smp("Unet", "resnet18"), {"skip": 4, "residual": 8, "gate": 0, "head": 0},
    ),
    "Unet efficientnet-b0": (
        smp("Unet", "efficientnet-b0"), {"skip": 4, "residual": 9, "gate": 16, "head": 0},
    ),
    "UnetPlusPlus resnet18": (
        smp("UnetPlusPlus", "resnet18"), {"skip": 20, "residual": 8, "gate": 0, "head": 0},
    ),
    "DeepLabV3Plus resnet18": (
        smp("DeepLabV3Plus", "resnet18"), {"skip": 1, "residual": 8, "gate": 0, "head": 0},
    ),
    "MONAI BasicUNet": (
        monai("BasicUNet", 2, 1, 2, (8, 8, 16, 32, 64, 8)),
        {"skip": 4, "residual": 0, "gate": 0, "head": 0},
    ),
    "MONAI SegResNet, group norm": (
        monai("SegResNet", 2, 8, 1, 2), {"skip": 3, "residual": 12, "gate": 0, "head": 0},
    ),
    "MONAI UNETR": (
        monai(
            "UNETR", 1, 2, 64, feature_size=8, hidden_size=48, mlp_dim=96, num_heads=4,
            spatial_dims=2,
        ),
        {"skip": 4, "residual": 32, "gate": 0, "head": 48},
    ),
    "MONAI SwinUNETR": (
        monai("SwinUNETR", 1, 2, feature_size=12, spatial_dims=2),
        {"skip": 5, "residual": 26, "gate": 0, "head": 90},
    ),
    "FPN resnet18": (smp("FPN", "resnet18"), {"skip": 3, "residual": 8, "gate": 0, "head": 0}),
    "torchvision FCN": (
        torchvision("fcn_resnet50"), {"skip": 0, "residual": 16, "gate": 0, "head": 0},
    ),
    "torchvision DeepLabV3": (
        torchvision("deeplabv3_mobilenet_v3_large"),
        {"skip": 0, "residual": 10, "gate": 8, "head": 0},
    ),
    "SegFormer": (Upscaled, {"skip": 3, "residual": 10, "gate": 0, "head": 18}),
}  # fmt: skip


@dataclass
class Found:
    model: nn.Module
    image: Tensor
    tree: Component
    counts: dict[str, int]


@pytest.fixture(scope="module", params=NETWORKS)
def found(request: pytest.FixtureRequest, torchvision: None) -> Found:
    make, counts = NETWORKS[request.param]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = make().eval()
    channels = 3 if request.param.startswith("torchvision") else 1
    image = torch.rand(channels, 64, 64, generator=torch.Generator().manual_seed(1))
    return Found(model, image, components(model, image), counts)


def test_structure_is_found(found: Found) -> None:
    assert {kind: len(found.tree.find(kind=kind)) for kind in found.counts} == found.counts
    names = [part.name for part in found.tree.walk()]
    assert len(set(names)) == len(names)


def test_stages_cover_the_network_without_overlap(found: Found) -> None:
    stages = [part.name for part in found.tree.find(kind="stage")]
    groups = {part.group for part in found.tree.find(kind="stage")}
    assert {"encoder", "bottleneck", "decoder"} <= groups
    assert not any(a != b and b.startswith(f"{a}.") for a in stages for b in stages)
    leaves = [part.name for part in found.tree.walk() if part.kind in {"layer", "norm", "stage"}]
    ran, inside = ({id(p): p.numel() for p in parameters(found, n)} for n in (leaves, stages))
    assert sum(ran[p] for p in ran if p not in inside) < 0.05 * sum(ran.values())


def parameters(found: Found, names: list[str]) -> list[nn.Parameter]:
    return [p for name in names for p in found.model.get_submodule(name).parameters()]


def test_every_kind_of_component_can_be_replaced_and_the_model_is_as_before(found: Found) -> None:
    before = {name: value.clone() for name, value in found.model.state_dict().items()}
    hooks = attached(found.model)
    sites = [
        part.site
        for kind in (*found.counts, "stage", "norm")
        for part in found.tree.find(kind=kind)[-2:]
        if part.site is not None
    ]
    effects = layer_effects(
        found.model, found.image, REGION, layers=sites, intervention=("zero", "mean", "noise"),
        samples=2, outcome="mean_probability", engine="full",
    )  # fmt: skip
    assert np.isfinite(effects.table()).all()
    assert len(effects.layers) == len(sites)
    assert np.abs(effects.table()[:, 0]).max() > 1e-4
    torch.testing.assert_close(dict(found.model.state_dict()), before, rtol=0, atol=0)
    assert attached(found.model) == hooks


def attached(model: nn.Module) -> list[list[int]]:
    return [[*m._forward_hooks, *m._forward_pre_hooks] for m in model.modules()]


def test_incremental_and_whole_passes_agree(found: Found) -> None:
    options = {"outcome": "mean_probability", "intervention": "noise", "samples": 1}
    kinds = ("stage", "skip", "residual", "gate", "head")
    parts = [found.tree.find(kind=kind)[::-1] for kind in kinds]
    layers = [part.site for some in parts for part in some[:: len(some) // 3 + 1]]
    whole = layer_effects(found.model, found.image, REGION, layers=layers, engine="full", **options)
    windowed = layer_effects(
        found.model, found.image, REGION, layers=layers, engine="incremental", **options
    )
    assert windowed.engine == "incremental"
    np.testing.assert_allclose(whole.table(), windowed.table(), atol=1e-3, rtol=0)
