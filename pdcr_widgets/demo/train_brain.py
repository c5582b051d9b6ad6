"""Train the network of the brain case: ``python -m pdcr_widgets.demo.train_brain``.

Neighbouring slices of one head are nearly the same image, so nothing is validated on neighbours.
A block of eight slices is held out with a margin of three more slices on each side, for each of the
four blocks that hold ventricle. The network that is shipped is the one that never saw the block of
the shown slice. With ``--validate`` the other three are trained too, and one that learns from the
left hemisphere alone and is tested on the right one. The template is exactly mirror symmetric, so
that the right hemisphere is nothing new to a network that learns from mirrored images: it is tested
on the right hemisphere of the held-out block, which it never saw in either form.
"""

from __future__ import annotations

import argparse
import platform
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pdcr_widgets.demo.augment import Warp, relight
from pdcr_widgets.demo.brain import HELD_OUT, MARGIN
from pdcr_widgets.demo.checkpoint import save_unet
from pdcr_widgets.demo.template import COLUMNS, ROWS, Z_ORIGIN, AxialStack, axial_stack
from pdcr_widgets.demo.training import (
    Batch,
    best_band,
    dice,
    fit,
    overlap_loss,
    predict,
    seeded_unet,
)
from pdcr_widgets.demo.unet import UNet

BLOCKS = (range(69, 77), range(77, 85), range(85, 93), range(93, 101))
USED = range(30, 140)
NETWORK = {"in_channels": 1, "out_channels": 1, "base": 16, "levels": 4, "norm": "batch"}
STEPS, SEED = 700, 0
WITH_VENTRICLE, ANY = 5, 3


@dataclass
class Crops:
    """Random, changed crops of the training slices.

    Attributes
    ----------
    stack
        Slices and truth.
    slices
        Numbers of the slices that may be learnt from.
    left_only
        Learn from the left hemisphere (the right half of the picture) alone.
    """

    stack: AxialStack
    slices: list[int]
    left_only: bool = False

    def __post_init__(self) -> None:
        self.rng = torch.Generator().manual_seed(SEED)
        weight = np.ones_like(self.stack.truth)
        if self.left_only:
            weight[..., : COLUMNS // 2] = False
        layers = (self.stack.images, self.stack.truth, weight)
        self.layers = torch.stack([torch.as_tensor(x).float() for x in layers], dim=1)
        self.filled = [z for z in self.slices if self.stack.truth[z].any()]
        self.warp = Warp()

    def __call__(self) -> Batch:
        """Draw one batch: images, truth and weight, each (8, 1, 128, 128)."""
        picks = self._pick(self.filled, WITH_VENTRICLE) + self._pick(self.slices, ANY)
        jitter = 2 * torch.rand(len(picks), 2, generator=self.rng) - 1
        centres = torch.tensor([ROWS / 2, COLUMNS / 2]) + torch.tensor([35.0, 25.0]) * jitter
        crops = self.warp(self.layers[picks], centres, self.rng)
        images, truth, weight = torch.split(crops, 1, dim=1)
        return relight(images, self.rng), (truth > 0.5).float(), (weight > 0.5).float()

    def _pick(self, pool: list[int], count: int) -> list[int]:
        return [pool[i] for i in torch.randint(len(pool), (count,), generator=self.rng).tolist()]


def outside(block: range) -> list[int]:
    """Slices that may be learnt from when ``block`` is held out."""
    held = range(block.start - MARGIN, block.stop + MARGIN)
    return [z for z in USED if z not in held]


def train(crops: Crops, steps: int) -> UNet:
    """Train one network from a fixed seed."""
    model = seeded_unet(SEED, NETWORK)

    def loss_of_a_batch() -> Tensor:
        images, truth, weight = crops()
        return overlap_loss(model(images), truth, weight)

    fit(model, loss_of_a_batch, steps, log=print)
    return model


def block_figures(model: UNet, stack: AxialStack, block: range) -> dict[str, Any]:
    """Dice on held-out slices, pooled and per slice, beside the best band fitted on them."""
    at = slice(block.start, block.stop)
    found, truth = predict(model, stack.images[at, None]), stack.truth[at]
    low, high, band = best_band(stack.images[at], truth)
    return {
        "z_mm": [block[0] - Z_ORIGIN, block[-1] - Z_ORIGIN],
        "dice": round(dice(found, truth), 4),
        "dice_per_slice": [round(dice(*pair), 3) for pair in zip(found, truth, strict=True)],
        "intensity_band": [round(low, 2), round(high, 2)],
        "intensity_band_dice": round(band, 4),
    }


def hemisphere_figures(model: UNet, stack: AxialStack) -> dict[str, Any]:
    """Dice on the right hemisphere of the held-out block; the network learnt from neither."""
    at, right = slice(HELD_OUT.start, HELD_OUT.stop), slice(0, COLUMNS // 2)
    found, truth = predict(model, stack.images[at, None])[..., right], stack.truth[at, :, right]
    band = best_band(stack.images[at, :, right], truth)[2]
    return {
        "trained_on": "left hemisphere outside the block and its margin, mirrored half of the time",
        "tested_on": "right hemisphere of the block",
        "dice": round(dice(found, truth), 4),
        "intensity_band_dice": round(band, 4),
    }


def validate(stack: AxialStack, steps: int) -> dict[str, Any]:
    """Train and measure the networks that are not shipped."""
    blocks = [block for block in BLOCKS if block != HELD_OUT]
    figures = [block_figures(train(Crops(stack, outside(b)), steps), stack, b) for b in blocks]
    half = train(Crops(stack, outside(HELD_OUT), left_only=True), steps)
    return {"other_blocks": figures, "hemisphere": hemisphere_figures(half, stack)}


def main() -> None:
    """Train, measure, and write weights and card."""
    parser = argparse.ArgumentParser(description=__doc__, prog="train_brain")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--validate", action="store_true", help="train the other folds too")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "weights")
    options = parser.parse_args()
    torch.set_num_threads(2)
    torch.use_deterministic_algorithms(True)
    stack, began = axial_stack(), time.monotonic()
    model = train(Crops(stack, outside(HELD_OUT)), options.steps)
    card = {
        "network": NETWORK,
        "parameters": sum(weight.numel() for weight in model.parameters()),
        "training": {
            "command": "python -m pdcr_widgets.demo.train_brain --validate",
            "steps": options.steps,
            "seed": SEED,
            "margin_mm": MARGIN,
            "seconds": round(time.monotonic() - began),
            "threads": torch.get_num_threads(),
            "versions": {"python": platform.python_version(), "torch": torch.__version__},
        },
    }
    save_unet(model, card, "brain", options.out)
    card["held_out"] = block_figures(model, stack, HELD_OUT)
    if options.validate:
        card["validation"] = validate(stack, options.steps)
    save_unet(model, card, "brain", options.out)
    print(card)


if __name__ == "__main__":
    main()
