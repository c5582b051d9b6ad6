"""What a component's output is replaced by: the meaning of "removing" it.

No single replacement is neutral. Zero is far from what later layers were trained on and also
removes the layer's constant part; the spatial mean keeps that part and removes the pattern; noise
keeps both moments and destroys the arrangement; another image's activation stays on the data's own
manifold but brings that image's content along. Effects that agree between kinds belong to the
component, effects that do not belong to the replacement as well. So show several.

References
----------
.. [1] Hooker et al., A Benchmark for Interpretability Methods in Deep Neural Networks, NeurIPS 2019
   (removal takes inputs off the training distribution), arXiv:1806.10758.
.. [2] Chan et al., Causal Scrubbing, 2022, and Zhang and Nanda, Towards Best Practices of
   Activation Patching in Language Models, ICLR 2024, arXiv:2309.16042 (zero, mean, noise and
   resampling ablations give different answers).
.. [3] Li and Janson, Optimal Ablation for Interpretability, NeurIPS 2024, arXiv:2409.09951.
.. [4] Geiger et al., Causal Abstractions of Neural Networks, NeurIPS 2021, arXiv:2106.02997
   (interchange interventions).
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
import torch
from torch import Tensor

TILE = 32

Window = tuple[slice, ...]


@dataclass(frozen=True)
class Source:
    """What an intervention may look at to make its content.

    Attributes
    ----------
    values : Tensor
        What the component gave for the image, without the batch axis.
    channel : int
        Axis of ``values`` that holds the channels; the others are positions.
    window : tuple of slice
        Part of ``values``, on every axis, that is wanted.
    key : tuple of int
        Seed and component; with the number of the draw it fixes every random value.
    donors : callable or None
        Draw numbers -> donor activations ``(draws, *window)``.
    dataset_mean : Tensor or None
        Mean over donors and positions, broadcastable to ``values``.
    area : Tensor or None
        Booleans broadcastable to ``values``: where the content is put; elsewhere the original
        stays. None: everywhere.
    """

    values: Tensor
    channel: int
    window: Window
    key: tuple[int, ...]
    donors: Callable[[Sequence[int]], Tensor] | None = None
    dataset_mean: Tensor | None = None
    area: Tensor | None = None

    @cached_property
    def mean(self) -> Tensor:
        """Mean over positions, of size 1 on them; over channels where there is one position."""
        return self._over_positions(lambda x, dims: x.mean(dims, keepdim=True))

    @cached_property
    def std(self) -> Tensor:
        """Standard deviation over the same axes as the mean."""
        return self._over_positions(lambda x, dims: x.std(dims, correction=0, keepdim=True))

    def _over_positions(self, statistic: Callable[[Tensor, list[int]], Tensor]) -> Tensor:
        dims = [axis for axis in range(self.values.ndim) if axis != self.channel]
        if all(self.values.shape[axis] == 1 for axis in dims):
            dims = list(range(self.values.ndim))
        return statistic(self.values.float(), dims).to(self.values.dtype)

    def fill(self, values: Tensor) -> Tensor:
        """Spread values of size 1 on the positions over the window, as a batch of one."""
        return self.cut(values).expand(self.values[self.window].shape)[None]

    def cut(self, values: Tensor) -> Tensor:
        """Cut the window out of something broadcastable to the original."""
        parts = zip(values.shape, self.window, strict=True)
        return values[tuple(part if n > 1 else slice(None) for n, part in parts)]


@dataclass(frozen=True)
class Intervention:
    """A kind of replacement.

    Attributes
    ----------
    content : callable
        ``(source, draws) -> (len(draws) or 1, *window)``, the replacement for each numbered draw.
    random : bool
        Whether draws differ. One draw is exact where they do not, and its standard error 0.
    needs_donors : bool
        Whether donor images must be given.
    """

    content: Callable[[Source, Sequence[int]], Tensor]
    random: bool = False
    needs_donors: bool = False

    def __call__(self, source: Source, draws: Sequence[int]) -> Tensor:
        """Content for numbered draws, ``(len(draws), *window)``."""
        content = self.content(source, draws)
        if source.area is not None:
            content = torch.where(source.cut(source.area), content, source.values[source.window])
        return content.expand(len(draws), *content.shape[1:])


def zero(source: Source, draws: Sequence[int]) -> Tensor:
    """Nothing: 0 everywhere."""
    return torch.zeros_like(source.values[source.window])[None]


def mean(source: Source, draws: Sequence[int]) -> Tensor:
    """Each channel's mean over positions, for this image.

    Where there is a single position (a squeeze-and-excite gate) the mean over channels.
    """
    return source.fill(source.mean)


def noise(source: Source, draws: Sequence[int]) -> Tensor:
    """Gaussian noise with each channel's mean and variance, independent at every position."""
    fields = torch.stack([_normal_field(source, draw) for draw in draws])
    return torch.addcmul(source.fill(source.mean), fields, source.fill(source.std))


def dataset_mean(source: Source, draws: Sequence[int]) -> Tensor:
    """Each channel's mean over donor images and positions."""
    if source.dataset_mean is None:
        raise ValueError("intervention 'dataset_mean' needs donor images; give `donors=`")
    return source.fill(source.dataset_mean)


def donor(source: Source, draws: Sequence[int]) -> Tensor:
    """What the component gives for a donor image (interchange)."""
    if source.donors is None:
        raise ValueError("intervention 'donor' needs donor images; give `donors=`")
    return source.donors(draws)


def scale(factor: float) -> Intervention:
    """Give the intervention that multiplies the output by ``factor`` (1 changes nothing)."""

    def scaled(source: Source, draws: Sequence[int]) -> Tensor:
        return (source.values[source.window] * factor)[None]

    return Intervention(scaled)


INTERVENTIONS: dict[str, Intervention] = {
    "mean": Intervention(mean),
    "zero": Intervention(zero),
    "noise": Intervention(noise, random=True),
    "dataset_mean": Intervention(dataset_mean, needs_donors=True),
    "donor": Intervention(donor, random=True, needs_donors=True),
}

DEFAULT_KINDS = ("mean", "zero", "noise")


def component_key(seed: int, name: str) -> tuple[int, int]:
    """Key the random values of a component by its name, so that no order matters."""
    return seed, zlib.crc32(name.encode())


def _normal_field(source: Source, draw: int) -> Tensor:
    """Standard normal values in the window, drawn in tiles so that a window draws what it reads."""
    shape = source.values.shape
    sizes = [n if axis == source.channel else min(n, TILE) for axis, n in enumerate(shape)]
    parts = [part.indices(n)[:2] for part, n in zip(source.window, shape, strict=True)]
    tiles = [range(a // n, -(-b // n)) for (a, b), n in zip(parts, sizes, strict=True)]
    field = torch.empty([len(t) * n for t, n in zip(tiles, sizes, strict=True)])
    for tile in product(*tiles):
        place = tuple(
            slice((t - first.start) * n, (t - first.start + 1) * n)
            for t, first, n in zip(tile, tiles, sizes, strict=True)
        )
        field[place] = torch.randn(sizes, generator=generator((*source.key, draw, *tile)))
    cut = tuple(
        slice(a - t.start * n, b - t.start * n)
        for (a, b), t, n in zip(parts, tiles, sizes, strict=True)
    )
    return field[cut].to(source.values.device, source.values.dtype)


def generator(key: Sequence[int]) -> torch.Generator:
    """A CPU generator that depends on the whole key and on nothing else."""
    seed = np.random.SeedSequence([int(k) for k in key]).generate_state(1, np.uint64)[0]
    return torch.Generator().manual_seed(int(seed >> np.uint64(1)))
