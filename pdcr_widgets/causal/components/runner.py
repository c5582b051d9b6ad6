"""Runs a network with one component's output replaced."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import torch
from torch import Tensor

from pdcr_widgets.causal.components.edits import Edit, edited
from pdcr_widgets.causal.components.interventions import Window
from pdcr_widgets.causal.components.sites import Site
from pdcr_widgets.causal.experiment import Target
from pdcr_widgets.causal.full import (
    CPU_BATCH,
    DEVICE_BATCH,
    is_out_of_memory,
    uses_batch_statistics,
)


class Runner(Protocol):
    """Predicts inside a window after sites of a network were replaced."""

    name: str
    reason: str
    batch: int

    def window(self, site: Site) -> Window:
        """Part of the site, on every axis, whose content is asked for."""

    def probabilities(self, edits: Sequence[Edit]) -> Tensor:
        """Replace all sites at once and predict: ``n`` contents each -> ``(n, *read)`` in 0..1."""

    def each(self, edits: Sequence[Edit], whole: Tensor) -> Tensor:
        """Replace the sites, all parts of one tensor, one at a time.

        Parameters
        ----------
        edits
            Sites with ``n_i`` contents each.
        whole
            What the tensor is for the image, without the batch axis.

        Returns
        -------
        Tensor
            ``(sum of n_i, *read)`` in 0..1.
        """


class HookRunner:
    """One whole forward pass per intervention, in batches, through a forward hook.

    Parameters
    ----------
    target
        What is measured.
    read
        Slices of the spatial axes that are read.
    batch
        Interventions per forward pass; None takes 4 on a CPU and 64 on an accelerator. Halved for
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

    def window(self, site: Site) -> Window:
        """Everything: whole outputs are replaced."""
        return everywhere(site)

    def probabilities(self, edits: Sequence[Edit]) -> Tensor:
        """Replace all sites at once and predict: ``n`` contents each -> ``(n, *read)`` in 0..1."""
        total = len(edits[0][1])
        parts = []
        done = 0
        while done < total:
            part = [(site, content[done : done + self.batch]) for site, content in edits]
            try:
                predicted, _ = edited(self._target.segmenter, self._target.image, part)
            except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
                if not is_out_of_memory(error) or self.batch == 1:
                    raise
                self.batch = max(1, self.batch // 2)
                continue
            parts.append(predicted[(slice(None), *self._read)].clone())
            done += len(predicted)
        return torch.cat(parts)

    def each(self, edits: Sequence[Edit], whole: Tensor) -> Tensor:
        """Replace the sites, all parts of one tensor, one at a time."""
        found = []
        for part in batches(edits, self.batch):
            found.append(self.probabilities([(part[0][0].entire(), spread(part, whole))]))
        return torch.cat(found)


def everywhere(site: Site) -> Window:
    """All of a site."""
    return tuple(slice(0, n) for n in site.shape)


def batches(edits: Sequence[Edit], size: int) -> Iterator[list[Edit]]:
    """Split edits so that each list has at most ``size`` contents, and at least one edit."""
    held: list[Edit] = []
    for edit in edits:
        if held and sum(len(content) for _, content in (*held, edit)) > size:
            yield held
            held = []
        held.append(edit)
    if held:
        yield held


def spread(edits: Sequence[Edit], whole: Tensor) -> Tensor:
    """Give one copy of the whole tensor per content, each with its site replaced."""
    copies = [site.put(whole.expand(len(c), *whole.shape), c) for site, c in edits]
    return torch.cat(copies)
