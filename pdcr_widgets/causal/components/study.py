"""Which draws of which interventions are evaluated, and what they add up to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from pdcr_widgets.causal.components.interventions import (
    Intervention,
    Source,
    component_key,
    generator,
)
from pdcr_widgets.causal.components.layer_results import (
    LayerEffect,
    LayerEffects,
    LayerEffectUpdate,
)
from pdcr_widgets.causal.components.observe import Observed, record, torch_module
from pdcr_widgets.causal.components.preserve import preserved
from pdcr_widgets.causal.components.runner import Donors, Runner
from pdcr_widgets.causal.components.where import mask_at
from pdcr_widgets.causal.experiment import Target
from pdcr_widgets.causal.outcome import Outcome


@dataclass
class Study:
    """One question about a network's layers, and the answers so far."""

    target: Target
    layers: list[Observed]
    groups: Mapping[str, str]
    kinds: Mapping[str, Intervention]
    donors: Donors | None
    samples: int
    seed: int
    area: np.ndarray | None = None
    rest: Outcome | None = None
    runner: Runner = field(init=False)
    found: dict[tuple[str, str], list[tuple[float, float]]] = field(default_factory=dict)

    def read(self, everything: bool) -> tuple[slice, ...]:
        """Slices of the prediction that are looked at."""
        return (
            tuple(slice(0, n) for n in self.target.region.shape)
            if everything
            else self.target.window
        )

    def run(self) -> Iterator[LayerEffectUpdate]:
        """Measure: first draws of all layers, then the others."""
        yield self.update("preparing")
        segmenter, names = self.target.segmenter, [o.name for o in self.layers]
        with preserved(torch_module(segmenter), self.target.image.device):
            _, kept = record(segmenter, self.target.image[None], names)
        values = {name: kept.pop(name)[0] for name in names}
        for draws in self.rounds():
            for layer in self.layers:
                jobs = [(n, d) for n in self.kinds for d in draws if d < self.draws(n)]
                if jobs:
                    self.measure(self.source(layer, values[layer.name]), layer, jobs)
                    yield self.update(layer.name)
        yield self.update("done")

    def draws(self, kind: str) -> int:
        """Number of draws of a kind."""
        if not self.kinds[kind].random:
            return 1
        if self.kinds[kind].needs_donors and self.donors is not None:
            return min(self.samples, len(self.donors))
        return self.samples

    def rounds(self) -> Iterator[range]:
        """Numbers of the draws that are made in each passage over the layers."""
        last = max(self.draws(kind) for kind in self.kinds)
        start, size = 0, 1
        while start < last:
            yield range(start, min(start + size, last))
            start, size = start + size, self.runner.batch

    def source(self, layer: Observed, values: Tensor) -> Source:
        """What interventions on this layer may use."""
        window = self.runner.window(layer)
        key = component_key(self.seed, layer.name)
        area = None if self.area is None else mask_at(self.area, layer).to(values.device)
        if self.donors is None:
            return Source(values, layer.channel, window, key, area=area)
        donors = self.donors
        order = torch.randperm(len(donors), generator=generator((self.seed, 0))).tolist()

        def activations(draws: Sequence[int]) -> Tensor:
            return donors.activations(layer, [order[d] for d in draws], window)

        wants_mean = "dataset_mean" in self.kinds
        mean = donors.mean(layer) if wants_mean else None
        return Source(values, layer.channel, window, key, activations, mean, area)

    def measure(self, source: Source, layer: Observed, jobs: Sequence[tuple[str, int]]) -> None:
        """Evaluate numbered draws of one layer and keep their effects."""
        with torch.inference_mode():
            content = torch.cat([self.kinds[name](source, [draw]) for name, draw in jobs])
            probability = self.runner.probabilities(layer, content)
            inside, rest = self.points(probability)
        if not np.isfinite(inside).all() or not bool(torch.isfinite(probability).all()):
            raise ValueError(
                f"the model returned NaN or infinite values after replacing {layer.name!r} by "
                f"{sorted({name for name, _ in jobs})}; leave that layer or kind out"
            )
        for (name, _), effect, other in zip(jobs, inside, rest, strict=True):
            self.found.setdefault((layer.name, name), []).append((float(effect), float(other)))

    def points(self, probability: Tensor) -> tuple[np.ndarray, np.ndarray]:
        """Effects inside the region and in the rest of the image, points."""
        target = self.target
        if self.rest is None:
            inside = target.measure(probability).cpu().double().numpy() - target.base
            return inside, np.full_like(inside, np.nan)
        window = probability[(slice(None), *target.window)]
        inside = target.measure(window).cpu().double().numpy() - target.base
        before = self.rest(target.probability[None])
        return inside, (self.rest(probability) - before).cpu().double().numpy()

    def update(self, stage: str) -> LayerEffectUpdate:
        """The state as a frozen result."""
        total = len(self.layers) * sum(self.draws(kind) for kind in self.kinds)
        done = sum(len(found) for found in self.found.values())
        rows = tuple(
            self.row(layer, depth, kind)
            for depth, layer in enumerate(self.layers)
            for kind in self.kinds
        )
        return LayerEffectUpdate(
            LayerEffects(
                rows, self.target.base, self.target.outcome, self.seed,
                "truth" if self.target.has_truth else "prediction",
                self.runner.name, self.runner.reason, done,
            ), done, total, stage,
        )  # fmt: skip

    def row(self, layer: Observed, depth: int, kind: str) -> LayerEffect:
        """Mean and standard error of what was found for one layer and kind."""
        found = np.array(self.found.get((layer.name, kind), [])).reshape(-1, 2)
        n = len(found)
        mean = found.mean(axis=0) if n else np.full(2, np.nan)
        if not self.kinds[kind].random and n:
            error = np.where(np.isnan(mean), np.nan, 0.0)
        else:
            error = found.std(axis=0, ddof=1) / np.sqrt(n) if n > 1 else np.full(2, np.nan)
        return LayerEffect(
            layer.name, kind, float(mean[0]), float(error[0]), n, float(mean[1]), float(error[1]),
            depth, self.groups[layer.name], layer.shape,
        )  # fmt: skip
