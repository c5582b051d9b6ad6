"""Modes, hooks, buffers, gradients and random state after every kind, failure and cancel."""

from __future__ import annotations

import pytest
import torch
from nets import TinyUNet
from torch import Tensor, nn

from pdcr_widgets.causal.components import (
    INTERVENTIONS,
    channel_effects,
    dose_response,
    iter_layer_effects,
    layer_effects,
    pair_effects,
    prediction_change,
    skip_paths,
    window_effects,
)

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
    error: type[BaseException] = RuntimeError

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
            raise self.error("the model broke")
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


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_every_kind_may_fail_in_the_middle(restless, image, region, donors, kind, error):
    restless.fail_after, restless.error = 8, error
    before = fingerprint(restless)
    with pytest.raises((ValueError, KeyboardInterrupt)):
        layer_effects(
            restless, image, region, intervention=kind, donors=donors, engine="full", batch=1
        )
    assert restless.passes > 8
    assert_as_found(restless, before)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_may_be_cancelled_between_any_two_steps(restless, image, region, donors, kind):
    before = fingerprint(restless)
    for steps in (1, 2, 4):
        running = iter_layer_effects(
            restless, image, region, intervention=kind, donors=donors, batch=2
        )
        for _ in range(steps):
            next(running)
        running.close()
        assert_as_found(restless, before)


QUESTIONS = {
    "channels": lambda m, i, r, **o: channel_effects(m, i, r, layer="mid", **o),
    "windows": lambda m, i, r, **o: window_effects(m, i, r, layer="mid", **o),
    "pairs": lambda m, i, r, **o: pair_effects(m, i, r, layers=["enc -> dec", "mid"], **o),
    "paths": lambda m, i, r, **o: skip_paths(m, i, r, **o),
    "dose": lambda m, i, r, **o: dose_response(m, i, r, layer="mid", **o),
    "change": lambda m, i, r, **o: prediction_change(m, i, layer="mid", **o),
}


@pytest.mark.parametrize("ask", QUESTIONS.values(), ids=QUESTIONS)
@pytest.mark.parametrize("passes", [None, 1, 3, 5])
def test_every_question_leaves_the_model_as_found(restless, image, region, ask, passes):
    before = fingerprint(restless)
    restless.fail_after, restless.error = passes or 10**9, KeyboardInterrupt
    if passes is None:
        ask(restless, image, region, batch=2)
    else:
        with pytest.raises(KeyboardInterrupt):
            ask(restless, image, region, engine="full", batch=2)
    assert_as_found(restless, before)
