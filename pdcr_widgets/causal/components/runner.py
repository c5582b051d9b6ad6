"""Runs a network with one component's output replaced."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from pdcr_widgets.causal.components.interventions import Window
from pdcr_widgets.causal.components.observe import Observed, record, replaced, torch_module
from pdcr_widgets.causal.components.preserve import preserved
from pdcr_widgets.causal.experiment import Target
from pdcr_widgets.causal.full import (
    CPU_BATCH,
    DEVICE_BATCH,
    is_out_of_memory,
    uses_batch_statistics,
)


class Runner(Protocol):
    """Predicts inside a window after one component's output was replaced."""

    name: str
    reason: str
    batch: int

    def window(self, layer: Observed) -> Window:
        """Part of the layer's output, on every axis, whose content is asked for."""

    def probabilities(self, layer: Observed, content: Tensor) -> Tensor:
        """Replace and predict: ``(n, *window) -> (n, *read)`` in 0..1."""


class HookRunner:
    """One whole forward pass per intervention, in batches, through a forward hook.

    Parameters
    ----------
    target
        What is measured.
    read
        Slices of the spatial axes that are read.
    batch
        Interventions per forward pass; None takes 8 on a CPU and 64 on an accelerator. Halved for
        good when memory runs out.
    reason
        Why whole passes are used, in words.
    """

    name = "full"

    def __init__(
        self, target: Target, read: Window, batch: int | None = None, reason: str = ""
    ) -> None:
        if batch is not None and batch < 1:
            raise ValueError(f"batch must be at least 1, got {batch}")
        self._target, self._read, self.reason = target, read, reason
        on_cpu = target.image.device.type == "cpu"
        self.batch = batch or (CPU_BATCH if on_cpu else DEVICE_BATCH)
        if uses_batch_statistics(target.segmenter.model):
            self.batch = 1

    def window(self, layer: Observed) -> Window:
        """Everything: the hook replaces the whole output."""
        return tuple(slice(0, n) for n in layer.shape)

    def probabilities(self, layer: Observed, content: Tensor) -> Tensor:
        """Replace and predict: ``(n, *window) -> (n, *read)`` in 0..1."""
        parts = []
        done = 0
        while done < len(content):
            part = content[done : done + self.batch]
            try:
                with preserved(torch_module(self._target.segmenter), self._target.image.device):
                    predicted = replaced(
                        self._target.segmenter, self._target.image, layer.name, part
                    )
            except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
                if not is_out_of_memory(error) or self.batch == 1:
                    raise
                self.batch = max(1, self.batch // 2)
                continue
            parts.append(predicted[(slice(None), *self._read)].clone())
            done += len(part)
        return torch.cat(parts)


class Donors:
    """Activations of other images.

    Parameters
    ----------
    target
        Whose segmenter is run.
    images
        ``(n, channels, *spatial)``, on the segmenter's device.
    layers
        Names of the modules of interest.
    """

    def __init__(self, target: Target, images: Tensor, layers: Sequence[Observed]) -> None:
        self._target, self._images, self._layers = target, images, list(layers)
        self._means: dict[str, Tensor] = {}

    def __len__(self) -> int:
        return len(self._images)

    def activations(self, layer: Observed, picks: Sequence[int], window: Window) -> Tensor:
        """What the layer gives for donors ``picks``, ``(len(picks), *window)``."""
        parts = []
        for start in range(0, len(picks), CPU_BATCH):
            images = self._images[list(picks[start : start + CPU_BATCH])]
            kept = self._record(images, [layer.name])[layer.name]
            parts.append(kept[(slice(None), *window)].clone())
        return torch.cat(parts)

    def mean(self, layer: Observed) -> Tensor:
        """Per channel, mean over donors and positions, of size 1 on the positions."""
        if not self._means:
            self._means = self._all_means()
        return self._means[layer.name]

    def _all_means(self) -> dict[str, Tensor]:
        sums: dict[str, Tensor] = {}
        for image in self._images:
            kept = self._record(image[None], [o.name for o in self._layers])
            for layer in self._layers:
                values = kept[layer.name][0].float()
                dims = [a for a in range(values.ndim) if a != layer.channel]
                each = values.mean(dims, keepdim=True) if dims else values
                sums[layer.name] = sums.get(layer.name, 0) + each
        dtype = self._images.dtype
        return {name: (total / len(self)).to(dtype) for name, total in sums.items()}

    def _record(self, images: Tensor, names: list[str]) -> dict[str, Tensor]:
        segmenter = self._target.segmenter
        with preserved(torch_module(segmenter), images.device):
            return record(segmenter, images, names)[1]
