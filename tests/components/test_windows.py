"""Windows of positions: tokens, places of a map, and the windows that a network makes itself."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from nets import Chain, TinyUNet
from torch import Tensor, nn

from pdcr_widgets.causal import segmenter
from pdcr_widgets.causal.components import (
    components,
    iter_window_effects,
    layer_effects,
    window_effects,
    window_map,
)

EXACT = {"outcome": "mean_probability"}


def linear(model: nn.Module):
    return segmenter(model, target=0, activation="identity")


class Tokens(nn.Module):
    """y = .5 x + .25 for a pixel, by way of one token per pixel behind ``lead`` further tokens."""

    def __init__(self, lead: int) -> None:
        super().__init__()
        self.lead = nn.Parameter(torch.zeros(1, lead, 1))
        self.embed = nn.Linear(1, 1)
        self.embed.weight.data[:], self.embed.bias.data[:] = 0.5, 0.25

    def forward(self, x: Tensor) -> Tensor:
        rows = x.flatten(2).transpose(1, 2)
        tokens = self.embed(torch.cat([self.lead.expand(len(x), -1, -1), rows], dim=1))
        return tokens[:, self.lead.shape[1] :].transpose(1, 2).reshape(x.shape)


class Merged(nn.Module):
    """y = 2 x, computed in windows of four rows that are merged into the batch axis."""

    def __init__(self) -> None:
        super().__init__()
        self.inside = nn.Linear(1, 1, bias=False)
        self.inside.weight.data[:] = 2.0

    def forward(self, x: Tensor) -> Tensor:
        batch, _, height, width = x.shape
        windows = x.reshape(batch * height // 4, 4 * width, 1)
        return self.inside(windows).reshape(x.shape)


def inside(where: np.ndarray, region: np.ndarray, rows: slice, cols: slice) -> float:
    """Mean over the region of what lies in a window."""
    kept = np.zeros_like(where)
    kept[rows, cols] = where[rows, cols]
    return float(kept[region].mean())


@pytest.mark.parametrize("lead", [0, 1])
@pytest.mark.parametrize("engine", ["full", "incremental"])
def test_a_window_of_tokens_has_a_closed_form(image, region, lead, engine):
    options = {"layers": "embed.window[4:7,2:6]", "engine": engine, **EXACT}
    value = 0.5 * image[0].double().numpy() + 0.25
    rows, cols = slice(4, 7), slice(2, 6)
    found = layer_effects(
        linear(Tokens(lead)), image, region, intervention=["zero", "mean"], **options
    )
    assert found.rows[0].shape == (12, 1)
    assert found.rows[0].effect == pytest.approx(-100 * inside(value, region, rows, cols), abs=1e-3)
    levelled = value[rows, cols].mean() - value
    expected = 100 * inside(levelled, region, rows, cols)
    assert found.rows[1].effect == pytest.approx(expected, abs=1e-3)


def test_donors_noise_and_areas_keep_to_the_window(image, region, donors):
    options = {"layers": "embed.window[4:7,2:6]", "donors": donors, "samples": 3, **EXACT}
    rows, cols = slice(4, 7), slice(2, 6)
    found = layer_effects(
        linear(Tokens(1)), image, region, intervention=["donor", "noise"], **options
    )
    change = 0.5 * (donors[:, 0].mean(dim=0) - image[0]).double().numpy()
    expected = 100 * inside(change, region, rows, cols)
    assert found.rows[0].effect == pytest.approx(expected, abs=1e-3)
    assert found.rows[1].stderr > 0
    held = layer_effects(
        linear(Tokens(1)), image, region, intervention="zero", where="outside", **options
    )
    assert held.rows[0].effect == pytest.approx(0, abs=1e-4)


def test_windows_of_a_map_add_up_to_the_layer_in_a_linear_network(image, region):
    model = linear(Chain())
    updates = list(
        iter_window_effects(model, image, region, layer="first", intervention="zero", **EXACT)
    )
    windows = updates[-1].effects
    assert len(windows) == 8 * 6
    whole = layer_effects(model, image, region, layers="first", intervention="zero", **EXACT)
    assert sum(row.effect for row in windows) == pytest.approx(whole.rows[0].effect, abs=1e-3)
    drawn = window_map(windows)
    assert drawn.shape == (16, 12)
    touched = region.reshape(8, 2, 6, 2).any(axis=(1, 3)).repeat(2, 0).repeat(2, 1)
    np.testing.assert_array_equal(np.abs(drawn) > 1e-3, touched)
    assert np.isnan(window_map(updates[0].effects)).all()
    single = window_effects(model, image, region, layer="first", size=16, **EXACT)
    assert single.layers == ("first.window[0:16,0:12]",)


def test_the_networks_own_windows_are_replaced_one_by_one(image, region):
    found = window_effects(
        linear(Merged()), image, region, layer="inside", intervention="zero", **EXACT
    )
    value = 2 * image[0].double().numpy()
    expected = [
        -100 * inside(value, region, slice(4 * n, 4 * n + 4), slice(None)) for n in range(4)
    ]
    np.testing.assert_allclose([row.effect for row in found], expected, atol=1e-3)
    assert found.layers == tuple(f"inside.window[{n}]" for n in range(4))
    (layer,) = components(Merged(), image).find("inside")
    assert layer.shape == (4, 48, 1)


@pytest.mark.parametrize(
    ("net", "options", "message"),
    [
        (TinyUNet(), {"layers": "mid.window[0:9,0:2]"}, r"8 x 6 positions, .* no window \[0:9,0:2"),
        (TinyUNet(), {"layers": "mid.window[3]"}, r"there is no window \[3\]"),
        (linear(Merged()), {"layers": "inside.window[4]"}, "windows 0 to 3; there is no window"),
        (
            linear(Merged()),
            {"layers": "inside", "where": "inside"},
            "which are no grid over the 16 x 12",
        ),
    ],
)
def test_windows_that_are_not_there_are_named(image, region, net, options, message):
    with pytest.raises(ValueError, match=message):
        layer_effects(net, image, region, **options)


def test_sizes_and_maps_that_make_no_sense_are_refused(image, region):
    with pytest.raises(ValueError, match="at least 1 position, got 0"):
        window_effects(TinyUNet(), image, region, layer="mid", size=0)
    with pytest.raises(ValueError, match="not of windows on a grid"):
        window_map(layer_effects(TinyUNet(), image, region))
