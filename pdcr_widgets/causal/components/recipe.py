"""Recipes of layer effects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pdcr_widgets.causal.components.interventions import INTERVENTIONS, Intervention
from pdcr_widgets.causal.ingredients import mask_to_runs
from pdcr_widgets.causal.recipe import target_recipe

if TYPE_CHECKING:
    from pdcr_widgets.causal.components.study import Study


def layer_recipe(study: Study, kinds: Mapping[str, Intervention], samples: int) -> dict[str, Any]:
    """Describe the computation of layer effects as plain values that JSON can hold."""
    area = None if study.area is None else mask_to_runs(study.area)
    custom = [name for name, kind in kinds.items() if INTERVENTIONS.get(name) is not kind]
    return {
        "kind": "layers",
        **target_recipe(study.target),
        "layers": [site.name for site in study.sites],
        "intervention": list(kinds),
        "custom": custom,
        "samples": samples,
        "donors": None if study.donors is None else study.donors.digest(),
        "where": area,
        "elsewhere": study.rest is not None,
        "empty": study.empty,
        "seed": study.seed,
        "batch": study.batch,
        "engine": study.runner.name,
        "stopped_after": None,
    }
