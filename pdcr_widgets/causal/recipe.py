"""Recipes: everything that a result was made from and with, as plain values that JSON can hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pdcr_widgets.causal.experiment import Experiment, Target
from pdcr_widgets.causal.ingredients import ingredients, mask_digest, mask_to_runs
from pdcr_widgets.causal.mixed import Mixed
from pdcr_widgets.causal.sampling import Limits, Settings

RECIPE = 1
INPUTS = {
    "model": "the model's weights or structure",
    "image": "the image",
    "truth_digest": "the ground truth",
    "region": "the region",
    "bank": "the patch bank",
    "nearest": "the bank's position matching",
    "donors": "the donor images",
    "activation": "the activation",
}


def target_recipe(target: Target) -> dict[str, Any]:
    """Describe model, image, region and truth of a question."""
    return {
        "recipe": RECIPE,
        **ingredients(target.segmenter, target.image),
        "region": mask_to_runs(target.region),
        "truth": target.has_truth,
        "truth_digest": mask_digest(target.reference) if target.has_truth else None,
        "outcome": target.outcome,
    }


def ate_recipe(
    experiment: Experiment,
    settings: Settings,
    limits: Limits,
    sampling: str,
    empty: str,
    batch: int | None,
) -> dict[str, Any]:
    """Describe the computation of a map, before its engines are known."""
    baseline = experiment.baseline
    return {
        "kind": "ate",
        **target_recipe(experiment.target),
        "patch_size": experiment.grid.patch_size,
        "baseline": baseline.name,
        **baseline.details,
        "sampling": sampling,
        "screening": settings.screening,
        "samples": settings.samples,
        "threshold": settings.threshold,
        "precision": settings.precision,
        "budget": limits.budget,
        "seed": experiment.seed,
        "empty": empty,
        "batch": 1 if experiment.engine.batch == 1 else batch,
        "half": isinstance(experiment.engine, Mixed),
        "engine": experiment.engine.name,
        "stopped_after": None,
    }


def differences(recorded: Mapping[str, Any], here: Mapping[str, Any]) -> dict[str, str]:
    """Say which inputs differ between two recipes of one question.

    Returns
    -------
    dict
        What differs, by its key in the recipe, in words; empty when all inputs agree.
    """
    found = {}
    for name, words in INPUTS.items():
        old, new = recorded.get(name), here.get(name)
        if old != new:
            found[name] = f"{words}: {_told(old)} in the recipe, {_told(new)} here"
    return found


def environment_differences(recorded: Mapping[str, Any], here: Mapping[str, Any]) -> dict[str, str]:
    """Say what differs of what rounding depends on: versions, device, precision, threads."""
    old, new = recorded.get("environment", {}), here.get("environment", {})
    return {
        name: f"{name}: {_told(old.get(name))} in the recipe, {_told(new.get(name))} here"
        for name in dict.fromkeys([*old, *new])
        if old.get(name) != new.get(name)
    }


def _told(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, str) and len(value) == 64:
        return f"SHA-256 {value[:12]}…"
    if isinstance(value, Mapping):
        sides = " x ".join(str(side) for side in value["shape"])
        return f"{sum(value['runs'][1::2])} pixels of {sides}"
    return str(value)
