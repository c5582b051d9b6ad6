"""Replacing a layer's output, against forward hooks."""

from __future__ import annotations

import pytest
import torch
import windowed_nets as nets
import windowed_zoo as zoo
from torch import nn
from torch.testing import assert_close

from pdcr_widgets.causal.incremental import incremental_engine
from pdcr_widgets.causal.segmenter import segmenter

WINDOW = (slice(8, 16), slice(12, 22))


def engine_for(net, shape=(1, 32, 32), window=WINDOW):
    wrapped = segmenter(net, target=0, activation="sigmoid")
    image = nets.picture(shape)
    return incremental_engine(wrapped, image, window, must_be_faster=False), wrapped, image


def hooked(wrapped, image, layer, values, window=WINDOW):
    handle = wrapped.model.get_submodule(layer).register_forward_hook(lambda *_: values.clone())
    try:
        return wrapped(image.expand(len(values), *image.shape))[(slice(None), *window)]
    finally:
        handle.remove()


@pytest.mark.parametrize("name", ["U-Net, bilinear", "squeeze by vectors", "instance norm"])
def test_every_layer_agrees_with_a_forward_hook(name):
    engine, wrapped, image = engine_for(zoo.model(name))
    layers = engine.layers()
    assert layers
    for layer, shape in layers.items():
        values = nets.picture((3, *shape))
        expected = hooked(wrapped, image, layer, values)
        assert_close(engine.layer_probabilities(layer, values), expected, atol=1e-10, rtol=0)
        cropped = values[(slice(None), slice(None), *engine.layer_window(layer))]
        assert_close(engine.layer_probabilities(layer, cropped), expected, atol=1e-10, rtol=0)


def test_the_layers_of_a_residual_net_that_can_be_replaced():
    engine, _, _ = engine_for(zoo.model("residual"))
    layers = engine.layers()
    assert layers["0.body.0"] == (4, 32, 32)
    assert {"0", "0.skip", "0.body.1", "1.body.4", "2"} <= set(layers)


def test_a_layer_that_runs_twice_is_left_to_hooks():
    shared = nn.Conv2d(1, 1, 3, padding=1)
    engine, _, _ = engine_for(nn.Sequential(shared, shared).double())
    assert "0" not in engine.layers()


def test_only_what_the_region_reads_is_asked_for():
    engine, _, _ = engine_for(nets.settled(nn.Sequential(nets.conv(1, 2), nets.conv(2, 1))))
    assert engine.layer_window("0") == (slice(7, 17), slice(11, 23))


def test_memory_does_not_change_results():
    net = zoo.model("U-Net, bilinear")
    wrapped = segmenter(net, target=0, activation="sigmoid")
    image = nets.picture((1, 32, 32))
    roomy = incremental_engine(wrapped, image, WINDOW, must_be_faster=False)
    tight = incremental_engine(wrapped, image, WINDOW, must_be_faster=False)
    tight._memory = 1
    values = nets.picture((5, *roomy.layers()["middle"]))
    assert_close(
        tight.layer_probabilities("middle", values),
        roomy.layer_probabilities("middle", values),
        atol=1e-12,
        rtol=0,
    )


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [("nothing", (1, 6, 32, 32), "no layer 'nothing'"), ("down.0", (1, 3, 3, 3), "must be")],
)
def test_wrong_layers_and_shapes_are_named(layer, shape, message):
    engine, _, _ = engine_for(zoo.model("U-Net, bilinear"))
    with pytest.raises(ValueError, match=message):
        engine.layer_probabilities(layer, torch.zeros(shape))
