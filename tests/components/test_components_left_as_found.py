"""Modes, hooks, buffers, gradients and random state after every kind, failure and cancel."""

from __future__ import annotations

import pytest
import torch
from nets import TinyUNet
from torch import Tensor, nn

from pdcr_widgets.causal.components import INTERVENTIONS, iter_layer_effects, layer_effects

KINDS = tuple(INTERVENTIONS)


def fingerprint(model: nn.Module) -> tuple:
    return (
        [m.training for m in model.modules()],
        [len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules()],
        {k: v.clone() for k, v in model.state_dict().items()},
        [None if p.grad is None else p.grad.clone() for p in model.parameters()],
        [p.requires_grad for p in model.parameters()],
        torch.get_rng_state(),
    )


def assert_as_found(model: nn.Module, before: tuple) -> None:
    torch.testing.assert_close(fingerprint(model), before, rtol=0, atol=0)


class Restless(TinyUNet):
    """Counts and draws while it runs, in evaluation mode too; may fail on demand."""

    fail_after = 10**9

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("count", torch.zeros(()))
        self.passes = 0

    def forward(self, x: Tensor) -> Tensor:
        self.passes += 1
        self.count += 1
        torch.rand(3)
        result = super().forward(x)
        if self.passes > self.fail_after:
            raise RuntimeError("the model broke")
        return result


@pytest.fixture
def restless() -> Restless:
    model = Restless().train()
    model.mid.eval()
    for p in model.parameters():
        p.grad = torch.ones_like(p)
    return model


@pytest.mark.parametrize("kind", KINDS)
def test_model_is_left_as_found(restless, image, region, donors, kind):
    before = fingerprint(restless)
    for _ in iter_layer_effects(restless, image, region, intervention=kind, donors=donors):
        assert_as_found(restless, before)
    assert restless.passes > 5
    assert_as_found(restless, before)


@pytest.mark.parametrize("passes", [0, 1, 2, 3, 4, 6])
@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_model_is_left_as_found_after_a_failure(
    restless, image, region, passes, error, monkeypatch
):
    restless.fail_after = passes
    before = fingerprint(restless)
    if error is KeyboardInterrupt:
        head = restless.head.forward

        def interrupted(x: Tensor) -> Tensor:
            if restless.passes > passes:
                raise KeyboardInterrupt
            return head(x)

        monkeypatch.setattr(restless.head, "forward", interrupted)
    with pytest.raises(KeyboardInterrupt if error is KeyboardInterrupt else ValueError) as caught:
        layer_effects(restless, image, region, engine="full")
    assert error is KeyboardInterrupt or "the model broke" in str(caught.value)
    assert_as_found(restless, before)


def test_model_is_left_as_found_after_a_cancel(restless, image, region):
    before = fingerprint(restless)
    running = iter_layer_effects(restless, image, region, intervention="noise")
    for _ in range(4):
        next(running)
    running.close()
    assert_as_found(restless, before)
