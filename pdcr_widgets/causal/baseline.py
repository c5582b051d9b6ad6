"""What an intervention puts in place of a patch: distributions of content."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from pdcr_widgets.causal.arrays import as_tensor
from pdcr_widgets.causal.bank import PatchBank
from pdcr_widgets.causal.boxes import boxes
from pdcr_widgets.causal.moving import sent

UNBOUNDED = 2**62


@dataclass(frozen=True)
class Baseline:
    """A distribution of content for a patch.

    Parameters
    ----------
    name
        A key of `BASELINES`.
    choices
        How many contents there are to draw from: 1 is deterministic, ``UNBOUNDED`` a continuum.
    content
        ``(starts (n, d), choice (n,)) -> (n, channels, *patch)``: the content number ``choice``
        for the patch whose first pixel is ``starts``.
    bank
        The patches, where the content comes from a bank.
    details
        What a recipe needs besides the name: the values, or the bank's digest.
    """

    name: str
    choices: int
    content: Callable[[np.ndarray, np.ndarray], Tensor]
    bank: PatchBank | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def deterministic(self) -> bool:
        """Whether every draw is the same, so that one evaluation is exact."""
        return self.choices == 1


def constant(image: Tensor, size: Sequence[int], value: Any = 0.0) -> Baseline:
    """One value, or one per channel, in the image's own units."""
    values = torch.as_tensor(value, dtype=image.dtype, device=image.device).flatten()
    if values.numel() not in (1, image.shape[0]):
        raise ValueError(
            f"a constant baseline needs one value or one per channel ({image.shape[0]}), "
            f"got {values.numel()}"
        )
    if not bool(torch.isfinite(values).all()):
        raise ValueError(
            f"a constant baseline must be finite in the model's units, got "
            f"{torch.as_tensor(value).tolist()}"
        )
    given = torch.as_tensor(value).flatten().tolist()
    return _fixed("constant", image, size, values, {"baseline_value": given})


def zero(image: Tensor, size: Sequence[int]) -> Baseline:
    """Zero in the image's own units, the ablation of the paper."""
    return _fixed("zero", image, size, image.new_zeros(1))


def mean(image: Tensor, size: Sequence[int]) -> Baseline:
    """The image's mean, each channel its own."""
    return _fixed("mean", image, size, image.flatten(1).mean(dim=1))


def blur(image: Tensor, size: Sequence[int]) -> Baseline:
    """The image itself, blurred by a Gaussian whose standard deviation is the patch's side."""
    blurred = gaussian_blur(image, float(max(size)))

    def content(starts: np.ndarray, choice: np.ndarray) -> Tensor:
        del choice
        return boxes(blurred, starts, size)

    return Baseline("blur", 1, content)


def noise(image: Tensor, size: Sequence[int]) -> Baseline:
    """White Gaussian noise with the image's mean and standard deviation, each channel its own."""
    flat = image.flatten(1).double().cpu()
    shape = (image.shape[0], *size)
    centre = flat.mean(dim=1).reshape(-1, *[1] * len(size))
    spread = flat.std(dim=1, correction=0).reshape(centre.shape)
    generator = torch.Generator()

    def content(starts: np.ndarray, choice: np.ndarray) -> Tensor:
        del starts
        drawn = [
            torch.randn(shape, generator=generator.manual_seed(int(c)), dtype=torch.float64)
            for c in choice
        ]
        return sent((centre + spread * torch.stack(drawn)).to(image.dtype), image.device)

    return Baseline("noise", UNBOUNDED, content)


def natural(image: Tensor, size: Sequence[int], bank: PatchBank) -> Baseline:
    """Patches of a bank, each as likely as any other."""
    patches = bank.patches
    if patches.shape[0] == 0 or patches.shape[1:] != (image.shape[0], *size):
        raise ValueError(
            f"the bank's patches are {tuple(patches.shape[1:])} (channels, *patch), this image "
            f"needs {(image.shape[0], *size)}; rebuild it, for example with "
            f"`PatchBank.from_images(images, patch_size={size[0]})`"
        )
    held = patches.to(image)
    match = bank.matching(image.shape[1:], size)

    def content(starts: np.ndarray, choice: np.ndarray) -> Tensor:
        return held.index_select(0, sent(match(starts, choice), held.device))

    details = {"bank": bank.digest(), "nearest": bank.nearest}
    return Baseline("bank", match.choices, content, bank, details)


BASELINES: dict[str, Callable[..., Baseline]] = {
    "constant": constant,
    "zero": zero,
    "mean": mean,
    "blur": blur,
    "noise": noise,
    "bank": natural,
}


def as_baseline(spec: Any, image: Tensor, size: Sequence[int]) -> Baseline:
    """Turn what a user gives into a baseline for one image and patch size.

    Parameters
    ----------
    spec
        A number or one per channel (a constant value in the image's units), ``"zero"``, ``"mean"``,
        ``"blur"``, ``"noise"``, or a `PatchBank`.
    image
        ``(channels, *spatial)``.
    size
        Patch side on each axis, pixels.

    Raises
    ------
    TypeError, ValueError
        An unknown name or type; a bank of another patch size or channel count.
    """
    if isinstance(spec, PatchBank):
        return natural(image, size, spec)
    if isinstance(spec, str):
        names = [n for n in BASELINES if n not in ("constant", "bank")]
        if spec not in names:
            raise ValueError(
                f"baseline must be a number, a PatchBank or one of {names}, got {spec!r}"
            )
        return BASELINES[spec](image, size)
    values = as_tensor(spec, "baseline")
    if values.ndim > 1:
        raise TypeError(
            f"baseline has shape {tuple(values.shape)}; wrap patches in `PatchBank(patches)`, or "
            f"give one value per channel"
        )
    return constant(image, size, values)


def gaussian_blur(image: Tensor, sigma: float) -> Tensor:
    """Blur each channel of ``(channels, *spatial)`` with reflection at the edges."""
    blurred = image[None].to(torch.float64 if image.dtype == torch.float64 else torch.float32)
    for axis in range(2, blurred.ndim):
        radius = min(math.ceil(3 * sigma), blurred.shape[axis] - 1)
        offsets = torch.arange(-radius, radius + 1, dtype=blurred.dtype, device=blurred.device)
        weights = torch.exp(-0.5 * (offsets / sigma) ** 2)
        weights = weights / weights.sum()
        line = blurred.movedim(axis, -1)
        padded = F.pad(line.flatten(0, -2)[:, None], (radius, radius), mode="reflect")
        smooth = F.conv1d(padded, weights[None, None]).reshape(line.shape)
        blurred = smooth.movedim(-1, axis)
    return blurred[0].to(image.dtype).contiguous()


def _fixed(
    name: str,
    image: Tensor,
    size: Sequence[int],
    values: Tensor,
    details: Mapping[str, Any] | None = None,
) -> Baseline:
    shape = (image.shape[0], *size)
    block = values.reshape(-1, *[1] * len(size)).expand(shape)

    def content(starts: np.ndarray, choice: np.ndarray) -> Tensor:
        del choice
        return block.expand(len(starts), *shape)

    return Baseline(name, 1, content, details=details or {})
