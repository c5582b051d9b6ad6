"""Replacing a layer's output, against forward hooks."""

from __future__ import annotations

from itertools import combinations

import pytest
import torch
import windowed_nets as nets
import windowed_zoo as zoo
from torch import nn
from torch.testing import assert_close

from pdcr_widgets.causal.incremental import incremental_engine
from pdcr_widgets.causal.incremental.suffixes import Suffixes
from pdcr_widgets.causal.segmenter import segmenter

WINDOW = (slice(8, 16), slice(12, 22))


def engine_for(net, shape=(1, 32, 32), window=WINDOW):
    wrapped = segmenter(net, target=0, activation="sigmoid")
    image = nets.picture(shape)
    return incremental_engine(wrapped, image, window, must_be_faster=False), wrapped, image


def places(suffixes, wrapped):
    found = {name: suffixes.layer(name) for name, _ in wrapped.model.named_modules() if name}
    return {name: place for name, place in found.items() if place is not None}


def hooked(wrapped, image, layer, values, window=WINDOW):
    handle = wrapped.model.get_submodule(layer).register_forward_hook(lambda *_: values.clone())
    try:
        return wrapped(image.expand(len(values), *image.shape))[(slice(None), *window)]
    finally:
        handle.remove()


@pytest.mark.parametrize("name", ["U-Net, bilinear", "squeeze by vectors", "instance norm"])
def test_every_layer_agrees_with_a_forward_hook(name):
    engine, wrapped, image = engine_for(zoo.model(name))
    suffixes = Suffixes(engine)
    layers = places(suffixes, wrapped)
    assert layers
    for layer, place in layers.items():
        values = nets.picture((3, *suffixes.shape(place)))
        expected = hooked(wrapped, image, layer, values)
        assert_close(suffixes.probabilities({place: values}), expected, atol=1e-10, rtol=0)
        if suffixes.is_map(place):
            cropped = values[(slice(None), slice(None), *suffixes.window(place))]
            assert_close(suffixes.probabilities({place: cropped}), expected, atol=1e-10, rtol=0)


def test_two_layers_at_once_agree_with_two_forward_hooks():
    engine, wrapped, image = engine_for(zoo.model("U-Net, bilinear"))
    suffixes = Suffixes(engine)
    layers = places(suffixes, wrapped)
    for first, second in combinations(list(layers)[::2], 2):
        pair = [layers[first], layers[second]]
        values = [nets.picture((2, *suffixes.shape(place))) for place in pair]
        handle = wrapped.model.get_submodule(first).register_forward_hook(
            lambda *_, given=values[0]: given.clone()
        )
        try:
            expected = hooked(wrapped, image, second, values[1])
        finally:
            handle.remove()
        found = suffixes.probabilities(dict(zip(pair, values, strict=True)))
        assert_close(found, expected, atol=1e-10, rtol=0)


def test_the_layers_of_a_residual_net_that_can_be_replaced():
    engine, wrapped, _ = engine_for(zoo.model("residual"))
    suffixes = Suffixes(engine)
    layers = places(suffixes, wrapped)
    assert suffixes.shape(layers["0.body.0"]) == (4, 32, 32)
    assert {"0", "0.skip", "0.body.1", "1.body.4", "2"} <= set(layers)


def test_a_layer_under_a_second_name_is_left_to_hooks_where_the_first_is_read_too():
    class Contiguous(nn.Module):
        def forward(self, x):
            return x.clone()

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.copy = nets.conv(1, 2), Contiguous()

        def forward(self, x):
            x = self.conv(x)
            return self.copy(x) + x if self.again else self.copy(x)

    for again in (True, False):
        net = Net().double()
        net.again = again
        engine, wrapped, _ = engine_for(net)
        assert ("copy" in places(Suffixes(engine), wrapped)) is not again


def test_a_layer_that_runs_twice_is_left_to_hooks():
    shared = nn.Conv2d(1, 1, 3, padding=1)
    engine, _, _ = engine_for(nn.Sequential(shared, shared).double())
    assert Suffixes(engine).layer("0") is None


def test_only_what_the_region_reads_is_asked_for():
    engine, _, _ = engine_for(nets.settled(nn.Sequential(nets.conv(1, 2), nets.conv(2, 1))))
    suffixes = Suffixes(engine)
    assert suffixes.window(suffixes.layer("0")) == (slice(7, 17), slice(11, 23))


def test_memory_does_not_change_results():
    net = zoo.model("U-Net, bilinear")
    wrapped = segmenter(net, target=0, activation="sigmoid")
    image = nets.picture((1, 32, 32))
    roomy = incremental_engine(wrapped, image, WINDOW, must_be_faster=False)
    tight = incremental_engine(wrapped, image, WINDOW, must_be_faster=False)
    tight._memory = 1
    first, second = Suffixes(roomy), Suffixes(tight)
    values = nets.picture((5, *first.shape(first.layer("middle"))))
    assert_close(
        second.probabilities({second.layer("middle"): values}),
        first.probabilities({first.layer("middle"): values}),
        atol=1e-12,
        rtol=0,
    )


def test_wrong_shapes_are_named():
    engine, _, _ = engine_for(zoo.model("U-Net, bilinear"))
    suffixes = Suffixes(engine)
    assert suffixes.layer("nothing") is None
    with pytest.raises(ValueError, match="or of the window that is read"):
        suffixes.probabilities({suffixes.layer("down.0"): torch.zeros(1, 3, 3, 3)})
