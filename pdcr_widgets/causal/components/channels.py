"""Inside one layer: its channels, how much of it is needed, and where the prediction changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from pdcr_widgets.causal.arrays import as_image
from pdcr_widgets.causal.components.catalog import Catalog, channel_site, channel_sites
from pdcr_widgets.causal.components.edits import captured
from pdcr_widgets.causal.components.effects import (
    as_kinds,
    check_donors,
    check_samples,
    iter_layer_effects,
    layer_effects,
    make_study,
)
from pdcr_widgets.causal.components.figure import plot_change, plot_dose
from pdcr_widgets.causal.components.interventions import scale
from pdcr_widgets.causal.components.layer_results import LayerEffects, LayerEffectUpdate
from pdcr_widgets.causal.components.observe import torch_module
from pdcr_widgets.causal.components.sites import Site
from pdcr_widgets.causal.components.study import draw_count, mean_and_error
from pdcr_widgets.causal.figure import COLUMN
from pdcr_widgets.causal.pictured import Pictured
from pdcr_widgets.causal.segmenter import segmenter

FACTORS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0)


def iter_channel_effects(
    model: Any,
    image: Any,
    region: Any,
    truth: Any = None,
    *,
    layer: str,
    size: int = 1,
    **options: Any,
) -> Iterator[LayerEffectUpdate]:
    """Measure the effect of each channel of a layer step by step.

    Parameters
    ----------
    model, image, region, truth
        As for `iter_layer_effects`.
    layer
        Name of a module.
    size
        Channels per group that is replaced together.
    **options
        As for `iter_layer_effects`; ``intervention`` is ``"zero"`` unless given.

    Yields
    ------
    LayerEffectUpdate
        Rows are named ``"layer[0]"``, ``"layer[1]"``, or ``"layer[0:8]"`` for groups.
    """
    sites = layer_channels(model, image, layer, size)
    return iter_layer_effects(
        model, image, region, truth, layers=sites, **{"intervention": "zero", **options}
    )


def channel_effects(
    model: Any,
    image: Any,
    region: Any,
    truth: Any = None,
    *,
    layer: str,
    size: int = 1,
    **options: Any,
) -> LayerEffects:
    """Measure the effect of each channel of a layer.

    Takes the arguments of `iter_channel_effects` and gives the last of its results.
    """
    sites = layer_channels(model, image, layer, size)
    return layer_effects(
        model, image, region, truth, layers=sites, **{"intervention": "zero", **options}
    )


def layer_channels(model: Any, image: Any, layer: str, size: int = 1) -> list[Site]:
    """Give the channels of a layer as sites, ``size`` channels each.

    Raises
    ------
    ValueError
        There is no such layer, or ``size`` is no number of its channels.
    """
    site, _ = layer_of(model, image, layer)
    count = site.shape[site.channel]
    if not 1 <= size <= count:
        raise ValueError(f"size must be in 1..{count} channels of {layer!r}, got {size}")
    if size == 1:
        return channel_sites(site)
    return [channel_site(site, c, min(c + size, count)) for c in range(0, count, size)]


def layer_of(model: Any, image: Any, layer: str) -> tuple[Site, tuple[int, ...]]:
    """Give a layer as a site, and the spatial shape of the image."""
    wrapped = segmenter(model)
    torch_module(wrapped)
    held = as_image(image).to(wrapped.device, wrapped.dtype)
    (site,) = Catalog(wrapped, held).find(layer)
    return site, tuple(held.shape[1:])


@dataclass(frozen=True)
class DoseResponse(Pictured):
    """Effect of a layer's output times a factor.

    Attributes
    ----------
    layer : str
        Name of the component.
    factors : tuple of float
        What it is multiplied by: 0 removes it, 1 changes nothing.
    effect : tuple of float
        Points; negative where the outcome falls.
    base : float
        Outcome of the untouched model, points 0..100.
    elsewhere : tuple of float
        The same in the rest of the image; NaN where it was not asked for.
    """

    layer: str
    factors: tuple[float, ...]
    effect: tuple[float, ...]
    base: float
    elsewhere: tuple[float, ...] = ()

    def _draw(self, figure: Any, **_options: Any) -> None:
        figure.set_size_inches(COLUMN, 0.7 * COLUMN)
        plot_dose(self, figure.add_subplot())


def dose_response(
    model: Any,
    image: Any,
    region: Any,
    truth: Any = None,
    *,
    layer: str | Site,
    factors: Sequence[float] = FACTORS,
    **options: Any,
) -> DoseResponse:
    """Measure how the outcome depends on the size of a component's output.

    Parameters
    ----------
    model, image, region, truth
        As for `iter_layer_effects`.
    layer
        One component.
    factors
        What its output is multiplied by.
    **options
        ``where``, ``elsewhere``, ``outcome``, ``empty``, ``engine``, ``batch`` of
        `iter_layer_effects`.

    Raises
    ------
    ValueError
        Several components, no factors or equal ones.
    """
    kinds = {f"{factor:g}": scale(float(factor)) for factor in factors}
    if not kinds or len(kinds) < len(list(factors)):
        raise ValueError(f"factors must be different numbers, got {list(factors)}")
    found = layer_effects(model, image, region, truth, layers=layer, intervention=kinds, **options)
    if len(found.layers) > 1:
        raise ValueError(f"dose_response takes one component, got {list(found.layers)}")
    doses = tuple(float(factor) for factor in factors)
    effect, elsewhere = tuple(r.effect for r in found), tuple(r.elsewhere for r in found)
    return DoseResponse(found.layers[0], doses, effect, found.base, elsewhere)


@dataclass(frozen=True, eq=False)
class PredictionChange(Pictured):
    """Where the prediction changes when a component is replaced.

    Attributes
    ----------
    layer, kind : str
        Component and intervention.
    change : ndarray
        Mean over draws of the change of the target's probability, spatial shape, -1..1. Negative:
        the component raises the probability there.
    stderr : ndarray
        Standard error over draws; 0 where the kind is deterministic.
    flipped : ndarray
        Share of draws in which the thresholded prediction changes, 0..1.
    """

    layer: str
    kind: str
    change: np.ndarray
    stderr: np.ndarray
    flipped: np.ndarray

    def _drawable(self) -> bool:
        return self.change.ndim == 2

    def _draw(self, figure: Any, **_options: Any) -> None:
        figure.set_size_inches(COLUMN, 0.85 * COLUMN)
        plot_change(self, figure.add_subplot())

    def __repr__(self) -> str:
        low, high = float(self.change.min()), float(self.change.max())
        return (
            f"PredictionChange({self.layer} := {self.kind}: probability {low:+.3f} to {high:+.3f}, "
            f"{float(self.flipped.sum()):.1f} pixels flip)"
        )


def prediction_change(
    model: Any,
    image: Any,
    *,
    layer: str | Site,
    intervention: str = "zero",
    samples: int = 8,
    **options: Any,
) -> PredictionChange:
    """Map where in the image the prediction changes when one component is replaced.

    Parameters
    ----------
    model, image
        As for `iter_layer_effects`.
    layer
        One component, for example a channel: ``"mid[7]"``.
    intervention, samples
        One kind, and its number of draws.
    **options
        ``donors``, ``where`` (an area), ``seed``, ``batch`` of `iter_layer_effects`.

    Raises
    ------
    ValueError
        Several components or kinds.
    """
    kinds = as_kinds(intervention)
    if len(kinds) > 1:
        raise ValueError(f"prediction_change takes one intervention, got {list(kinds)}")
    ((name, kind),) = kinds.items()
    box = (0,) * (as_image(image).ndim - 1) + (1,) * (as_image(image).ndim - 1)
    study = make_study(model, image, box, layers=layer, elsewhere=True, **options)
    check_donors(study, kinds)
    if len(study.sites) > 1:
        names = [site.name for site in study.sites]
        raise ValueError(f"prediction_change takes one component, got {names}")
    (site,) = study.sites
    draws = range(draw_count(kind, check_samples(samples), study.donors))
    source = study.source(site, name == "dataset_mean")
    before, threshold = study.target.probability, study.target.segmenter.threshold
    with torch.inference_mode():
        after = study.runner.probabilities([(site, kind(source, list(draws)))])
        flipped = ((after > threshold) != (before > threshold)).float().mean(dim=0)
        change = (after - before).double().flatten(1).cpu().numpy()
    mean, error = mean_and_error(change, kind.random)
    shape = tuple(before.shape)
    return PredictionChange(
        site.name, name, mean.reshape(shape), error.reshape(shape), flipped.cpu().numpy()
    )


def activations(model: Any, image: Any, *, layer: str | Site) -> np.ndarray:
    """Give what a component gives for an image, channels first.

    Parameters
    ----------
    model, image
        As for `iter_layer_effects`.
    layer
        One component.

    Returns
    -------
    ndarray
        ``(channels, *positions)`` float32.
    """
    wrapped = segmenter(model)
    held = as_image(image).to(wrapped.device, wrapped.dtype)
    resolved = wrapped.resolve(held)
    sites = Catalog(resolved, held).find(layer)
    if len(sites) > 1:
        raise ValueError(f"activations takes one component, got {[s.name for s in sites]}")
    values = captured(resolved, held[None], sites)[1][0][0]
    return np.moveaxis(values.float().cpu().numpy(), sites[0].channel, 0)
