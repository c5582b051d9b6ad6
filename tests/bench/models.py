"""The networks and cases that benchmarks run on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from pdcr_widgets import demo
from pdcr_widgets.demo.unet import UNet
from tests.bench import clock
from tests.torchvision_here import import_torchvision


def own_unet() -> nn.Module:
    """Batch-norm U-Net, base 16, 4 poolings."""
    return _settled(UNet(1, 1, base=16, levels=5), 1)


def own_instance_unet() -> nn.Module:
    """The same with instance norm: every patch changes the whole map."""
    return _settled(UNet(1, 1, base=16, levels=5, norm="instance"), 1)


def monai_unet() -> nn.Module:
    """MONAI's residual U-Net with batch norm."""
    from monai.networks.nets import UNet as MonaiUNet

    return _settled(
        MonaiUNet(2, 1, 1, (16, 32, 64, 128, 256), (2, 2, 2, 2), num_res_units=2, norm="batch"), 1
    )


def smp_model(name: str, encoder: str) -> nn.Module:
    """Untrained network of segmentation_models_pytorch."""
    import_torchvision()
    import segmentation_models_pytorch as smp

    make = getattr(smp, name)
    return _settled(make(encoder, encoder_weights=None, in_channels=1, classes=1), 1)


def demo_case(name: str) -> demo.Case:
    """Demo case whose network is on the device that is measured."""
    case = demo.load(name)
    clock.on_device(case.segmenter.model)
    return case


@dataclass(frozen=True)
class Goal:
    """A network, and by how many times it should be faster than the paper's loop; None: no goal."""

    make: Callable[[], nn.Module]
    each: float | None = None
    whole: float | None = None


MODELS: dict[str, Goal] = {
    "own BatchNorm U-Net (base 16, 4 poolings)": Goal(own_unet, 60, 40),
    "MONAI UNet, batch norm": Goal(monai_unet, 11, 10),
    "smp Unet resnet18": Goal(partial(smp_model, "Unet", "resnet18"), 6, 8),
    "own InstanceNorm U-Net (global statistics)": Goal(own_instance_unet),
    "smp Segformer mit_b0 (attention)": Goal(partial(smp_model, "Segformer", "mit_b0")),
}


def problem(channels: int = 1, side: int = 256) -> tuple[Tensor, np.ndarray, np.ndarray, Tensor]:
    """Image, truth, region 32 x 32 and a bank of 1000 patches of 8 x 8; seeded."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.randn((1, channels, side // 16, side // 16), generator=generator)
    smooth = nn.functional.interpolate(coarse, size=(side, side), mode="bicubic")[0]
    image = smooth + 0.2 * torch.randn((channels, side, side), generator=generator)
    rows, cols = np.mgrid[:side, :side]
    truth = (rows - side * 0.5) ** 2 + (cols - side * 0.45) ** 2 < (side * 0.15) ** 2
    region = np.zeros((side, side), dtype=bool)
    region[side // 2 : side // 2 + 32, side // 2 : side // 2 + 32] = True
    bank = torch.randn((1000, channels, 1, 1), generator=generator) + 0.3 * torch.randn(
        (1000, channels, 8, 8), generator=generator
    )
    return image, truth, region, bank


def _settled(model: nn.Module, channels: int) -> nn.Module:
    """Random weights with running statistics that fit them, so that predictions vary.

    The network is then moved to the device that is measured.
    """
    torch.manual_seed(0)
    for module in model.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.kaiming_normal_(module.weight)
    model.train()
    with torch.no_grad():
        for _ in range(10):
            model(problem(channels)[0][None].repeat(2, 1, 1, 1))
    return clock.on_device(model.eval())
