"""Recipes: a result again, bit for bit, and what is said when an ingredient is another one."""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).parent / "causal"))

from toys import SmallNet, box, picture

import pdcr_widgets as pdcr
from pdcr_widgets.causal.ingredients import (
    mask_from_runs,
    mask_to_runs,
    model_digest,
    tensor_digest,
)
from pdcr_widgets.causal.results import ATEMap

SPATIAL = (32, 28)
REGION = box(SPATIAL, slice(10, 18), slice(8, 20))
IMAGE = picture(1, *SPATIAL, seed=3)
TRUTH = picture(*SPATIAL, seed=4).numpy() > 0.5
BANK = pdcr.PatchBank(picture(40, 1, 4, 4, seed=5))
DONORS = [picture(1, *SPATIAL, seed=seed) for seed in (6, 7, 8)]


def written(recipe: Any) -> Any:
    """A recipe after its way through a file."""
    return json.loads(json.dumps(dict(recipe)))


def assert_same_map(found: Any, expected: ATEMap) -> None:
    for name in ("effect", "stderr", "samples", "region"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), err_msg=name)
    assert (found.base, found.evaluations) == (expected.base, expected.evaluations)
    assert found.recipe == expected.recipe


@pytest.mark.parametrize(
    "options",
    [
        {"baseline": 0.25, "outcome": "soft_dice"},
        {"baseline": "mean", "truth": TRUTH, "engine": "full", "batch": 3},
        {"baseline": "noise", "samples": 6, "outcome": "mean_probability", "seed": 5},
        {"baseline": BANK, "samples": 20, "truth": TRUTH, "outcome": "soft_dice"},
        {"baseline": BANK, "sampling": "paper", "samples": 5, "threshold": 0.5, "empty": "paper"},
        {"baseline": "noise", "samples": 40, "budget": 90, "engine": "incremental"},
        {"baseline": "noise", "samples": 16, "precision": 0.5, "outcome": "soft_dice"},
    ],
    ids=lambda options: "-".join(str(v) for v in options.values() if isinstance(v, (str, float))),
)
def test_a_map_again_is_the_same_bit_for_bit(options: dict[str, Any]) -> None:
    model, options = SmallNet(), {**options}
    truth = options.pop("truth", None)
    found = pdcr.ate_map(model, IMAGE, REGION, truth, patch_size=4, **options)
    again = pdcr.recompute(
        written(found.recipe), SmallNet(), IMAGE, truth,
        baseline=BANK if options["baseline"] is BANK else None,
    )  # fmt: skip
    assert_same_map(again, found)


def test_a_model_that_was_not_known_yet_is_measured_with_the_same_engines_again() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(*(nn.Conv2d(1, 1, 3, padding=1) for _ in range(3)))
    image, region = picture(1, 96, 96), box((96, 96), slice(40, 50), slice(40, 50))
    asked: dict[str, Any] = {"patch_size": 4, "outcome": "mean_probability", "baseline": "noise"}
    fresh = pdcr.ate_map(net, image, region, samples=4, **asked)
    known = pdcr.ate_map(net, image, region, samples=4, **asked)
    for found in (fresh, known):
        assert_same_map(pdcr.recompute(found.recipe, net, image), found)


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_a_map_that_was_stopped_is_stopped_at_the_same_place(steps: int) -> None:
    updates = pdcr.iter_ate(
        SmallNet(), IMAGE, REGION, patch_size=4, baseline="noise", samples=30, engine="full"
    )
    stopped = [next(updates) for _ in range(steps)][-1].map
    assert stopped.recipe["stopped_after"] == steps
    assert_same_map(pdcr.recompute(stopped, SmallNet(), IMAGE), stopped)


def test_a_map_whose_time_ran_out_needs_no_clock_to_be_computed_again() -> None:
    hurried = pdcr.ate_map(
        SmallNet(), IMAGE, REGION, patch_size=4, baseline="noise", samples=500, precision=1e-9,
        outcome="soft_dice", seconds=1e-9,
    )  # fmt: skip
    assert hurried.recipe["stopped_after"] == 1
    assert_same_map(pdcr.recompute(written(hurried.recipe), SmallNet(), IMAGE), hurried)


def test_a_map_read_off_a_sweep_again() -> None:
    sweep = pdcr.Sweep.run(SmallNet(), IMAGE, patch_size=4, baseline=BANK, samples=3)
    found = sweep.ate_map(REGION, TRUTH, outcome="iou")
    again = pdcr.recompute(written(found.recipe), SmallNet(), IMAGE, TRUTH, baseline=BANK)
    assert_same_map(again, found)


@pytest.mark.parametrize(
    "options",
    [
        {"intervention": ("mean", "noise"), "samples": 4},
        {"layers": ["first", "wide[0:2]"], "intervention": "zero", "elsewhere": True},
        {"intervention": "donor", "samples": 3, "donors": DONORS, "where": "inside"},
    ],
    ids=["stages", "channels", "donors"],
)
def test_layer_effects_again_are_the_same(options: dict[str, Any]) -> None:
    asked = {"outcome": "soft_dice", "seed": 3, **options}
    found = pdcr.layer_effects(SmallNet(), IMAGE, REGION, TRUTH, **asked)
    again = pdcr.recompute(
        written(found.recipe), SmallNet(), IMAGE, TRUTH, donors=options.get("donors")
    )
    assert repr(again.rows) == repr(found.rows)
    assert again.recipe == found.recipe


def test_layer_effects_with_an_intervention_of_ones_own() -> None:
    half = pdcr.causal.components.scale(0.5)
    found = pdcr.layer_effects(SmallNet(), IMAGE, REGION, intervention={"half": half})
    with pytest.raises(ValueError, match=r"interventions \['half'\] were functions"):
        pdcr.recompute(found, SmallNet(), IMAGE)
    again = pdcr.recompute(found, SmallNet(), IMAGE, intervention={"half": half})
    assert repr(again.rows) == repr(found.rows)


@pytest.fixture(scope="module")
def banked() -> ATEMap:
    return pdcr.ate_map(SmallNet(), IMAGE, REGION, TRUTH, patch_size=4, baseline=BANK, samples=3)


OTHERS: dict[str, Callable[[], dict[str, Any]]] = {
    "the model's weights or structure": lambda: {"model": SmallNet(seed=1)},
    "the image": lambda: {"image": IMAGE + 1e-3},
    "the ground truth": lambda: {"truth": None},
    "the patch bank": lambda: {"baseline": pdcr.PatchBank(BANK.patches + 1e-3)},
}


@pytest.mark.parametrize("what", OTHERS)
def test_the_ingredient_that_differs_is_named(what: str, banked: ATEMap) -> None:
    given = {"model": SmallNet(), "image": IMAGE, "truth": TRUTH, "baseline": BANK}
    given |= OTHERS[what]()
    with pytest.raises(ValueError, match=f"made from something else: {what}: ") as refused:
        pdcr.recompute(banked, **given)
    assert str(refused.value).count(" in the recipe, ") == 1
    with pytest.warns(UserWarning, match=f"numbers may differ: {what}"):
        pdcr.recompute(banked, **given, strict=False)


def test_another_environment_is_named_and_computed_with(banked: ATEMap) -> None:
    elsewhere = {**banked.recipe["environment"], "torch": "1.0", "device": "cuda (Other)"}
    with pytest.warns(UserWarning, match=r"torch: 1\.0 in the recipe, .*; device: cuda \(Other\)"):
        again = pdcr.recompute(
            {**banked.recipe, "environment": elsewhere}, SmallNet(), IMAGE, TRUTH, baseline=BANK
        )
    np.testing.assert_array_equal(again.effect, banked.effect)


def test_what_a_recipe_cannot_hold_is_asked_for(banked: ATEMap) -> None:
    with pytest.raises(ValueError, match=r"the baseline was a patch bank .*give it as `baseline=`"):
        pdcr.recompute(banked, SmallNet(), IMAGE, TRUTH)
    for nothing in ({}, replace(banked, recipe={}), {**banked.recipe, "recipe": 99}):
        with pytest.raises(ValueError, match="no recipe that can be recomputed"):
            pdcr.recompute(nothing, SmallNet(), IMAGE)
    read = pdcr.segmenter(SmallNet(), 0, torch.sigmoid)
    found = pdcr.ate_map(read, IMAGE, REGION, patch_size=4)
    with pytest.raises(ValueError, match="activation was the function sigmoid"):
        pdcr.recompute(found, SmallNet(), IMAGE)
    assert_same_map(pdcr.recompute(found, read, IMAGE), found)


def test_a_digest_notices_every_change_of_a_model() -> None:
    model = SmallNet()
    first = model_digest(model)
    assert model_digest(SmallNet()) == first
    seen = {first}
    model.last.bias.data += 1e-3
    seen.add(model_digest(model))
    with torch.no_grad():
        model.last.bias += 1e-3
    seen.add(model_digest(model))
    model.norm.running_mean += 1
    seen.add(model_digest(model))
    assert len(seen) == 4
    strided = SmallNet()
    strided.wide.dilation = (2, 2)
    assert model_digest(strided) != first
    assert model_digest(lambda x: x) is None


def test_a_digest_is_kept_while_the_weights_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    from pdcr_widgets.causal import ingredients

    model = SmallNet()
    first = model_digest(model)
    read: list[Any] = []
    monkeypatch.setattr(ingredients, "_read", lambda digest, tensor: read.append(tensor))
    assert model_digest(model) == first
    assert read == []


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64, torch.int64])
def test_tensors_of_every_type_have_a_digest(dtype: torch.dtype) -> None:
    values = (100 * picture(3, 4)).to(dtype)
    assert tensor_digest(values) == tensor_digest(values.t().contiguous().t())
    assert tensor_digest(values) != tensor_digest(values.reshape(4, 3))
    assert len(tensor_digest(torch.tensor(3, dtype=dtype))) == 64


@pytest.mark.parametrize("share", [0, 0.3, 1])
def test_masks_survive_as_runs(share: float) -> None:
    for shape in ((5, 7), (3, 4, 5)):
        mask = np.random.default_rng(0).random(shape) < share
        runs = mask_to_runs(mask)
        np.testing.assert_array_equal(mask_from_runs(written(runs)), mask)
    with pytest.raises(ValueError, match="the recipe was changed or cut"):
        mask_from_runs({"shape": [2, 2], "runs": [1, 2]})


def test_recomputing_the_same_warns_of_nothing(banked: ATEMap) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pdcr.recompute(banked, SmallNet(), IMAGE, TRUTH, baseline=BANK)
