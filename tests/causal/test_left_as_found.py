"""A user's model, image and random states are left as they were found, whatever happens."""

from __future__ import annotations

import copy
import gc
import random
import threading
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from toys import SmallNet, box, picture

from pdcr_widgets.causal import PatchBank, ate_map, iter_ate, patch_draws, segmenter

IMAGE = picture(1, 24, 24)
REGION = box((24, 24), slice(8, 14), slice(8, 14))
BANK = PatchBank(picture(6, 1, 4, 4, seed=5))


@pytest.fixture
def net() -> SmallNet:
    """A network in the middle of training: mixed modes, a hook, gradients."""
    net = SmallNet()
    net.train()
    net.norm.eval()
    net.first.weight.requires_grad_(False)
    net.last.weight.grad = torch.ones_like(net.last.weight)
    net.calls = 0

    def count(*_: Any) -> None:
        net.calls += 1

    net.register_forward_hook(count)
    return net


def snapshot(net: SmallNet) -> dict[str, Any]:
    return {
        "modes": [m.training for m in net.modules()],
        "hooks": [len(m._forward_hooks) + len(m._forward_pre_hooks) for m in net.modules()],
        "state": {k: v.numpy().copy() for k, v in net.state_dict().items()},
        "types": [(p.device, p.dtype, p.requires_grad) for p in net.parameters()],
        "gradients": [None if p.grad is None else p.grad.numpy().copy() for p in net.parameters()],
        "image": IMAGE.numpy().copy(),
        "torch": torch.get_rng_state().numpy().copy(),
        "numpy": copy.deepcopy(np.random.get_state()),  # noqa: NPY002
        "python": random.getstate(),
        "grad mode": torch.is_grad_enabled(),
    }


@pytest.fixture
def unchanged(net: SmallNet) -> Iterator[None]:
    before = snapshot(net)
    yield
    after = snapshot(net)
    for name in before:
        np.testing.assert_equal(after[name], before[name], err_msg=name)
    assert net.calls > 0, "the user's own hook still sees each call"


@pytest.mark.parametrize("sampling", ["paper", "adaptive"])
@pytest.mark.parametrize("baseline", [BANK, "noise", "blur", 0.0])
@pytest.mark.usefixtures("unchanged")
def test_after_a_whole_map(net: SmallNet, sampling: str, baseline: Any) -> None:
    ate_map(net, IMAGE, REGION, patch_size=4, baseline=baseline, sampling=sampling, samples=4)


@pytest.mark.usefixtures("unchanged")
def test_after_looking_at_one_patch(net: SmallNet) -> None:
    patch_draws(net, IMAGE, REGION, 0, 0, patch_size=4, baseline=BANK, samples=5)


@pytest.mark.usefixtures("unchanged")
def test_between_updates_and_after_abandoning_them(net: SmallNet) -> None:
    before = snapshot(net)
    updates = iter_ate(net, IMAGE, REGION, patch_size=4, baseline=BANK)
    for _ in range(3):
        next(updates)
        np.testing.assert_equal(snapshot(net)["modes"], before["modes"])
        np.testing.assert_equal(snapshot(net)["hooks"], before["hooks"])
        assert torch.is_grad_enabled()
    updates.close()


@pytest.mark.usefixtures("unchanged")
def test_after_a_model_that_fails_half_way(net: SmallNet) -> None:
    def fail(module: torch.nn.Module, inputs: Any) -> None:
        if net.calls > 4:
            raise RuntimeError("the disk is full")

    hook = net.wide.register_forward_pre_hook(fail)
    with pytest.raises(ValueError, match="the disk is full"):
        ate_map(net, IMAGE, REGION, patch_size=4, baseline=BANK, engine="full")
    hook.remove()


def test_two_threads_may_use_one_model() -> None:
    """The first to end must not put it back in training while the other is still at work."""
    net = SmallNet().train()
    net.norm.eval()
    modes = [m.training for m in net.modules()]
    inside, leave = threading.Event(), threading.Event()
    wrapped = segmenter(net)
    seen: list[bool] = []

    def long_work() -> None:
        with wrapped.evaluating():
            inside.set()
            assert leave.wait(30)
            seen.extend(m.training for m in net.modules())

    thread = threading.Thread(target=long_work)
    with wrapped.evaluating():
        thread.start()
        assert inside.wait(30)
    assert not any(m.training for m in net.modules())
    leave.set()
    thread.join(30)
    assert seen == [False] * len(modes)
    assert [m.training for m in net.modules()] == modes


def test_training_goes_on_afterwards(net: SmallNet) -> None:
    ate_map(net, IMAGE, REGION, patch_size=4)
    net(IMAGE[None]).sum().backward()
    assert net.last.weight.grad is not None
    assert not torch.equal(net.last.weight.grad, torch.ones_like(net.last.weight))


@pytest.mark.parametrize("finish", [True, False])
def test_nothing_is_held_on_to(finish: bool) -> None:
    net = SmallNet()
    image = IMAGE.clone()
    updates = iter_ate(net, image, REGION, patch_size=4, baseline=BANK, samples=4)
    last = next(updates)
    if finish:
        for last in updates:  # noqa: B007
            pass
    seen = weakref.ref(net), weakref.ref(image)
    del updates, net, image
    gc.collect()
    assert [reference() for reference in seen] == [None, None]
    assert last.map.effect.shape == (6, 6), "a map outlives the model it was made with"


def test_memory_is_flat_over_many_runs() -> None:
    net = SmallNet()

    def tensors() -> int:
        gc.collect()
        return sum(issubclass(type(held), torch.Tensor) for held in gc.get_objects())

    def run(times: int) -> None:
        for _ in range(times):
            ate_map(net, IMAGE, REGION, patch_size=8, baseline=BANK.patches.mean().item())

    run(2)
    before = tensors()
    run(5)
    assert tensors() <= before
