"""The same constant-baseline map by Captum's FeatureAblation and MONAI's OcclusionSensitivity."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from pdcr_widgets import ate_map, segmenter
from tests.bench import clock
from tests.bench.clock import peak_of, seconds, table
from tests.bench.models import own_unet, problem


class Score(nn.Module):
    """Dice inside the region, points, as a scalar per image."""

    def __init__(self, model: nn.Module, truth: np.ndarray, region: np.ndarray) -> None:
        super().__init__()
        self.model = model
        self.register_buffer("truth", torch.from_numpy(truth & region))
        self.register_buffer("region", torch.from_numpy(region))

    def forward(self, images: Tensor) -> Tensor:
        predicted = (torch.sigmoid(self.model(images))[:, 0] > 0.5) & self.region
        both = (predicted & self.truth).sum(dim=(1, 2))
        return 200.0 * both / (predicted.sum(dim=(1, 2)) + self.truth.sum())


def run() -> None:
    """Print seconds for one map, and how many times longer the others take."""
    model = own_unet()
    image, truth, region, _ = problem()
    score = clock.on_device(Score(model, truth, region).eval())
    placed = image.to(clock.device)
    wrapped = segmenter(model, 0, "sigmoid")
    options = {"baseline": 0.0, "threshold": 0.0}
    ate_map(wrapped, image, region, truth, **options)
    works: dict[str, Callable[[], np.ndarray]] = {
        "ours": lambda: ate_map(wrapped, image, region, truth, **options).effect,
        "Captum": lambda: _captum(score, placed),
        "MONAI": lambda: _monai(score, placed),
    }
    taken, maps, memory = {}, {}, {}
    for name, work in works.items():

        def both(name: str = name, work: Callable[[], np.ndarray] = work) -> None:
            taken[name] = seconds(lambda: maps.update({name: work()}))

        memory[name] = peak_of(both)
    rows = []
    for name, label in {
        "ours": "ours",
        "Captum": "Captum FeatureAblation, perturbations_per_eval=16",
        "MONAI": "MONAI OcclusionSensitivity, n_batch=16",
    }.items():
        off = float(np.nanmax(np.abs(maps[name] - maps["ours"])))
        ratio = taken[name] / taken["ours"]
        rows.append(
            [label, f"{taken[name]:.2f}", f"**{ratio:.1f}x**", f"{off:.1e}", f"{memory[name]:.0f}"]
        )
    table(
        "One map with baseline 0, BatchNorm U-Net, 256 x 256, patch 8",
        ["by", "s", "time against ours", "largest difference, points", "peak MiB"],
        rows,
    )


def _captum(score: Score, image: Tensor) -> np.ndarray:
    from captum.attr import FeatureAblation

    rows = torch.arange(256, device=image.device) // 8
    patches = rows[:, None] * 32 + rows[None]
    with torch.no_grad():
        result = FeatureAblation(score).attribute(
            image[None], baselines=0.0, feature_mask=patches[None, None], perturbations_per_eval=16
        )
    return -result[0, 0, ::8, ::8].cpu().numpy()


def _monai(score: Score, image: Tensor) -> np.ndarray:
    from monai.visualize import OcclusionSensitivity

    class TwoClasses(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            return score(images)[:, None].repeat(1, 2)

    occlusion = OcclusionSensitivity(
        TwoClasses(),
        mask_size=8,
        n_batch=16,
        overlap=0.0,
        mode=0.0,
        verbose=False,
        activate=False,
    )
    with torch.no_grad():
        result, _ = occlusion(image[None])
        base = float(score(image[None])[0])
    return (result[0, 0, ::8, ::8].cpu() - base).numpy()


if __name__ == "__main__":
    run()
