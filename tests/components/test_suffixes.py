"""Pairs, paths, heads and windows start in the middle, and agree with whole passes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from nets import Attention, TinyUNet

from pdcr_widgets.causal.components import (
    channel_effects,
    layer_effects,
    pair_effects,
    skip_paths,
    window_effects,
)
from pdcr_widgets.causal.components.interventions import INTERVENTIONS
from pdcr_widgets.causal.components.runner import HookRunner

KINDS = tuple(INTERVENTIONS)
REGION = (20, 12, 9, 7)


@pytest.fixture
def options():
    image = torch.rand(1, 48, 40, generator=torch.Generator().manual_seed(1))
    donors = torch.rand(3, 1, 48, 40, generator=torch.Generator().manual_seed(2))
    return {
        "image": image, "region": REGION, "donors": donors, "intervention": KINDS, "samples": 3,
        "outcome": "mean_probability",
    }  # fmt: skip


@pytest.fixture
def no_whole_passes(monkeypatch):
    """Let no intervention go through hooks and whole passes from now on."""

    def refuse(*_args: object) -> None:
        raise AssertionError("a whole pass was made")

    def start() -> None:
        monkeypatch.setattr(HookRunner, "probabilities", refuse)

    return start


class Lively(TinyUNet):
    """Weights large enough for effects of some points."""

    def __init__(self) -> None:
        super().__init__()
        with torch.no_grad():
            for weight in self.parameters():
                weight *= 2.5


def numbers(rows) -> np.ndarray:
    """Everything measured, points; 1e-3 points are 1e-5 of the probability."""
    names = [name for name, value in vars(rows[0]).items() if isinstance(value, float)]
    return np.array([[getattr(row, name) for name in names] for row in rows])


@pytest.mark.parametrize(
    ("measure", "net", "asked"),
    [
        (skip_paths, Lively, {}),
        (pair_effects, Lively, {"layers": ["enc", "enc -> dec", "mid"]}),
        (pair_effects, Lively, {"layers": ["mid", "up", "head"]}),
        (pair_effects, Lively, {"layers": ["mid[0]", "mid[1]", "enc -> dec"]}),
        (layer_effects, Attention, {"layers": ["attention.head[*", "* -> *", "attention"]}),
        (channel_effects, Lively, {"layer": "mid", "size": 3}),
        (window_effects, Lively, {"layer": "mid", "size": 9}),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_only_what_follows_is_computed_and_agrees(measure, net, asked, options, no_whole_passes):
    whole = measure(net(), **options, **asked, engine="full")
    no_whole_passes()
    ours = measure(net(), **options, **asked, engine="incremental")
    np.testing.assert_allclose(numbers(list(ours)), numbers(list(whole)), atol=1e-3, rtol=0)
    assert np.nanmax(np.abs(numbers(list(whole)))) > 0.1


def test_a_part_of_what_follows_from_the_other_goes_through_hooks(options):
    asked = {**options, "layers": ["enc", "mid[0]"]}
    whole = pair_effects(Lively(), **asked, engine="full")
    ours = pair_effects(Lively(), **asked, engine="incremental")
    np.testing.assert_allclose(numbers(list(ours)), numbers(list(whole)), atol=1e-3, rtol=0)


def test_a_skip_that_carries_something_made_from_the_stage(options):
    class Reduced(Lively):
        def forward(self, x):
            skip = self.enc(x)
            deep = self.up(self.mid(self.pool(skip)))
            return self.head(self.dec(torch.cat([skip.clamp(max=0.5), deep], dim=1)))

    whole = skip_paths(Reduced(), **options, engine="full")
    ours = skip_paths(Reduced(), **options, engine="incremental")
    np.testing.assert_allclose(numbers(list(ours)), numbers(list(whole)), atol=1e-3, rtol=0)
