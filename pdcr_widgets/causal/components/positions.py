"""Where in a layer the effect lies: its positions replaced window by window."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pdcr_widgets.causal.components.channels import layer_of
from pdcr_widgets.causal.components.effects import iter_layer_effects
from pdcr_widgets.causal.components.layer_results import LayerEffects, LayerEffectUpdate
from pdcr_widgets.causal.components.sites import Site
from pdcr_widgets.causal.components.windows import NAME, RANGE, sized_windows, window_sites


def iter_window_effects(
    model: Any,
    image: Any,
    region: Any,
    truth: Any = None,
    *,
    layer: str,
    size: int | None = None,
    **options: Any,
) -> Iterator[LayerEffectUpdate]:
    """Measure the effect of each window of a layer's positions step by step.

    Positions are the tokens of a transformer, or the places of a map: the layer's own view of the
    image. What a window holds is replaced in all channels, and the rest of the layer stays.

    Parameters
    ----------
    model, image, region, truth
        As for `iter_layer_effects`.
    layer
        Name of a module.
    size
        Positions per window and axis; None for at most 8 windows per axis, or for the windows that
        the network itself makes (shifted-window attention).
    **options
        As for `iter_layer_effects`; ``intervention`` is ``"mean"`` unless given.

    Yields
    ------
    LayerEffectUpdate
        Rows are named ``"layer.window[0:2,0:2]"``, rows and columns of the layer's positions; where
        the network makes the windows ``"layer.window[0]"``.

    Raises
    ------
    ValueError
        There is no such layer, its positions are no grid over the image, or ``size`` is below 1.
    """
    sites = layer_windows(model, image, layer, size)
    return iter_layer_effects(model, image, region, truth, layers=sites, **options)


def window_effects(
    model: Any, image: Any, region: Any, truth: Any = None, *, layer: str, **options: Any
) -> LayerEffects:
    """Measure the effect of each window of a layer's positions.

    Takes the arguments of `iter_window_effects` and gives the last of its results.
    """
    for update in iter_window_effects(model, image, region, truth, layer=layer, **options):
        effects = update.effects
    return effects


def layer_windows(model: Any, image: Any, layer: str, size: int | None = None) -> list[Site]:
    """Give the windows of a layer's positions as sites, ``size`` positions per axis."""
    site, spatial = layer_of(model, image, layer)
    if size is None:
        return window_sites(site, spatial)
    if size < 1:
        raise ValueError(f"size must be at least 1 position, got {size}")
    return sized_windows(site, spatial, size)


def window_map(effects: LayerEffects, kind: str | None = None) -> np.ndarray:
    """Lay the effects of windows on a layer's grid of positions.

    Parameters
    ----------
    effects
        From `window_effects`.
    kind
        Intervention; may be left out when there is one.

    Returns
    -------
    ndarray
        One number per position, points, NaN where nothing was measured (yet).

    Raises
    ------
    ValueError
        These are no windows on a grid.
    """
    parts = [NAME.fullmatch(layer) for layer in effects.layers]
    ranges = [RANGE.findall(part["which"]) if part else [] for part in parts]
    if not all(ranges):
        raise ValueError("these effects are not of windows on a grid; use `window_effects`")
    places = [tuple(slice(int(a), int(b)) for a, b in chosen) for chosen in ranges]
    found = np.full([max(p[axis].stop for p in places) for axis in range(len(places[0]))], np.nan)
    for place, layer in zip(places, effects.layers, strict=True):
        found[place] = effects.get(layer, kind).effect
    return found
