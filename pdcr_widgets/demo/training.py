"""What the training scripts of the demo networks share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from pdcr_widgets.demo.unet import UNet

Batch = tuple[Tensor, Tensor, Tensor]


def seeded_unet(seed: int, network: Mapping[str, Any]) -> UNet:
    """Make a `UNet` with weights drawn from ``seed``; the global random state is put back."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return UNet(**network)


def fit(
    model: nn.Module,
    loss_of_a_batch: Callable[[], Tensor],
    steps: int,
    peak: float = 4e-3,
    log: Callable[[str], None] = lambda line: None,
) -> None:
    """Train with AdamW; the learning rate climbs for a tenth of the steps, then ramps down to 0.

    Parameters
    ----------
    model
        Changed in place; left in evaluation mode.
    loss_of_a_batch
        Draws a batch and gives the model's loss on it.
    steps, peak
        Number of batches and highest learning rate.
    log
        Gets a line of progress now and then.
    """
    optimizer = torch.optim.AdamW(model.parameters(), lr=peak, weight_decay=1e-3)
    ramp = torch.optim.lr_scheduler.OneCycleLR(optimizer, peak, total_steps=steps, pct_start=0.1)
    model.train()
    for step in range(1, steps + 1):
        loss = loss_of_a_batch()
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        ramp.step()
        if step % 50 == 0:
            log(f"step {step:4d} of {steps}  loss {loss.item():.4f}")
    model.eval()


def overlap_loss(logits: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    """Cross-entropy plus one minus soft Dice over the whole batch, on the weighted pixels."""
    entropy = F.binary_cross_entropy_with_logits(logits, truth, weight, reduction="sum")
    probability = logits.sigmoid() * weight
    both = (probability * truth).sum()
    total = probability.sum() + (truth * weight).sum()
    return entropy / weight.sum().clamp(min=1) + 1 - (2 * both + 1) / (total + 1)


@torch.inference_mode()
def predict(model: UNet, images: NDArray[np.float32], batch: int = 8) -> NDArray[np.bool_]:
    """Thresholded prediction: (n, channels, height, width) -> (n, height, width) bool."""
    parts = torch.split(torch.as_tensor(images), batch)
    return torch.cat([model(part)[:, 0] > 0 for part in parts]).numpy()


def dice(prediction: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """Dice over all pixels given, 0 to 1; 1 when both are empty."""
    total = int(prediction.sum()) + int(truth.sum())
    return 2 * int((prediction & truth).sum()) / total if total else 1.0


def best_band(
    images: NDArray[np.float32], truth: NDArray[np.bool_], bins: int = 100
) -> tuple[float, float, float]:
    """Find the intensity band ``low <= value < high`` with the highest Dice, on these very pixels.

    Returns
    -------
    low, high, dice : float
        The band, in the images' units (0 to 1), and its Dice, 0 to 1.
    """
    edges = np.linspace(0, 1 + 1e-6, bins + 1)
    inside = np.concatenate([[0], np.histogram(images[truth], edges)[0].cumsum()])
    everywhere = np.concatenate([[0], np.histogram(images, edges)[0].cumsum()])
    low, high = np.triu_indices(bins + 1, 1)
    hits, marked = inside[high] - inside[low], everywhere[high] - everywhere[low]
    scores = 2 * hits / (marked + truth.sum())
    best = int(scores.argmax())
    return float(edges[low[best]]), float(edges[high[best]]), float(scores[best])
