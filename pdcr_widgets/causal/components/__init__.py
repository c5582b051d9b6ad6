"""What a network does inside: causal effects of its components on a region."""

from __future__ import annotations

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

__all__ = [
    "DEFAULT_KINDS",
    "INTERVENTIONS",
    "Intervention",
    "LayerEffect",
    "LayerEffectUpdate",
    "LayerEffects",
    "iter_layer_effects",
    "layer_effects",
    "scale",
]
