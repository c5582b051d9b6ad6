"""MiSuRe: the least of an image that keeps the segmentation."""

from __future__ import annotations

import itertools
import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from pdcr_widgets.causal.arrays import as_whole
from pdcr_widgets.causal.experiment import Target
from pdcr_widgets.evaluate.peers.cam import Steps
from pdcr_widgets.evaluate.peers.gradients import differentiable, gradient, predicted, scores_of

RADIUS = 3  # of the ellipse of 7 x 7 that dilates
ENOUGH = 0.9  # Dice with the original prediction at which the region suffices


def misure(
    target: Target,
    *,
    steps: int = 100,
    rate: float = 0.01,
    foreground: float = 1.0,
    background: float = 1.0,
    sparsity: float | None = None,
    smoothness: float = 0.0,
) -> Steps:
    """MiSuRe, dual loss: a mask of what the prediction in the region can be made from.

    First a sufficient region: the predicted target, dilated with an ellipse of 7 x 7 until the
    image outside it can be 0 with a Dice of 0.9 to the original prediction. Then a mask inside it,
    1 on the target and 0.5 around it at first, optimised with AdamW and clamped to 0..1: soft Dice
    losses of target and background to the original prediction, plus the mask's mean and its total
    variation.

    The method knows no region of interest. **Here prediction and losses are restricted to the
    region**, so that it answers the same question as the others. Its parameters are those of
    public implementations, which we could not compare with the paper's own. Hidden pixels become 0
    in the image's own units.

    Parameters
    ----------
    target
        What is explained.
    steps, rate
        Steps and learning rate of AdamW.
    foreground, background
        Weights of the two Dice losses.
    sparsity
        Weight of the mask's mean; None takes 0.1 times the predicted share of the region.
    smoothness
        Weight of the mask's total variation.

    References
    ----------
    Hasany, Mériaudeau, Petitjean: MiSuRe is all you need to explain your image segmentation, arXiv
    2406.12173.
    """
    steps = as_whole(steps, "steps", 1)
    original = predicted(target)
    sufficient = original
    while not bool(sufficient.all()) and _agreement(target, sufficient, original) < ENOUGH:
        yield 0, steps
        sufficient = _dilated(sufficient)
    if sparsity is None:
        sparsity = 0.1 * float(original[torch.from_numpy(target.region)].float().mean())
    weights = (foreground, background, sparsity, smoothness)
    mask = torch.where(original, 1.0, 0.5) * sufficient
    mask = mask.to(target.image.device, torch.float32)
    optimizer = torch.optim.AdamW([mask], lr=rate)
    for step in range(steps):
        yield step, steps
        mask.grad = _slope(target, mask, sufficient, original, weights)
        optimizer.step()
        with torch.no_grad():
            mask.clamp_(0, 1).mul_(sufficient)
    return mask.cpu().numpy()


def _slope(
    target: Target, mask: Tensor, sufficient: Tensor, original: Tensor, weights: tuple[float, ...]
) -> Tensor:
    """Gradient of the loss with respect to the mask."""
    foreground, background, sparsity, smoothness = weights
    seg = target.segmenter
    inside = torch.from_numpy(target.region).to(mask.device)
    with differentiable(seg):
        free = mask.detach().clone().requires_grad_()
        hidden = target.image * (free * sufficient).to(target.image.dtype)
        probability = seg.probability(scores_of(seg, hidden[None]))[0][inside].float()
        wanted = original[inside].float()
        loss = foreground * _dice_loss(probability, wanted)
        loss = loss + background * _dice_loss(1 - probability, 1 - wanted)
        loss = loss + sparsity * free.abs().mean() + smoothness * _variation(free)
        return gradient(loss, free)


def _dice_loss(probability: Tensor, wanted: Tensor) -> Tensor:
    both = (probability * wanted).sum()
    return 1 - 2 * both / (probability.sum() + wanted.sum()).clamp(min=1e-6)


def _variation(mask: Tensor) -> Tensor:
    differences = [mask.diff(dim=axis).abs().mean() for axis in range(mask.ndim)]
    return torch.stack(differences).sum()


def _agreement(target: Target, kept: Tensor, original: Tensor) -> float:
    """Dice inside the region with what is predicted when only ``kept`` is left, 0..1."""
    seg = target.segmenter
    inside = torch.from_numpy(target.region).to(kept.device)
    probability = seg((target.image * kept.to(target.image.dtype))[None])[0]
    found = inside & (probability > seg.threshold)
    return 2 * float((found & original).sum()) / float(found.sum() + original.sum())


def _dilated(mask: Tensor) -> Tensor:
    kernel = torch.from_numpy(_ellipse(mask.ndim)).to(mask.device, torch.float32)
    convolve = {2: F.conv2d, 3: F.conv3d}[mask.ndim]
    return convolve(mask.float()[None, None], kernel[None, None], padding=RADIUS)[0, 0] > 0.5


def _ellipse(axes: int) -> np.ndarray:
    """Ball of 7 pixels across whose rows have rounded half-widths, as image libraries draw it."""
    kernel = np.zeros([2 * RADIUS + 1] * axes, dtype=bool)
    offsets = range(-RADIUS, RADIUS + 1)
    for *others, last in itertools.product(offsets, repeat=axes):
        left = RADIUS**2 - sum(n * n for n in others)
        place = tuple(n + RADIUS for n in (*others, last))
        kernel[place] = left >= 0 and abs(last) <= round(math.sqrt(max(left, 0)))
    return kernel
