"""Skips, residual branches, gates, heads and channels: found by structure, cut on their own."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from nets import Attention, Branches, Chain, Residual, Squeeze, TinyUNet, TwoPaths, pointwise
from torch import Tensor, nn

from pdcr_widgets.causal import segmenter
from pdcr_widgets.causal.components import (
    activations,
    channel_effects,
    components,
    dose_response,
    layer_effects,
    pair_effects,
    prediction_change,
    skip_paths,
)

EXACT = {"outcome": "mean_probability"}


def linear(model: nn.Module):
    return segmenter(model, target=0, activation="identity")


def effect_of_change(model: nn.Module, changed: nn.Module, image: Tensor, region) -> float:
    """Effect worked out from two whole models, without any intervention."""
    before, after = (linear(m)(image[None])[0].double().numpy() for m in (model, changed))
    return 100 * float((after - before)[region].mean())


def test_tree_of_a_unet(image):
    tree = components(TinyUNet(), image)
    assert (tree.kind, tree.name, tree.shape) == ("model", "", (1, 16, 12))
    assert [c.name for c in tree.find(kind="stage")] == ["enc", "mid", "up", "dec", "head"]
    (skip,) = tree.find(kind="skip")
    assert (skip.name, skip.shape, skip.group) == ("enc -> dec", (4, 16, 12), "skip")
    (norm,) = tree.find(kind="norm")
    assert (norm.name, norm.type, norm.parameters) == ("enc.1", "BatchNorm2d", 8)
    mid = tree.find("mid")[0]
    assert (mid.channels, mid.resolution, mid.group) == (8, (8, 6), "bottleneck")
    assert tree.parameters == sum(p.numel() for p in TinyUNet().parameters())
    assert {c.name for c in tree.find("dec.*")} == {"dec.0", "dec.1", "dec.2", "dec.3"}
    depths = [c.depth for c in tree.children]
    assert depths == sorted(depths)
    assert "enc -> dec" in str(tree)
    assert [s.name for s in mid.channel_groups(3)] == ["mid[0:3]", "mid[3:6]", "mid[6:8]"]


def test_cutting_a_skip_leaves_the_encoders_path(image, region):
    model = TinyUNet().eval()
    cut = copy.deepcopy(model)
    cut.dec[0].weight.data[:, :4] = 0
    rows = layer_effects(
        linear(model), image, region, layers=("stages", "skips"), intervention="zero", **EXACT
    )
    skip = rows.get("enc -> dec")
    assert skip.effect == pytest.approx(effect_of_change(model, cut, image, region), abs=1e-4)
    assert skip.group == "skip"
    assert abs(skip.effect - rows.get("enc").effect) > 1e-3
    assert [r.layer for r in rows] == ["enc", "mid", "up", "enc -> dec", "dec", "head"]


def test_the_flow_goes_through_what_is_not_shown_and_not_through_skips(image, region):
    asked = {"layers": ("enc", "up", "head", "skips"), "intervention": "zero"}
    found = layer_effects(TinyUNet(), image, region, **asked)
    assert sorted(found.flow) == [("enc", "up"), ("up", "head")]
    apart = layer_effects(linear(Branches([0.5, 0.25])), image, region, layers="branch.*")
    assert list(apart.flow) == []


def test_residual_branch_is_cut_on_its_own(image, region):
    row = layer_effects(
        linear(Residual()), image, region, layers="* -> *", intervention="zero", **EXACT
    ).get("b -> output")
    x = image[0].double().numpy()[region]
    assert row.effect == pytest.approx(-50 * x.mean(), abs=1e-4)
    assert [c.kind for c in components(Residual(), image).find("* -> *")] == ["residual"]


def test_gate_is_closed_and_levelled(image, region):
    effects = layer_effects(
        linear(Squeeze()), image, region, layers="gate -> *", intervention=["zero", "mean"], **EXACT
    )
    x = image[0].double().numpy()[region].mean()
    assert effects.base == pytest.approx(100 * (0.5 * 2 * x + 0.25 * (1 - x)), abs=1e-4)
    zero, mean = (row.effect for row in effects)
    assert zero == pytest.approx(-effects.base, abs=1e-4)
    assert mean == pytest.approx(100 * (0.375 * (1 + x)) - effects.base, abs=1e-4)
    assert [c.kind for c in components(Squeeze(), image).find("* -> *")] == ["gate"]


def test_attention_heads_are_cut_one_by_one(image, region):
    model = Attention().eval()
    heads = components(model, image).find(kind="head")
    assert [h.name for h in heads] == [f"attention.head[{i}]" for i in range(4)]
    effects = layer_effects(
        linear(model), image, region, layers="attention.head[*", intervention="zero", **EXACT
    )
    for head in range(4):
        cut = copy.deepcopy(model)
        cut.attention.out_proj.weight.data[:, 4 * head : 4 * head + 4] = 0
        expected = effect_of_change(model, cut, image, region)
        assert effects.rows[head].effect == pytest.approx(expected, abs=1e-3)
    with_noise = layer_effects(
        linear(model), image, region, layers="attention.head[2]", intervention="noise", **EXACT
    )
    assert with_noise.rows[0].stderr > 0


def test_two_paths_of_a_linear_network_add(image, region):
    (row,) = skip_paths(
        linear(TwoPaths("sum")), image, region, skips="stage -> *", intervention="zero", **EXACT
    )
    s = 0.8 * image[0].double()
    up = nn.functional.interpolate(
        nn.functional.avg_pool2d(s[None, None], 2), scale_factor=2
    ).numpy()[0, 0]
    assert row.skip == "stage -> out"
    assert row.through_skip == pytest.approx(-50 * s.numpy()[region].mean(), abs=1e-4)
    assert row.through_next == pytest.approx(-25 * up[region].mean(), abs=1e-4)
    assert row.interaction == pytest.approx(0, abs=1e-4)
    assert row.total == pytest.approx(row.through_skip + row.through_next, abs=1e-4)
    assert row.share == pytest.approx(row.through_skip / row.total)
    assert row.total_stderr == row.interaction_stderr == 0


def test_two_paths_of_a_product_interact(image, region):
    table = skip_paths(
        linear(TwoPaths("product")), image, region, intervention=["zero", "noise"], samples=5,
        **EXACT,
    )  # fmt: skip
    zero, noise = table
    for part in (zero.total, zero.through_skip, zero.through_next, -zero.interaction):
        assert part == pytest.approx(-table.base, abs=1e-4)
    parts = noise.through_skip + noise.through_next + noise.interaction
    assert noise.total == pytest.approx(parts, abs=1e-6)
    assert noise.samples == 5
    assert noise.total_stderr > 0
    assert table.to_dataframe()["share"].iloc[0] == pytest.approx(1)


def test_pairs_add_in_a_sum_and_not_in_a_product(image, region):
    added = pair_effects(
        linear(Branches([0.5, 0.25, 0.1])), image, region, layers="branch.*", intervention="zero",
        **EXACT,
    )  # fmt: skip
    assert [(r.first, r.second) for r in added] == [
        ("branch.0", "branch.1"), ("branch.0", "branch.2"), ("branch.1", "branch.2"),
    ]  # fmt: skip
    for row in added:
        assert row.interaction == pytest.approx(0, abs=1e-4)
    (row,) = pair_effects(
        linear(TwoPaths("product")), image, region, layers=["deep", "stage -> *"],
        intervention="zero", **EXACT,
    )  # fmt: skip
    assert row.effect == row.first_effect == row.second_effect
    assert row.interaction == pytest.approx(-row.effect)


def test_planted_channels_are_ranked_first_and_last(image, region):
    class Planted(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.wide = pointwise([[0.5], [0.9], [0.7], [0.8]])
            self.read = pointwise([[0.05, 0.6, 0.0, -0.1]])

        def forward(self, x: Tensor) -> Tensor:
            return self.read(self.wide(x))

    model = linear(Planted())
    for kind in ("zero", "mean", "noise"):
        effects = channel_effects(model, image, region, layer="wide", intervention=kind, **EXACT)
        ranked = sorted(effects, key=lambda row: -abs(row.effect))
        assert ranked[0].layer == "wide[1]"
        assert ranked[-1].layer == "wide[2]"
        assert ranked[-1].effect == pytest.approx(0, abs=1e-5)
    x = image[0].double().numpy()
    found = channel_effects(model, image, region, layer="wide", **EXACT)
    expected = [-100 * w * x[region].mean() for w in (0.025, 0.54, 0, -0.08)]
    np.testing.assert_allclose([r.effect for r in found], expected, atol=1e-4)
    grouped = channel_effects(model, image, region, layer="wide", size=2, **EXACT)
    np.testing.assert_allclose(
        [r.effect for r in grouped], [sum(expected[:2]), sum(expected[2:])], atol=1e-4
    )


def test_prediction_change_and_activations_are_those_of_the_channel(image):
    model = linear(Chain())
    x = image[0].double().numpy()
    found = prediction_change(model, image, layer="first[1]")
    np.testing.assert_allclose(found.change, -0.25 * (-0.5 * x + 0.5), atol=1e-6)
    assert not found.stderr.any()
    noisy = prediction_change(model, image, layer="first[1]", intervention="noise", samples=4)
    assert noisy.stderr.mean() > 0
    assert noisy.flipped.min() >= 0
    values = activations(model, image, layer="first")
    np.testing.assert_allclose(values, [x + 0.25, -0.5 * x + 0.5], atol=1e-6)


def test_dose_response_is_a_line_in_a_linear_network(image, region):
    found = dose_response(linear(Branches([0.5])), image, region, layer="branch.0", **EXACT)
    np.testing.assert_allclose(
        found.effect, [(factor - 1) * found.base for factor in found.factors], atol=1e-4
    )


@pytest.mark.parametrize("net", [TinyUNet, Attention, Squeeze, Residual, lambda: TwoPaths("sum")])
@pytest.mark.parametrize("kind", ["zero", "noise", "donor"])
def test_model_is_left_as_found(net, kind, image, region, donors):
    model = net().train()
    before = copy.deepcopy(model.state_dict())
    rng = torch.get_rng_state()
    names = [c.name for c in components(model, image).walk() if c.site is not None]
    options = {"layers": names, "intervention": kind, "donors": donors, "samples": 2}
    layer_effects(linear(model), image, region, **options)
    assert all(m.training for m in model.modules())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())
    torch.testing.assert_close(dict(model.state_dict()), dict(before), rtol=0, atol=0)
    assert torch.equal(rng, torch.get_rng_state())
    assert torch.backends.mha.get_fastpath_enabled()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda *a: layer_effects(*a, layers="enc[9]"), r"channels 0 to 3; there is no \[9:10\]"),
        (lambda *a: layer_effects(*a, layers="x -> *"), "there are .'enc -> dec'"),
        (lambda *a: layer_effects(*a, layers=[]), "layers is empty"),
        (
            lambda *a: channel_effects(*a, layer="enc", size=5),
            r"in 1\.\.4 channels of 'enc', got 5",
        ),
        (lambda *a: pair_effects(*a, layers="enc"), "two components, got .'enc'"),
        (lambda *a: dose_response(*a, layer="dec.*"), "one component, got"),
        (lambda *a: dose_response(*a, layer="dec", factors=[1, 1]), "different numbers"),
        (lambda *a: prediction_change(*a[:2], layer="dec.*"), "one component, got"),
        (
            lambda *a: prediction_change(*a[:2], layer="dec", intervention=["zero", "mean"]),
            "one intervention, got",
        ),
        (lambda *a: skip_paths(*a, skips="enc"), "'enc' does not start at a module"),
    ],
)
def test_errors_say_what_to_do(call, message, image, region):
    with pytest.raises(ValueError, match=message):
        call(TinyUNet(), image, region)
