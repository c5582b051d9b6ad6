"""Methods that hide parts of the image and look at the outcome: RISE and occlusion."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from pdcr_widgets.causal.arrays import as_whole
from pdcr_widgets.causal.baseline import zero
from pdcr_widgets.causal.engines import window_engine
from pdcr_widgets.causal.experiment import Experiment, Target
from pdcr_widgets.causal.full import FullEngine
from pdcr_widgets.causal.plan import PatchGrid
from pdcr_widgets.evaluate.peers.cam import Steps

PART = 16  # squares between two chances to cancel


def rise(
    target: Target, *, masks: int = 800, side: int = 8, keep: float = 0.5, seed: int = 0
) -> Steps:
    """RISE: the mean of random masks, weighted by the outcome under each.

    ``S = sum_i g(x M_i) M_i / (N p)`` with ``g`` the outcome in the region, points. Masks are
    ``side x side`` grids of independent 0 and 1, enlarged linearly and shifted at random; a pixel
    under 0 becomes 0 in the image's own units, those of the region too. The map has a pedestal and
    noise of Monte Carlo, so only its order says something.

    Parameters
    ----------
    target
        What is explained.
    masks
        Number of masks N; 800 to 2000 are usual.
    side
        Cells of a mask on each axis.
    keep
        Probability p that a cell stays, 0..1.
    seed
        Of the masks.

    References
    ----------
    Petsiuk, Das, Saenko: RISE, BMVC 2018, arXiv 1806.07421.
    """
    masks, side = as_whole(masks, "masks", 1), as_whole(side, "side", 1)
    if not 0 < keep < 1:
        raise ValueError(f"keep is a probability between 0 and 1, got {keep}")
    image = target.image
    generator = torch.Generator().manual_seed(as_whole(seed, "seed", 0))
    engine = FullEngine(target.segmenter, image, target.window)
    total = image.new_zeros(image.shape[1:], dtype=torch.float32)
    done = 0
    while done < masks:
        yield done, masks
        number = min(engine.batch, masks - done)
        drawn = torch.stack([_mask(image, side, keep, generator) for _ in range(number)])
        drawn = drawn.to(image.device)
        corners = np.zeros((number, image.ndim - 1), dtype=int)
        seen = engine.probabilities(corners, (image * drawn[:, None]).to(image.dtype))
        weights = target.measure(seen).float()
        total += (weights.reshape(-1, *[1] * (image.ndim - 1)) * drawn).sum(dim=0)
        done += number
    return (total / (masks * keep)).cpu().numpy()


def _mask(image: Tensor, side: int, keep: float, generator: torch.Generator) -> Tensor:
    """One soft mask of the image's spatial shape, 0..1."""
    spatial = tuple(image.shape[1:])
    cells = torch.rand([side] * len(spatial), generator=generator) < keep
    steps = [-(-n // side) for n in spatial]
    whole = [(side + 1) * step for step in steps]
    mode = "bilinear" if len(spatial) == 2 else "trilinear"
    mask = F.interpolate(cells[None, None].float(), size=whole, mode=mode, align_corners=False)[
        0, 0
    ]
    for axis, (step, extent) in enumerate(zip(steps, spatial, strict=True)):
        first = int(torch.randint(step, (1,), generator=generator))
        mask = mask.narrow(axis, first, extent)
    return mask


def occlusion(target: Target, *, window: int = 8, engine: str = "auto") -> Steps:
    """Occlusion: how much the outcome falls when a square is set to 0, points.

    Squares lie side by side, those of the region too; the last ones are cropped to the image. This
    is what Captum's ``Occlusion`` gives for a model wrapped to return the outcome, with strides as
    long as the window. Positive values support the target, negative ones harm it.

    Parameters
    ----------
    target
        What is explained.
    window
        Side of a square, pixels.
    engine
        As for `pdcr_widgets.ate_map`.

    References
    ----------
    Zeiler and Fergus: Visualizing and understanding convolutional networks, ECCV 2014, arXiv
    1311.2901.
    """
    image = target.image
    spatial = tuple(image.shape[1:])
    grid = PatchGrid(spatial, window, np.zeros(spatial, dtype=bool))
    exact = window_engine(target, engine)
    experiment = Experiment(target, grid, zero(image, grid.size), exact, 0)
    cells = np.arange(int(np.prod(grid.shape)))
    falls = np.zeros(len(cells))
    done = 0
    while done < len(cells):
        yield done, len(cells)
        part = cells[done : done + PART]
        falls[part] = -experiment.effects(part, np.zeros(len(part), dtype=int))
        done += len(part)
    spread = falls.reshape(grid.shape)
    for axis, extent in enumerate(spatial):
        spread = np.repeat(spread, grid.patch_size, axis=axis)
        spread = spread[(slice(None),) * axis + (slice(0, extent),)]
    return spread
