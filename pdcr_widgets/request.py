"""One question to a model, frozen: what a session asks is computed from this and nothing else."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pdcr_widgets.causal import (
    PatchBank,
    PatchDraws,
    Segmenter,
    SweepUpdate,
    iter_ate,
    iter_sweep,
    patch_draws,
)
from pdcr_widgets.causal.arrays import as_truth
from pdcr_widgets.causal.outcome import Outcome
from pdcr_widgets.causal.segmenter import check_finite
from pdcr_widgets.inside import LayerStream

INSPECTED = 48  # draws of a selected patch at most: as many as can be looked at
HEAD_START = 1.0  # seconds for the map alone, so that its first picture is quick


@dataclass(frozen=True, eq=False)
class Prediction:
    """What the model says about the unperturbed image.

    Parameters
    ----------
    probability
        ``(height, width)`` float32, probability of the target class, 0..1.
    segmenter
        The segmenter with its activation and target decided.
    classes
        Number of channels that the model returns.
    truth
        ``(height, width)`` booleans, the ground truth of the target class; None without one.
    scores
        Lowest and highest value that the model returned, over all classes.
    """

    probability: np.ndarray
    segmenter: Segmenter
    classes: int
    truth: np.ndarray | None
    scores: tuple[float, float]

    @property
    def mask(self) -> np.ndarray:
        """Pixels predicted as the target, booleans."""
        return self.probability > self.segmenter.threshold

    @property
    def dice(self) -> float | None:
        """Dice with the truth over the whole image, points 0..100; None without a truth."""
        if self.truth is None:
            return None
        everywhere = np.ones(self.truth.shape, dtype=bool)
        measure = Outcome("dice", everywhere, self.truth, self.segmenter.threshold)
        return float(measure(torch.from_numpy(self.probability)[None])[0])


@dataclass(frozen=True, eq=False)
class LayersUnavailable:
    """The model's layers cannot be intervened on; the map can still be computed."""

    failure: Exception


@dataclass(frozen=True, eq=False)
class Request:
    """Every input of one explanation; see `pdcr_widgets.causal.iter_ate` for their meaning.

    Parameters
    ----------
    baseline
        A key of ``BASELINES``; ``baseline_value`` is the value of ``"constant"`` and ``bank`` the
        patches of ``"bank"``.
    make_bank
        Patch size -> bank, for when ``bank`` has patches of another size.
    with_layers
        Whether layer effects are computed too.
    """

    segmenter: Segmenter
    image: Tensor
    region: np.ndarray | None
    truth: Any
    target: int | None
    patch_size: int
    baseline: str
    baseline_value: float
    bank: PatchBank | None
    make_bank: Callable[[int], PatchBank] | None
    outcome: str
    samples: int
    sampling: str
    seed: int
    engine: str
    with_layers: bool
    components: Any
    intervention: str
    layer_samples: int
    donors: Tensor | None
    where: Any
    elsewhere: bool

    def updates(self) -> Iterator[Any]:
        """Yield a `Prediction`, then the updates of the map and of the layers, mixed.

        What layers do to the rest of the image comes last: the map does not wait for it.
        """
        prediction = self.predict()
        yield prediction
        if self.region is None:
            return
        map_updates = self._map_updates(prediction.segmenter)
        if self.with_layers:
            layers = LayerStream(self, prediction.segmenter)
            yield from side_by_side(map_updates, _or_why_not(layers.region()))
            yield from _or_why_not(layers.rest())
        else:
            yield from map_updates

    def updates_of_layers(self) -> Iterator[Any]:
        """Yield a `Prediction` and the updates of the layers alone."""
        prediction = self.predict()
        yield prediction
        if self.region is not None and self.with_layers:
            layers = LayerStream(self, prediction.segmenter)
            yield from _or_why_not(layers.region())
            yield from _or_why_not(layers.rest())

    def predict(self) -> Prediction:
        """Run the model once on the unperturbed image."""
        resolved = self._with_target().resolve(self.image)
        scores = resolved.scores(self.image[None])
        probability = check_finite(resolved.probability(scores)[0])
        truth = as_truth(self.truth, self.image.shape[1:], resolved.target)
        return Prediction(
            probability.float().cpu().numpy(),
            resolved,
            scores.shape[1],
            truth,
            (float(scores.min()), float(scores.max())),
        )

    def draws(self, patch: tuple[int, int]) -> PatchDraws:
        """Draw interventions for one patch (row, column) and keep each effect and content."""
        return patch_draws(
            self._with_target(),
            self.image,
            self.region,
            *patch,
            self.truth,
            patch_size=self.patch_size,
            baseline=self.content(),
            outcome=self.outcome,
            samples=min(self.samples, INSPECTED),
            seed=self.seed,
        )

    def sweep_updates(self, samples: int, limit_bytes: int) -> Iterator[SweepUpdate]:
        """Intervene on every patch, whatever the region; `samples` draws each."""
        yield from iter_sweep(
            self._with_target(),
            self.image,
            patch_size=self.patch_size,
            baseline=self.content(),
            samples=samples,
            soft=True,
            seed=self.seed,
            engine=self.engine,
            limit_bytes=limit_bytes,
        )

    def content(self) -> Any:
        """Give what is put in place of a patch, as `iter_ate` takes it."""
        if self.baseline == "constant":
            return self.baseline_value
        if self.baseline == "bank":
            return self.fitting_bank()
        return self.baseline

    def fitting_bank(self) -> PatchBank:
        """Give the bank with patches of the asked size, cut anew where the case knows how."""
        bank = self.bank
        if bank is not None and bank.patch_size == self.patch_size:
            return bank
        if self.make_bank is not None:
            return self.make_bank(self.patch_size)
        if bank is None:
            raise ValueError(
                "there is no patch bank; give one (`PatchBank.from_images(...)`) or choose another "
                "baseline"
            )
        raise ValueError(
            f"the bank has patches of {bank.patch_size} pixels, the patch size is "
            f"{self.patch_size}; choose {bank.patch_size} pixels or another baseline, or give a "
            f"bank of {self.patch_size}-pixel patches"
        )

    def _with_target(self) -> Segmenter:
        if self.target is None:
            return self.segmenter
        return dataclasses.replace(self.segmenter, target=self.target)

    def _map_updates(self, segmenter: Segmenter) -> Generator[Any, None, None]:
        yield from iter_ate(
            segmenter,
            self.image,
            self.region,
            self.truth,
            patch_size=self.patch_size,
            baseline=self.content(),
            outcome=self.outcome,
            sampling=self.sampling,
            samples=self.samples,
            seed=self.seed,
            engine=self.engine,
        )


def _or_why_not(updates: Iterator[Any]) -> Generator[Any, None, None]:
    """Yield updates of layers, or why there are none: the map does not depend on them."""
    try:
        yield from updates
    except Exception as failure:
        yield LayersUnavailable(failure)


def side_by_side(
    first: Generator[Any, None, None],
    second: Generator[Any, None, None],
    head_start: float = HEAD_START,
    clock: Callable[[], float] = time.perf_counter,
) -> Iterator[Any]:
    """Step two generators until both have ended, each for about the same time.

    Parameters
    ----------
    first, second
        Generators; both are closed at the end, whatever happens.
    head_start
        Seconds of work that ``first`` has before ``second`` begins.
    clock
        Seconds.
    """
    spent = {first: 0.0, second: head_start}
    with closing(first), closing(second):
        while spent:
            stream = min(spent, key=lambda each: spent[each])
            began = clock()
            try:
                event = next(stream)
            except StopIteration:
                del spent[stream]
                continue
            spent[stream] += clock() - began
            yield event
