"""Torch's switches for rounding factors: off while something is predicted on CUDA, then as before.

They exist without a CUDA device, too.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
import torch
from torch import backends

from pdcr_widgets.causal.precision import full_precision

CUDA = torch.device("cuda")
NEWER = hasattr(backends, "fp32_precision")


def products() -> set[str]:
    """How convolutions and products of matrices are computed, torch's names."""
    if NEWER:
        parts = (backends.cudnn.conv, backends.cudnn.rnn, backends.cuda.matmul)
        return {part.fp32_precision for part in parts}
    tf32 = (backends.cudnn.allow_tf32, backends.cuda.matmul.allow_tf32)
    return {"tf32" if allowed else "ieee" for allowed in tf32}


def switches() -> list[object]:
    """Everything that torch would tell of them."""
    found: list[object] = []
    for read in (
        torch.get_float32_matmul_precision,
        lambda: backends.cudnn.allow_tf32,
        lambda: backends.cuda.matmul.allow_tf32,
    ):
        try:
            found.append(read())
        except RuntimeError:
            found.append("told by the newer switches")
    if NEWER:
        parts = (backends, backends.cudnn, backends.cudnn.conv, backends.cudnn.rnn)
        found += [part.fp32_precision for part in (*parts, backends.cuda.matmul)]
    return found


@pytest.fixture(autouse=True)
def put_back() -> Iterator[None]:
    """Torch's own choice afterwards."""
    yield
    if NEWER:
        for part in (backends, backends.cudnn):
            part.fp32_precision = "none"
        backends.cuda.matmul.fp32_precision = "none"
    torch.set_float32_matmul_precision("highest")
    backends.cudnn.allow_tf32 = True


CHOICES: dict[str, Callable[[], None]] = {
    "torch's own": lambda: None,
    "no TF32": lambda: setattr(backends.cudnn, "allow_tf32", False),
    "medium": lambda: torch.set_float32_matmul_precision("medium"),
}
if NEWER:
    CHOICES |= {
        "everywhere": lambda: setattr(backends, "fp32_precision", "tf32"),
        "in cuDNN": lambda: setattr(backends.cudnn, "fp32_precision", "tf32"),
        "in convolutions": lambda: setattr(backends.cudnn.conv, "fp32_precision", "tf32"),
        "not in convolutions": lambda: setattr(backends.cudnn.conv, "fp32_precision", "ieee"),
        "in products": lambda: setattr(backends.cuda.matmul, "fp32_precision", "tf32"),
    }


@pytest.mark.parametrize("choice", CHOICES)
def test_factors_are_whole_inside_and_switches_as_before_afterwards(choice: str) -> None:
    CHOICES[choice]()
    before = switches()
    with pytest.raises(KeyError):
        twice_inside_and_fail()
    assert switches() == before


def twice_inside_and_fail() -> None:
    with full_precision(CUDA):
        assert products() <= {"ieee", "none"}
        with full_precision(CUDA):
            assert products() <= {"ieee", "none"}
        assert products() <= {"ieee", "none"}
        raise KeyError


def test_a_model_may_ask_torch_inside() -> None:
    with full_precision(CUDA):
        assert backends.cudnn.allow_tf32 is False
        assert backends.cuda.matmul.allow_tf32 is False


def test_the_last_thread_that_leaves_puts_them_back() -> None:
    entered, leave = threading.Event(), threading.Event()

    def other() -> None:
        with full_precision(CUDA):
            entered.set()
            leave.wait(30)

    before = switches()
    thread = threading.Thread(target=other)
    with full_precision(CUDA):
        thread.start()
        assert entered.wait(30)
    assert products() <= {"ieee", "none"}
    leave.set()
    thread.join(30)
    assert switches() == before


@pytest.mark.parametrize("kind", ["cpu", "mps"])
def test_other_devices_are_left_alone(kind: str) -> None:
    before = switches()
    with full_precision(torch.device(kind)):
        assert switches() == before
