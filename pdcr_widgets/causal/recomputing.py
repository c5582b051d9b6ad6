"""A result again, from its recipe."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from pdcr_widgets.causal.ate import iter_ate
from pdcr_widgets.causal.components.effects import iter_layer_effects
from pdcr_widgets.causal.components.layer_results import LayerEffects
from pdcr_widgets.causal.ingredients import mask_from_runs
from pdcr_widgets.causal.recipe import RECIPE, differences, environment_differences
from pdcr_widgets.causal.results import ATEMap
from pdcr_widgets.causal.segmenter import ACTIVATIONS, Segmenter, segmenter
from pdcr_widgets.causal.sweeping import iter_sweep

Result = ATEMap | LayerEffects
MAP_OPTIONS = (
    "patch_size", "outcome", "sampling", "screening", "samples", "threshold", "precision",
    "budget", "seed", "empty", "batch",
)  # fmt: skip
LAYER_OPTIONS = ("layers", "samples", "elsewhere", "outcome", "empty", "seed", "batch")
SWEEP_OPTIONS = ("patch_size", "samples", "soft", "seed", "limit_bytes")


def recompute(
    recipe: Mapping[str, Any] | Result,
    model: Any,
    image: Any,
    truth: Any = None,
    *,
    baseline: Any = None,
    donors: Any = None,
    intervention: Any = None,
    strict: bool = True,
) -> Result:
    """Compute a result again from its recipe.

    On the same device with the same versions and number of threads the numbers are the same bit for
    bit. Elsewhere rounding differs: probabilities by about 1e-6 in float32, effects of soft
    outcomes by about 1e-3 points, and effects of thresholded outcomes ("dice", "iou", "area") only
    where that moves a pixel across the threshold.

    Parameters
    ----------
    recipe
        ``result.recipe``, also after a way through JSON; or the result itself.
    model
        The model; how its output is read is in the recipe. A `Segmenter` where its activation is a
        function.
    image
        The image, in the model's units.
    truth
        The ground truth, where there was one.
    baseline
        The `PatchBank`, where there was one; everything else is in the recipe.
    donors, intervention
        For layer effects: the donor images, and interventions that are functions of your own.
    strict
        False computes with inputs that differ too, and warns.

    Returns
    -------
    ATEMap, LayerEffects or Comparison
        A computation that was stopped is stopped at the same place.

    Raises
    ------
    ValueError
        An input differs from the recipe's; the message says which. Also what `ate_map` and
        `layer_effects` raise.

    Warns
    -----
    UserWarning
        Versions, device, precision or threads differ, so that numbers may differ by rounding.
    """
    recorded = recipe if isinstance(recipe, Mapping) else recipe.recipe
    kind = recorded.get("kind")
    if kind not in KINDS or recorded.get("recipe", RECIPE) > RECIPE:
        raise ValueError(
            f"this is no recipe that can be recomputed (kind {kind!r}, format "
            f"{recorded.get('recipe')!r}); give `result.recipe`, and "
            f"the newest pdcr_widgets"
        )
    given = {"baseline": baseline, "donors": donors, "intervention": intervention}
    results = KINDS[kind](recorded, _reader(recorded, model), image, truth, given)
    first = next(results)
    _compare(recorded, first.recipe, strict)
    return _stopped(first, results, recorded)


def _reader(recorded: Mapping[str, Any], model: Any) -> Segmenter:
    """Read the model's output as the recipe says."""
    given = segmenter(model)
    activation = recorded["activation"]
    if activation not in ACTIVATIONS:
        if not callable(given.activation):
            raise ValueError(
                f"the activation was the {activation}, which a recipe cannot hold; give "
                f"`pdcr.segmenter(model, activation=...)`"
            )
        activation = given.activation
    return Segmenter(given.model, recorded["target"], activation, recorded["probability_threshold"])


def _compare(recorded: Mapping[str, Any], here: Mapping[str, Any], strict: bool) -> None:
    inputs = differences(recorded, here)
    if inputs and strict:
        raise ValueError(
            "the recipe was made from something else: "
            + "; ".join(inputs.values())
            + "; give the same, or strict=False to compute nevertheless"
        )
    other = [*inputs.values(), *environment_differences(recorded, here).values()]
    if other:
        warnings.warn("numbers may differ: " + "; ".join(other), UserWarning, stacklevel=3)


def _stopped(first: Result, others: Iterator[Result], recorded: Mapping[str, Any]) -> Result:
    """Take the last result, or the one after which the computation was stopped."""
    stopped_after = recorded.get("stopped_after")
    result = first
    for result in () if stopped_after == 1 else others:
        if stopped_after is not None and result.recipe["stopped_after"] == stopped_after:
            break
    return result


def _maps(
    recorded: Mapping[str, Any], model: Segmenter, image: Any, truth: Any, given: Mapping[str, Any]
) -> Iterator[Result]:
    updates = iter_ate(
        model,
        image,
        mask_from_runs(recorded["region"]),
        truth,
        baseline=content_of(recorded, given["baseline"]),
        engine=recorded["engine"],
        half=recorded.get("half", False),
        grid=recorded.get("grid"),
        **{name: recorded[name] for name in MAP_OPTIONS},
    )
    return (update.map for update in updates)


def _layers(
    recorded: Mapping[str, Any], model: Segmenter, image: Any, truth: Any, given: Mapping[str, Any]
) -> Iterator[Result]:
    if recorded["custom"] and given["intervention"] is None:
        raise ValueError(
            f"the interventions {recorded['custom']} were functions, which a recipe cannot hold; "
            f"give them as `intervention=`"
        )
    if recorded["donors"] and given["donors"] is None:
        raise ValueError("there were donor images, which a recipe cannot hold; give `donors=`")
    updates = iter_layer_effects(
        model,
        image,
        mask_from_runs(recorded["region"]),
        truth,
        where=None if recorded["where"] is None else mask_from_runs(recorded["where"]),
        intervention=given["intervention"] or recorded["intervention"],
        donors=given["donors"],
        engine=recorded["engine"],
        **{name: recorded[name] for name in LAYER_OPTIONS},
    )
    return (update.effects for update in updates)


def _sweeps(
    recorded: Mapping[str, Any], model: Segmenter, image: Any, truth: Any, given: Mapping[str, Any]
) -> Iterator[Result]:
    region = mask_from_runs(recorded["region"])
    updates = iter_sweep(
        model,
        image,
        baseline=content_of(recorded, given["baseline"]),
        engine=recorded["engine"],
        **{name: recorded[name] for name in SWEEP_OPTIONS},
    )
    for update in updates:
        yield update.sweep.ate_map(
            region, truth, **{n: recorded[n] for n in ("outcome", "threshold", "empty")}
        )
        if update.done == recorded["evaluations"]:
            return


def content_of(recorded: Mapping[str, Any], given: Any) -> Any:
    """Give what was pasted: from the recipe, but a bank has to be given."""
    if recorded["baseline"] == "bank":
        if given is None:
            raise ValueError(
                f"the baseline was a patch bank (SHA-256 {recorded['bank'][:12]}…), which a recipe "
                f"cannot hold; give it as `baseline=`"
            )
        return given
    if recorded["baseline"] == "constant":
        return np.asarray(recorded["baseline_value"])
    return recorded["baseline"]


Again = Callable[[Mapping[str, Any], Segmenter, Any, Any, Mapping[str, Any]], Iterator[Any]]
KINDS: dict[str, Again] = {"ate": _maps, "layers": _layers, "sweep": _sweeps}
"""Kind of a recipe -> (recipe, model, image, truth, what else was given) -> results, the last one
complete. Parts of the package that know more kinds add them here."""
