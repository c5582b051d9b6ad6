"""Which draws of which interventions are evaluated, and what they add up to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pdcr_widgets.causal.components.donors import Donors
from pdcr_widgets.causal.components.edits import Edit
from pdcr_widgets.causal.components.interventions import (
    Intervention,
    Source,
    Window,
    component_key,
    generator,
)
from pdcr_widgets.causal.components.layer_results import (
    LayerEffect,
    LayerEffects,
    LayerEffectUpdate,
)
from pdcr_widgets.causal.components.originals import Originals
from pdcr_widgets.causal.components.recipe import layer_recipe
from pdcr_widgets.causal.components.runner import Runner
from pdcr_widgets.causal.components.sites import Site
from pdcr_widgets.causal.components.where import mask_at
from pdcr_widgets.causal.experiment import Target
from pdcr_widgets.causal.outcome import Empty, Outcome

DONE = "done"


@dataclass
class Study:
    """Interventions on sites of one network for one target.

    Attributes
    ----------
    target
        What is measured.
    sites
        Where interventions are made.
    originals
        What they give for the image.
    runner
        How predictions are made.
    window
        Part of a site whose content is made.
    donors
        Other images, where given.
    seed
        Of every random value.
    area
        Boolean array of the image's spatial shape that interventions keep to, or None.
    rest
        Outcome in the rest of the image, where it is asked for; the runner then reads everything.
    empty, batch
        As they were asked for, to be named in a recipe.
    flow
        Which of the sites read which, see `Catalog.flow`.
    """

    target: Target
    sites: list[Site]
    originals: Originals
    runner: Runner
    window: Callable[[Site], Window]
    donors: Donors | None = None
    seed: int = 0
    area: np.ndarray | None = None
    rest: Outcome | None = None
    empty: Empty = "agree"
    batch: int | None = None
    flow: tuple[tuple[str, str], ...] = ()

    def source(self, site: Site, wants_mean: bool = False) -> Source:
        """What interventions on a site may use."""
        values = self.originals.values(site)
        window = self.window(site)
        key = component_key(self.seed, site.name)
        area = None if self.area is None else mask_at(self.area, site).to(values.device)
        if self.donors is None:
            return Source(values, site.channel, window, key, area=area)
        donors = self.donors
        order = torch.randperm(len(donors), generator=generator((self.seed, 0))).tolist()

        def activations(draws: Sequence[int]) -> Tensor:
            return donors.activations(site, [order[d] for d in draws])

        mean = donors.mean(site) if wants_mean else None
        return Source(values, site.channel, window, key, activations, mean, area)

    def effects(self, edits: Sequence[Edit], what: str, apart: bool = False) -> np.ndarray:
        """Effects of interventions on all sites of ``edits`` at once, or on one at a time.

        Parameters
        ----------
        edits
            Sites with ``n`` contents each; with ``apart`` parts of one tensor, with any number.
        what
            What is replaced, for errors.
        apart
            Whether each edit is an intervention of its own.

        Returns
        -------
        ndarray
            ``(n, 2)`` float64 points: inside the region, and in the rest of the image (NaN where
            it is not asked for).
        """
        with torch.inference_mode():
            if apart:
                probability = self.runner.each(edits, self.originals.whole(edits[0][0]))
            else:
                probability = self.runner.probabilities(edits)
            if not bool(torch.isfinite(probability).all()):
                raise ValueError(
                    f"the model returned NaN or infinite values after replacing {what}; leave that "
                    f"layer or kind out"
                )
            return self._points(probability)

    def _points(self, probability: Tensor) -> np.ndarray:
        target = self.target
        if self.rest is None:
            inside = target.measure(probability).cpu().double().numpy() - target.base
            return np.stack([inside, np.full_like(inside, np.nan)], axis=1)
        window = probability[(slice(None), *target.window)]
        inside = target.measure(window).cpu().double().numpy() - target.base
        change = self.rest(probability) - self.rest(target.probability[None])
        return np.stack([inside, change.cpu().double().numpy()], axis=1)


@dataclass
class LayerSweep:
    """Every kind on every site, first draws first."""

    study: Study
    kinds: Mapping[str, Intervention]
    samples: int
    found: dict[tuple[str, str], list[np.ndarray]] = field(default_factory=dict)
    updates: int = 0

    def run(self) -> Iterator[LayerEffectUpdate]:
        """Measure: first draws of all sites, then the others."""
        yield self.update("preparing")
        wants_mean = "dataset_mean" in self.kinds
        for draws in self._rounds():
            for sites in self._bundles(draws):
                done = self._measure(sites, draws, wants_mean)
                if done:
                    yield self.update(sites[0].name)
        yield self.update(DONE)

    def _bundles(self, draws: range) -> Iterator[list[Site]]:
        """Sites that are measured in one go: each alone, but parts of one tensor together."""
        count = max(1, len(self.kinds) * len(draws))
        for _, run in groupby(self.study.sites, key=lambda s: s.place if s.parts else s.name):
            sites, size = list(run), max(1, self.study.runner.batch // count)
            for start in range(0, len(sites), size):
                yield sites[start : start + size]

    def draws(self, kind: str) -> int:
        """Number of draws of a kind."""
        return draw_count(self.kinds[kind], self.samples, self.study.donors)

    def _rounds(self) -> Iterator[range]:
        last = max(self.draws(kind) for kind in self.kinds)
        start, size = 0, 1
        while start < last:
            yield range(start, min(start + size, last))
            start, size = start + size, self.study.runner.batch

    def _measure(self, sites: Sequence[Site], draws: range, wants_mean: bool) -> bool:
        jobs = [(n, [d for d in draws if d < self.draws(n)]) for n in self.kinds]
        jobs = [(name, numbers) for name, numbers in jobs if numbers]
        edits: list[Edit] = []
        with torch.inference_mode():
            for site in sites if jobs else ():
                source = self.study.source(site, wants_mean)
                edits.append((site, torch.cat([self.kinds[n](source, d) for n, d in jobs])))
        if not edits:
            return False
        kinds = [name for name, _ in jobs]
        what = f"{', '.join(repr(s.name) for s in sites)} by {kinds}"
        effects = iter(self.study.effects(edits, what, apart=bool(sites[0].parts)))
        for site in sites:
            for name, numbers in jobs:
                found = self.found.setdefault((site.name, name), [])
                found.extend(next(effects) for _ in numbers)
        return True

    @cached_property
    def recipe(self) -> dict[str, Any]:
        """Everything that the result is made from and with."""
        return layer_recipe(self.study, self.kinds, self.samples)

    def update(self, stage: str) -> LayerEffectUpdate:
        """The state as a frozen result."""
        target, runner, sites = self.study.target, self.study.runner, self.study.sites
        self.updates += 1
        stopped_after = None if stage == DONE else self.updates
        done = sum(len(found) for found in self.found.values())
        rows = tuple(
            self._row(site, depth, kind) for depth, site in enumerate(sites) for kind in self.kinds
        )
        effects = LayerEffects(
            rows, target.base, target.outcome, self.study.seed,
            "truth" if target.has_truth else "prediction", runner.name, runner.reason, done,
            {**self.recipe, "stopped_after": stopped_after}, self.study.flow,
        )  # fmt: skip
        total = len(sites) * sum(self.draws(kind) for kind in self.kinds)
        return LayerEffectUpdate(effects, done, total, stage)

    def _row(self, site: Site, depth: int, kind: str) -> LayerEffect:
        found = self.found.get((site.name, kind), [])
        mean, error = mean_and_error(np.array(found).reshape(-1, 2), self.kinds[kind].random)
        return LayerEffect(
            site.name, kind, float(mean[0]), float(error[0]), len(found),
            float(mean[1]), float(error[1]), depth, site.group, site.shape,
        )  # fmt: skip


def draw_count(kind: Intervention, samples: int, donors: Donors | None) -> int:
    """Number of draws: one where they do not differ, at most one per donor."""
    if not kind.random:
        return 1
    if kind.needs_donors and donors is not None:
        return min(samples, len(donors))
    return samples


def mean_and_error(found: np.ndarray, random: bool) -> tuple[np.ndarray, np.ndarray]:
    """Mean over draws ``(n, k) -> (k,)`` and its standard error.

    The error is 0 where draws do not differ, and NaN where it cannot be told yet.
    """
    n = len(found)
    if n == 0:
        return np.full(found.shape[1], np.nan), np.full(found.shape[1], np.nan)
    mean = found.mean(axis=0)
    if not random:
        return mean, np.where(np.isnan(mean), np.nan, 0.0)
    if n == 1:
        return mean, np.full_like(mean, np.nan)
    return mean, found.std(axis=0, ddof=1) / np.sqrt(n)
