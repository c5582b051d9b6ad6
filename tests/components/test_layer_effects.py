"""Layer effects against closed forms, and the promises around them."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from nets import Branches, Chain, TinyUNet
from torch import Tensor, nn

from pdcr_widgets.causal import segmenter
from pdcr_widgets.causal.components import (
    DEFAULT_KINDS,
    INTERVENTIONS,
    LayerEffects,
    iter_layer_effects,
    layer_effects,
    scale,
)
from pdcr_widgets.causal.components.runner import HookRunner

KINDS = tuple(INTERVENTIONS)
EXACT = {"outcome": "mean_probability"}


def linear(model: nn.Module):
    return segmenter(model, target=0, activation="identity")


def test_deterministic_kinds_have_closed_forms(image, region, donors):
    # y = .5 (x + .25) + .25 (-.5 x + .5) + .125 = .375 x + .375
    effects = layer_effects(
        linear(Chain()), image, region, layers="first", donors=donors,
        intervention=["zero", "mean", "dataset_mean"], **EXACT,
    )  # fmt: skip
    x = image[0].double().numpy()
    assert effects.base == pytest.approx(100 * (0.375 * x[region].mean() + 0.375), abs=1e-4)
    expected = {
        "zero": 0.125 - (0.375 * x[region].mean() + 0.375),
        "mean": 0.375 * (x.mean() - x[region].mean()),
        "dataset_mean": 0.375 * (donors.double().mean().item() - x[region].mean()),
    }
    for kind, value in expected.items():
        row = effects.get("first", kind)
        assert row.effect == pytest.approx(100 * value, abs=1e-4)
        assert row.stderr == 0
        assert row.samples == 1
        assert row.shape == (2, 16, 12)


def test_donor_effect_is_the_mean_over_donors_with_its_error(image, region, donors):
    row = layer_effects(
        linear(Chain()), image, region, layers="first", intervention="donor", donors=donors, **EXACT
    ).get("first")
    inside = donors[:, 0].double().numpy()[:, region].mean(axis=1)
    each = 37.5 * (inside - image[0].double().numpy()[region].mean())
    assert row.samples == 3
    assert row.effect == pytest.approx(each.mean(), abs=1e-4)
    assert row.stderr == pytest.approx(each.std(ddof=1) / np.sqrt(3), abs=1e-4)


def test_noise_has_the_moments_of_the_layer(image, region):
    wide = torch.rand(1, 96, 80, generator=torch.Generator().manual_seed(3))
    box = (20, 20, 40, 40)
    samples = 64
    effects = layer_effects(
        linear(Chain()), wide, box, layers="first", intervention=["noise", "mean"],
        samples=samples, **EXACT,
    )  # fmt: skip
    noise, mean = effects.get("first", "noise"), effects.get("first", "mean")
    # the two channels are drawn independently: std of y is |.5 s| and |.25 * .5 s| in quadrature
    pixel = 100 * wide.std(correction=0).item() * np.hypot(0.5, 0.125)
    error = pixel / np.sqrt(1600 * samples)
    assert noise.samples == samples
    assert abs(noise.effect - mean.effect) < 4 * error
    assert noise.stderr == pytest.approx(error, rel=0.4)


def test_scaling_gives_a_straight_dose_response_in_a_linear_network(image, region):
    doses = {f"x{factor}": scale(factor) for factor in (0.0, 0.5, 1.0, 2.0)}
    effects = layer_effects(
        linear(Branches([0.25])), image, region, layers="branch.0", intervention=doses, **EXACT
    )
    full = 25 * image[0].double().numpy()[region].mean()
    found = [row.effect for row in effects]
    np.testing.assert_allclose(found, [-full, -full / 2, 0, full], atol=1e-4)


def test_effects_add_in_a_linear_network(image, region):
    model = linear(Branches([0.5, -0.25, 0.125]))
    effects = layer_effects(model, image, region, layers="branch.*", intervention="zero", **EXACT)
    assert sum(row.effect for row in effects) == pytest.approx(-effects.base, abs=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_planted_decisive_and_dead_branches_are_first_and_last(image, region, donors, kind):
    effects = layer_effects(
        linear(Branches([0.05, 0.7, 0.0, 0.1])), image, region, layers="branch.*",
        intervention=kind, donors=donors, outcome="soft_dice",
    )  # fmt: skip
    ranked = sorted(effects, key=lambda row: -abs(row.effect))
    assert ranked[0].layer == "branch.1"
    assert ranked[-1].layer == "branch.2"
    assert ranked[-1].effect == pytest.approx(0, abs=1e-5)


def test_intervention_keeps_to_an_area(image, region):
    for where, mask in (("inside", region), ("outside", ~region), (region.T.copy().T, region)):
        row = layer_effects(
            linear(Branches([0.5])), image, region, layers="branch.0", intervention="zero",
            where=where, elsewhere=True, **EXACT,
        ).get("branch.0")  # fmt: skip
        x = np.where(mask, 50 * image[0].double().numpy(), 0)
        assert row.effect == pytest.approx(-x[region].mean(), abs=1e-4)
        assert row.elsewhere == pytest.approx(-x[~region].mean(), abs=1e-4)
        assert row.elsewhere_stderr == 0


def test_default_stages_and_groups_of_a_unet(image, region):
    effects = layer_effects(TinyUNet(), image, region)
    assert {row.layer: row.group for row in effects} == {
        "enc": "encoder", "mid": "bottleneck", "up": "decoder", "dec": "decoder", "head": "decoder",
    }  # fmt: skip
    assert [row.depth for row in effects] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("outcome", ["mean_probability", "dice"])
def test_incremental_and_whole_passes_agree(outcome):
    image = torch.rand(1, 48, 40, generator=torch.Generator().manual_seed(1))
    donors = torch.rand(3, 1, 48, 40, generator=torch.Generator().manual_seed(2))
    region = (20, 12, 9, 7)
    options = {"intervention": KINDS, "donors": donors, "samples": 3, "outcome": outcome}
    options["layers"] = ["*", "mid[*]", "dec[1:3]", "skips"]
    whole = layer_effects(TinyUNet(), image, region, engine="full", **options)
    windowed = layer_effects(TinyUNet(), image, region, engine="incremental", **options)
    assert (whole.engine, windowed.engine) == ("full", "incremental")
    assert whole.layers == windowed.layers
    # points of 0..100, so 1e-3 points is 1e-5 of the probability
    np.testing.assert_allclose(whole.table(), windowed.table(), atol=1e-3, rtol=0)
    np.testing.assert_allclose(whole.table("stderr"), windowed.table("stderr"), atol=1e-3, rtol=0)


def test_an_edge_is_started_from_by_the_incremental_engine(monkeypatch):
    image = torch.rand(1, 48, 40, generator=torch.Generator().manual_seed(1))
    options = {"intervention": ["noise", "zero"], "layers": "skips", **EXACT}
    whole = layer_effects(TinyUNet(), image, (20, 12, 9, 7), engine="full", **options)

    def refuse(*_args: object) -> None:
        raise AssertionError("a whole pass was made")

    monkeypatch.setattr(HookRunner, "probabilities", refuse)
    windowed = layer_effects(TinyUNet(), image, (20, 12, 9, 7), engine="incremental", **options)
    np.testing.assert_allclose(whole.table(), windowed.table(), atol=1e-3, rtol=0)


def test_an_area_is_kept_to_by_the_incremental_engine_too(image, region):
    for where in ("inside", "outside"):
        options = {"where": where, "elsewhere": True, "intervention": "noise", **EXACT}
        whole = layer_effects(TinyUNet(), image, region, engine="full", **options)
        windowed = layer_effects(TinyUNet(), image, region, engine="incremental", **options)
        np.testing.assert_allclose(whole.table(), windowed.table(), atol=1e-3)
        np.testing.assert_allclose(whole.table("elsewhere"), windowed.table("elsewhere"), atol=1e-3)


@settings(max_examples=10, deadline=None)
@given(batch=st.integers(1, 9), seed=st.integers(0, 3))
def test_batch_size_changes_no_number(batch, seed):
    image = torch.rand(1, 8, 8, generator=torch.Generator().manual_seed(seed))
    options = {"intervention": ["noise", "zero"], "samples": 5, "seed": seed, **EXACT}
    one = layer_effects(TinyUNet(), image, (2, 2, 3, 3), batch=1, **options)
    many = layer_effects(TinyUNet(), image, (2, 2, 3, 3), batch=batch, **options)
    np.testing.assert_allclose(one.table(), many.table(), atol=1e-4)


def test_a_draw_does_not_depend_on_the_other_layers(image, region):
    options = {"intervention": "noise", "samples": 3, **EXACT}
    everything = layer_effects(TinyUNet(), image, region, **options)
    alone = layer_effects(TinyUNet(), image, region, layers=["mid"], **options)
    assert alone.get("mid").effect == pytest.approx(everything.get("mid").effect, abs=1e-5)
    other = layer_effects(TinyUNet(), image, region, layers=["mid"], seed=1, **options)
    assert other.get("mid").effect != alone.get("mid").effect


def test_updates_are_complete_and_converge(image, region):
    updates = list(
        iter_layer_effects(
            TinyUNet(), image, region, intervention=DEFAULT_KINDS, samples=6, batch=2, **EXACT
        )
    )
    assert {len(u.effects) for u in updates} == {5 * 3}
    assert [u.done for u in updates] == sorted(u.done for u in updates)
    assert updates[-1].done == updates[-1].total == updates[-1].effects.evaluations == 5 * 8
    assert np.isnan(updates[0].effects.table()).all()
    assert np.isfinite(updates[-1].effects.table("stderr")).all()
    first_pass = next(u for u in updates if np.isfinite(u.effects.table()).all())
    assert first_pass.done == 15


def test_saved_effects_are_the_same(image, region, tmp_path):
    effects = layer_effects(TinyUNet(), image, region, intervention=("zero", "noise"))
    effects.save(tmp_path / "effects.npz")
    loaded = LayerEffects.load(tmp_path / "effects.npz")
    np.testing.assert_equal(loaded.table("stderr"), effects.table("stderr"))
    assert json.dumps([repr(r) for r in loaded]) == json.dumps([repr(r) for r in effects])
    assert (loaded.base, loaded.seed, loaded.outcome) == (effects.base, 0, "dice")
    frame = effects.to_dataframe()
    assert list(frame.columns[:5]) == ["layer", "kind", "effect", "stderr", "samples"]
    assert len(frame) == 10


class Twice(nn.Module):
    """Runs one activation twice and gives a dictionary from a submodule."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 1)
        self.act = nn.Sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.act(self.conv(x)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layers": "nowhere"}, "no layer that ran is called or matches 'nowhere'"),
        ({"layers": "act"}, "runs 2 times"),
        ({"intervention": "nonsense"}, r"of \['mean', 'zero', .* got 'nonsense'"),
        ({"intervention": []}, "no intervention was given"),
        ({"intervention": "donor"}, r"needs other images; give `donors=` as \(n, 1, 16, 12\)"),
        ({"donors": torch.rand(2, 1, 8, 8)}, r"donor has shape \(1, 8, 8\)"),
        ({"donors": []}, "donors is empty"),
        ({"samples": 0}, "samples must be at least 1, got 0"),
        ({"seed": -1}, "seed must be 0 or larger, got -1"),
        ({"where": "everywhere"}, "got 'everywhere'"),
        (
            {"engine": "steam"},
            r"engine must be one of .'auto', 'incremental', 'full'., got 'steam'",
        ),
        ({"batch": 0}, "batch must be at least 1, got 0"),
        ({"intervention": {"far": scale(float("nan"))}}, "NaN or infinite values after replacing"),
    ],
)
def test_errors_say_what_to_do(image, region, options, message):
    with pytest.raises(ValueError, match=message):
        layer_effects(Twice(), image, region, **options)


def test_a_function_has_no_layers(image, region):
    with pytest.raises(TypeError, match="Module only, got function"):
        layer_effects(lambda x: x, image, region)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_other_precisions(image, region, dtype):
    model = linear(Chain().to(dtype))
    row = layer_effects(model, image.to(dtype), region, layers="first", **EXACT).get("first")
    x = image[0].double().numpy()
    assert row.effect == pytest.approx(37.5 * (x.mean() - x[region].mean()), abs=0.5)
