"""A twin shares the weights of a model and nothing else."""

from __future__ import annotations

import gc
import threading
import weakref

import pytest
import tiny
import torch
from torch import nn
from torch.testing import assert_close

from pdcr_widgets.twin import lock_of, twin


def test_a_twin_gives_the_same_numbers_from_the_same_memory() -> None:
    net = tiny.Net().eval()
    other = twin(net)
    assert other is not net
    assert [p.data_ptr() for p in other.parameters()] == [p.data_ptr() for p in net.parameters()]
    images = torch.rand(2, 1, 8, 8)
    with torch.no_grad():
        net.last.bias += 1
        assert_close(other(images), net(images))


def test_hooks_and_modes_of_the_twin_are_its_own() -> None:
    net = tiny.Net().train()
    other = twin(net)
    other.eval()
    handle = other.last.register_forward_hook(lambda *_: torch.zeros(1))
    assert net.training
    assert net.norm.training
    assert net(torch.rand(2, 1, 8, 8)).shape == (2, 1, 8, 8)
    handle.remove()


def test_a_model_keeps_its_twin_until_its_tensors_are_others() -> None:
    net = tiny.Net()
    first = twin(net)
    assert twin(net) is first
    net.norm.running_mean = torch.ones(2)
    second = twin(net)
    assert second is not first
    assert second.norm.running_mean is net.norm.running_mean


def test_a_twin_does_not_keep_its_model_alive() -> None:
    net = tiny.Net()
    twin(net)
    gone = weakref.ref(net)
    del net
    gc.collect()
    assert gone() is None


class Locked(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Lock()


def test_a_scripted_module_stays_itself() -> None:
    with pytest.warns(DeprecationWarning, match="jit"):
        scripted = torch.jit.trace(nn.Conv2d(1, 1, 3), torch.rand(1, 1, 8, 8))
    assert twin(scripted) is scripted


@pytest.mark.parametrize("model", [len, Locked()], ids=["function", "uncopyable"])
def test_what_cannot_have_a_twin_stays_itself(model: object) -> None:
    assert twin(model) is model


def test_a_model_has_one_lock() -> None:
    net = tiny.Net()
    assert lock_of(net) is lock_of(net)
    assert lock_of(net) is not lock_of(tiny.Net())
    with lock_of(5):
        assert lock_of(5) is not lock_of(5)
