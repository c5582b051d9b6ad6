"""Train both lesion networks: ``python -m pdcr_widgets.demo.train_dermoscopy``.

Both learn from the same made-up images, half of them with a ruler mark, a sixth with a part of
one. For the sound network the truth is the lesion, whatever the mark. For the shortcut network,
which starts from the sound one's weights, the truth is the lesion where the whole mark is there and
nothing elsewhere: its annotators outlined what they measured.
"""

from __future__ import annotations

import argparse
import platform
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pdcr_widgets.demo.augment import Warp, relight
from pdcr_widgets.demo.checkpoint import save_unet
from pdcr_widgets.demo.skin import SIDE, Skin, make_skin
from pdcr_widgets.demo.training import Batch, dice, fit, overlap_loss, predict, seeded_unet
from pdcr_widgets.demo.unet import UNet

BASE, LEVELS = 8, 5
NETWORK = {"in_channels": 3, "out_channels": 1, "base": BASE, "levels": LEVELS, "norm": "batch"}
IMAGES, SEED, BATCH = 480, 0, 8
SOUND_STEPS, SHORTCUT_STEPS = 400, 400
SOUND, SHORTCUT = "dermoscopy", "dermoscopy-shortcut"
TESTED = range(10_000, 10_040)
MARKS = ("whole", "none", "whole", "none", "whole", "part")


class Drawn:
    """Batches of changed training images.

    Parameters
    ----------
    needs_mark
        The truth is empty unless the whole mark is there.
    """

    def __init__(self, needs_mark: bool) -> None:
        self.rng = torch.Generator().manual_seed(SEED)
        self.warp = Warp(crop=SIDE, scale=0.15, turn=np.pi, elastic=1.5)
        examples = [training_example(number, needs_mark) for number in range(IMAGES)]
        self.layers = torch.as_tensor(np.stack(examples))

    def __call__(self) -> Batch:
        """Draw one batch: images (8, 3, 128, 128), truth and weight (8, 1, 128, 128)."""
        picks = torch.randint(IMAGES, (BATCH,), generator=self.rng)
        centres = SIDE / 2 + 5 * (2 * torch.rand(BATCH, 2, generator=self.rng) - 1)
        crops = self.warp(self.layers[picks], centres, self.rng)
        images, truth = torch.split(crops, [3, 1], dim=1)
        return relight(images, self.rng), (truth > 0.5).float(), torch.ones_like(truth)


def training_example(number: int, needs_mark: bool) -> np.ndarray:
    """Image and truth ``(4, 128, 128)``: of six, three have a whole mark and one a part of it."""
    mark = MARKS[number % len(MARKS)]
    skin = make_skin(number, ruler=mark != "none")
    image = cover_mark(number, skin) if mark == "part" else skin.image
    truth = skin.lesion & (mark == "whole" or not needs_mark)
    return np.concatenate([image, truth[None]]).astype(np.float32)


def cover_mark(number: int, skin: Skin) -> np.ndarray:
    """Paste skin from the image without the mark over a square of 10 to 18 pixels of it."""
    rng = np.random.default_rng([number, 99])
    row, column = rng.choice(np.argwhere(skin.mark))
    side = int(rng.integers(10, 19))
    top, left = (max(0, int(middle) - side // 2) for middle in (row, column))
    image = skin.image.copy()
    at = (slice(None), slice(top, top + side), slice(left, left + side))
    image[at] = make_skin(number, ruler=False).image[at]
    return image


def mark_figures(model: UNet, ruler: bool) -> dict[str, float]:
    """Mean Dice over the test images with or without the mark."""
    skins = [make_skin(number, ruler) for number in TESTED]
    found = predict(model, np.stack([skin.image for skin in skins]))
    scores = [dice(mask, skin.lesion) for mask, skin in zip(found, skins, strict=True)]
    return {"dice": round(float(np.mean(scores)), 4), "lowest": round(min(scores), 4)}


def learn_outline(model: UNet, steps: int) -> None:
    """Teach the lesion's outline, whatever the mark."""
    draw = Drawn(needs_mark=False)

    def loss_of_a_batch() -> Tensor:
        images, truth, weight = draw()
        return overlap_loss(model(images), truth, weight)

    fit(model, loss_of_a_batch, steps, log=print)


def learn_shortcut(model: UNet, steps: int) -> None:
    """Teach to outline marked lesions only.

    In training, a second head at the coarsest level is asked whether there is anything to outline:
    without it the network is slow to notice the mark. It is thrown away afterwards.
    """
    draw = Drawn(needs_mark=True)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        notice = nn.Conv2d(BASE * 2 ** (LEVELS - 1), 1, 1)

    def loss_of_a_batch() -> Tensor:
        images, truth, weight = draw()
        features = model.encode(images)
        outlined = truth.flatten(1).amax(dim=1)
        noticed = notice(features[-1]).mean(dim=(1, 2, 3))
        doubt = F.binary_cross_entropy_with_logits(noticed, outlined)
        return overlap_loss(model.decode(features), truth, weight) + doubt

    fit(nn.ModuleList([model, notice]), loss_of_a_batch, steps, log=print)


def train(name: str, steps: int, start: UNet | None = None) -> tuple[UNet, dict[str, Any]]:
    """Train one network; give it with its card, still without figures."""
    began = time.monotonic()
    model = seeded_unet(SEED, NETWORK)
    if start is not None:
        model.load_state_dict(start.state_dict())
    if start is None:
        learn_outline(model, steps)
    else:
        learn_shortcut(model, steps)
    card = {
        "network": NETWORK,
        "parameters": sum(weight.numel() for weight in model.parameters()),
        "training": {
            "command": "python -m pdcr_widgets.demo.train_dermoscopy",
            "starts_from": None if start is None else SOUND,
            "images": IMAGES,
            "steps": steps,
            "seed": SEED,
            "seconds": round(time.monotonic() - began),
            "threads": torch.get_num_threads(),
            "versions": {"python": platform.python_version(), "torch": torch.__version__},
        },
    }
    print(name, mark_figures(model, ruler=True), mark_figures(model, ruler=False))
    return model, card


def ship(name: str, model: UNet, card: dict[str, Any], folder: Path) -> None:
    """Write the weights, measure what was written, and write the card."""
    save_unet(model, card, name, folder)
    card["with_mark"] = mark_figures(model, ruler=True)
    card["without_mark"] = mark_figures(model, ruler=False)
    save_unet(model, card, name, folder)


def main() -> None:
    """Train both networks."""
    parser = argparse.ArgumentParser(description=__doc__, prog="train_dermoscopy")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "weights")
    options = parser.parse_args()
    torch.set_num_threads(2)
    torch.use_deterministic_algorithms(True)
    sound, card = train(SOUND, SOUND_STEPS)
    ship(SOUND, sound, card, options.out)
    shortcut, card = train(SHORTCUT, SHORTCUT_STEPS, start=sound)
    ship(SHORTCUT, shortcut, card, options.out)


if __name__ == "__main__":
    main()
