"""When the engine must not be used, and what it must leave alone."""

from __future__ import annotations

import copy
import gc
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
import windowed_nets as nets
import windowed_zoo as zoo
from torch import nn
from torch.testing import assert_close

from pdcr_widgets.causal.boxes import pasted
from pdcr_widgets.causal.incremental import Unsupported, incremental_engine, kinds
from pdcr_widgets.causal.segmenter import segmenter

WINDOW = (slice(8, 16), slice(12, 20))
STARTS = np.array([[6, 10], [0, 0], [20, 14]])


def engine_for(net, **options):
    wrapped = segmenter(net, target=0, activation="identity")
    image = nets.picture((1, 32, 32))
    return incremental_engine(wrapped, image, WINDOW, must_be_faster=False, **options)


def expected(net):
    wrapped = segmenter(net, target=0, activation="identity")
    return wrapped(pasted(nets.picture((1, 32, 32)), STARTS, contents()))[(slice(None), *WINDOW)]


def contents():
    return nets.picture((3, 1, 5, 5))


def test_a_wrong_operation_is_caught(monkeypatch):
    monkeypatch.setattr(
        kinds.Stencil, "run", lambda self, tile, *_: self.compute(tile) * (1 + 1e-6)
    )
    with pytest.raises(Unsupported, match="differ from the full forward pass"):
        engine_for(zoo.model("residual"))


def test_a_wrong_cone_is_caught(monkeypatch):
    right = kinds.Stencil.spans
    monkeypatch.setattr(
        kinds.Stencil, "spans", lambda self, axis: (right(self, axis)[0] + 1, right(self, axis)[1])
    )
    with pytest.raises(Unsupported, match="differ from the full forward pass"):
        engine_for(zoo.model("residual"))


@pytest.mark.parametrize(
    "change",
    [
        lambda net: net[0].weight.data.mul_(1.5),
        lambda net: nn.init.ones_(net[0].bias),
        lambda net: net.load_state_dict({k: v + 0.1 for k, v in net.state_dict().items()}),
        lambda net: setattr(net[0], "weight", nn.Parameter(net[0].weight.detach() * 2)),
        lambda net: net.__setitem__(1, nn.Sigmoid()),
        lambda net: net[2].register_buffer("running_mean", torch.ones(4).double()),
    ],
    ids=["data", "in place", "loaded", "replaced", "other activation", "buffer"],
)
def test_changes_of_the_model_are_noticed(change):
    net = nets.settled(
        nn.Sequential(nets.conv(1, 4), nn.Tanh(), nn.BatchNorm2d(4), nets.conv(4, 1))
    )
    before = engine_for(net).probabilities(STARTS, contents())
    with torch.no_grad():
        change(net)
    after = engine_for(net).probabilities(STARTS, contents())
    assert not torch.allclose(before, after)
    assert_close(after, expected(net), atol=1e-12, rtol=0)


def test_the_model_is_left_as_it_was():
    net = zoo.model("U-Net, residual, nearest").train()
    net.stem.eval()
    twin = copy.deepcopy(net)
    flags = [module.training for module in net.modules()]
    torch.manual_seed(5)
    state = torch.get_rng_state()
    wrapped = segmenter(net, target=0, activation="sigmoid")
    incremental_engine(wrapped, nets.picture((1, 64, 64)), WINDOW, must_be_faster=False)
    assert [module.training for module in net.modules()] == flags
    assert all(not module._forward_hooks for module in net.modules())
    assert torch.equal(torch.get_rng_state(), state)
    assert all(p.grad is None for p in net.parameters())
    for name, value in net.state_dict().items():
        assert torch.equal(value, twin.state_dict()[name])


def test_models_are_freed():
    net = zoo.model("residual")
    engine = engine_for(net)
    gone = weakref.ref(net)
    del net, engine
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize(
    ("net", "message"),
    [
        (lambda x: x + torch.randn_like(x), "random"),
        (lambda x: nn.functional.dropout(x, 0.5, training=True), "random"),
        (lambda x: x * 2 if x.mean() > 0 else x, "decides by the values"),
        (nn.BatchNorm2d(1, track_running_stats=False).double(), "statistics of the batch"),
        (lambda x: x.view(-1, 1, 32, 32) - x.flatten().mean().view(1, 1, 1, 1), "mixes the images"),
        (lambda x: x.detach().numpy() and None, "decides by the values"),
        (lambda x: torch.zeros(len(x), 1, 32, 32), "not computed from the image"),
    ],
    ids=["noise", "dropout", "branch", "batch statistics", "mixing", "numpy", "constant"],
)
def test_models_that_cannot_be_trusted_to_windows(net, message):
    with pytest.raises(Unsupported, match=message):
        engine_for(net)


def test_models_without_a_gain_are_refused():
    net = nn.Sequential(nn.GroupNorm(1, 1), nets.conv(1, 4), nn.ReLU(), nets.conv(4, 1)).double()
    wrapped = segmenter(net, target=0, activation="identity")
    for _ in range(2):
        with pytest.raises(Unsupported, match=r"not faster: .*% of the work"):
            incremental_engine(wrapped, nets.picture((1, 32, 32)), (slice(0, 32), slice(0, 32)))


def test_functions_are_models_too():
    net = zoo.model("residual")
    engine = engine_for(lambda images: {"out": net(images.double())})
    wrapped = segmenter(net, target=0, activation="identity")
    image = nets.picture((1, 32, 32))
    changed = pasted(image, STARTS, contents())
    truth = wrapped(changed)[(slice(None), *WINDOW)]
    ours = engine.probabilities(STARTS, contents())
    assert_close(ours.float(), truth.float(), atol=1e-5, rtol=0)


def test_activations_that_do_not_fit_are_refused():
    with pytest.raises(Unsupported, match="do not fit in the memory"):
        engine_for(zoo.model("residual"), memory=1000)


def test_little_memory_changes_no_result():
    net = zoo.model("residual")
    engine = engine_for(net)
    engine._memory = 1
    assert_close(engine.probabilities(STARTS, contents()), expected(net), atol=1e-12, rtol=0)


def test_memory_that_runs_out_halves_the_batch(monkeypatch):
    net = zoo.model("residual")
    engine = engine_for(net)
    run = engine._executor.run

    def scarce(contents, plan):
        if len(contents[0]) > 1:
            raise torch.OutOfMemoryError("out of memory")
        return run(contents, plan)

    monkeypatch.setattr(engine._executor, "run", scarce)
    assert_close(engine.probabilities(STARTS, contents()), expected(net), atol=1e-12, rtol=0)
    assert engine.batch == 1


def test_engines_of_one_model_on_several_threads():
    net = zoo.model("residual")
    truth = expected(net)

    def work(_):
        return engine_for(net).probabilities(STARTS, contents())

    with ThreadPoolExecutor(4) as threads:
        for result in threads.map(work, range(8)):
            assert_close(result, truth, atol=1e-12, rtol=0)


def test_unreachable_boxes_have_exactly_the_original_prediction():
    net = nets.settled(nn.Sequential(nets.conv(1, 2), nn.ReLU(), nets.conv(2, 1)))
    engine = engine_for(net)
    starts = np.array([[0, 0], [8, 12]])
    assert engine.reaches(starts, (2, 2)).tolist() == [False, True]
    predicted = engine.probabilities(starts, nets.picture((2, 1, 2, 2)))
    original = expected(net)[1]
    assert torch.equal(predicted[0], engine.original_scores[0])
    assert_close(predicted[0], original, atol=1e-14, rtol=0)
