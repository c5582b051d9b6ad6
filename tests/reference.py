"""The loops of the paper, written to be read: one image at a time, nothing clever.

Jiang et al., PdCR, arXiv 2602.20511. Shares no code with the package: it is what the package must
agree with. It takes any boolean region and crops the last row and column of patches to the image;
the original takes a box and leaves a rest out.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

Predict = Callable[[np.ndarray], np.ndarray]
Choose = Callable[[int, int, int], int]

SCREENING = 3
REFINEMENT = 50
THRESHOLD = 0.02


def predictor(model: torch.nn.Module) -> Predict:
    """A binary model as a function ``(C, H, W) -> (H, W)`` bool: sigmoid of its logits above .5."""

    def predict(image: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            logits = model(torch.from_numpy(image.copy())[None])[0, 0]
        return (torch.sigmoid(logits) > 0.5).numpy()

    return predict


def dice(predicted: np.ndarray, truth: np.ndarray, region: np.ndarray) -> float:
    """Dice inside the region, 0..100; 0 where both are empty."""
    p, g = predicted[region], truth[region]
    return 200.0 * np.sum(p & g) / (np.sum(p) + np.sum(g) + 1e-10)


def paste(image: np.ndarray, top: int, left: int, patch: np.ndarray) -> np.ndarray:
    """A copy of the image with the patch in it, cropped where it leaves the image."""
    copy = image.copy()
    height = min(patch.shape[1], image.shape[1] - top)
    width = min(patch.shape[2], image.shape[2] - left)
    copy[:, top : top + height, left : left + width] = patch[:, :height, :width]
    return copy


def random_choices(seed: int, count: int) -> Choose:
    """Patches drawn with replacement, every call a fresh one."""
    rng = np.random.default_rng(seed)
    return lambda row, col, sample: int(rng.integers(count))


def paper_map(
    predict: Predict,
    image: np.ndarray,
    region: np.ndarray,
    truth: np.ndarray,
    bank: np.ndarray,
    patch_size: int,
    choose: Choose,
    *,
    screening: int = SCREENING,
    refinement: int = REFINEMENT,
    threshold: float = THRESHOLD,
) -> np.ndarray:
    """Effect of each patch on Dice in the region, points; NaN where a patch touches the region.

    ``choose(row, col, sample)`` gives the bank patch of a draw: samples 0..S-1 screen, the N that
    follow refine.
    """
    height, width = image.shape[1:]
    rows, cols = -(-height // patch_size), -(-width // patch_size)
    original = dice(predict(image), truth, region)

    def change(row: int, col: int, sample: int) -> float:
        patch = bank[choose(row, col, sample)]
        intervened = paste(image, row * patch_size, col * patch_size, patch)
        return dice(predict(intervened), truth, region) - original

    effects = np.full((rows, cols), np.nan)
    for row in range(rows):
        for col in range(cols):
            below = slice(row * patch_size, (row + 1) * patch_size)
            right = slice(col * patch_size, (col + 1) * patch_size)
            if region[below, right].any():
                continue
            screened = [change(row, col, sample) for sample in range(screening)]
            if all(abs(c) < threshold for c in screened):
                effects[row, col] = 0
                continue
            fresh = range(screening, screening + refinement)
            mean = float(np.mean([change(row, col, sample) for sample in fresh]))
            effects[row, col] = 0 if abs(mean) < threshold else mean
    return effects
