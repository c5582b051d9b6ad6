"""What would make an accelerator wait for the host, counted where the loop runs."""

from __future__ import annotations

from collections import Counter
from typing import Any
from unittest import mock

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from toys import SmallNet, box, picture

from pdcr_widgets.causal import PatchBank
from pdcr_widgets.causal.engines import window_engine
from pdcr_widgets.causal.experiment import Experiment, Target

IMAGE = picture(1, 24, 24)
REGION = box((24, 24), slice(8, 14), slice(8, 14))
BANK = PatchBank(picture(6, 1, 4, 4, seed=5))
TO_HOST = {"item", "tolist", "cpu", "__bool__", "__int__", "__float__"}
FROM_HOST = {"as_tensor", "tensor"}
BY_VALUE = {"aten::_local_scalar_dense", "aten::nonzero", "aten::masked_select"}


class Calls(TorchFunctionMode):
    """Counts transfers to the host, and those to the device that wait for their end.

    ``numpy`` is not among them: of a tensor on a device it is an error.
    """

    def __init__(self) -> None:
        super().__init__()
        self.seen: Counter[str] = Counter()
        self._host: list[Any] = []

    def from_numpy(self, array: np.ndarray, make: Any = torch.from_numpy) -> Tensor:
        """In place of torch's own, which modes do not see."""
        self._host.append(make(array))
        return self._host[-1]

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        del types
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        if name in TO_HOST:
            self.seen[name] += 1
        elif name == "to" and any(args[0] is t for t in self._host):
            self.seen["blocking to"] += not kwargs.get("non_blocking")
        result = func(*args, **kwargs)
        if name in FROM_HOST:
            self._host.append(result)
        return result


class Operators(TorchDispatchMode):
    """Counts operators whose result's shape the host must wait for."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: Counter[str] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        del types
        name = func._schema.name
        places = args[1] if name == "aten::index" else ()
        masks = [i for i in places if isinstance(i, Tensor) and i.dtype is torch.bool]
        self.seen[name] += name in BY_VALUE or len(masks) > 0
        return func(*args, **(kwargs or {}))


def waits(work: Any) -> Counter[str]:
    calls, operators = Calls(), Operators()
    with mock.patch.object(torch, "from_numpy", calls.from_numpy), calls, operators:
        work()
    return +calls.seen + operators.seen


@pytest.fixture(params=["full", "incremental"])
def experiment(request: pytest.FixtureRequest) -> Experiment:
    target = Target.of(SmallNet(), IMAGE, REGION, None, "dice")
    found = Experiment.of(target, 4, BANK, window_engine(target, request.param), 0)
    cells = found.grid.cells[:6]
    found.effects(cells, np.zeros(6, np.int64))
    return found


def test_predictions_never_wait(experiment: Experiment) -> None:
    starts, content = np.array([[0, 0], [4, 16], [16, 4]]), picture(3, 1, 4, 4)
    assert not waits(lambda: experiment.engine.probabilities(starts, content))


def test_a_batch_waits_once_for_its_effects(experiment: Experiment) -> None:
    cells = experiment.grid.cells[:6]
    assert waits(lambda: experiment.effects(cells, np.arange(6))) == {"cpu": 1}


def test_a_batch_of_draws_waits_for_effects_and_logits(experiment: Experiment) -> None:
    cells = experiment.grid.cells[:6]
    _, responses = experiment.responses(cells, np.arange(6))
    assert waits(lambda: experiment.responses(cells, np.arange(6))) == {"cpu": 2}
    assert not waits(lambda: experiment.read(responses, np.arange(experiment.width)))


def test_groups_wait_for_effects_and_nearness(experiment: Experiment) -> None:
    cells, corners = experiment.grid.groups(2)
    choices = np.zeros_like(cells)
    seen = waits(lambda: experiment.group_effects(cells, corners, choices))
    assert seen == {"cpu": 2}


def test_the_audit_sees_what_waits() -> None:
    values = picture(4, 4)
    for work in (
        values.tolist, values.cpu, lambda: float(values.max()), lambda: values[values > 0],
        values.nonzero, lambda: bool(values.any()),
        lambda: torch.from_numpy(np.ones(3)).to("cpu"),
    ):  # fmt: skip
        assert waits(work), work
