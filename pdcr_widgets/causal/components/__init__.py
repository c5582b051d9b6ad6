"""What a network does inside: causal effects of its components on a region."""

from __future__ import annotations

from pdcr_widgets.causal.components.channels import (
    DoseResponse,
    PredictionChange,
    activations,
    channel_effects,
    dose_response,
    iter_channel_effects,
    prediction_change,
)
from pdcr_widgets.causal.components.effects import iter_layer_effects, layer_effects
from pdcr_widgets.causal.components.interventions import (
    DEFAULT_KINDS,
    INTERVENTIONS,
    Intervention,
    scale,
)
from pdcr_widgets.causal.components.layer_results import (
    LayerEffect,
    LayerEffects,
    LayerEffectUpdate,
)
from pdcr_widgets.causal.components.pairs import PairEffect, PairEffects, pair_effects
from pdcr_widgets.causal.components.paths import SkipPaths, SkipPathTable, skip_paths
from pdcr_widgets.causal.components.positions import (
    iter_window_effects,
    window_effects,
    window_map,
)
from pdcr_widgets.causal.components.tree import Component, components

__all__ = [
    "DEFAULT_KINDS",
    "INTERVENTIONS",
    "Component",
    "DoseResponse",
    "Intervention",
    "LayerEffect",
    "LayerEffectUpdate",
    "LayerEffects",
    "PairEffect",
    "PairEffects",
    "PredictionChange",
    "SkipPathTable",
    "SkipPaths",
    "activations",
    "channel_effects",
    "components",
    "dose_response",
    "iter_channel_effects",
    "iter_layer_effects",
    "iter_window_effects",
    "layer_effects",
    "pair_effects",
    "prediction_change",
    "scale",
    "skip_paths",
    "window_effects",
    "window_map",
]
