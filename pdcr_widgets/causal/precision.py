"""32-bit products in 32 bits, also where torch would round them to fewer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch

Undo = Callable[[], None]
Switch = tuple[Callable[[], Any], Callable[[Any], None], Any]

LOCK = threading.Lock()


@contextmanager
def full_precision(device: torch.device) -> Iterator[None]:
    """Let no convolution or product on a CUDA device round its 32-bit factors to TF32.

    Torch does so by default for convolutions. It is a thousandth of the scores, and as much as two
    batch sizes or a window and a whole image may differ by: patches without an effect would flip
    pixels. Torch's switches are of the whole process; they are put back when the last thread that
    asked leaves.
    """
    if device.type != "cuda":
        yield
        return
    _enter()
    try:
        yield
    finally:
        _leave()


_inside = 0
_put_back: list[Undo] = []


def _enter() -> None:
    global _inside
    with LOCK:
        if not _inside:
            _put_back.extend(_switched(*switch) for switch in _switches())
        _inside += 1


def _leave() -> None:
    global _inside
    with LOCK:
        _inside -= 1
        while not _inside and _put_back:
            _put_back.pop()()


def _switches() -> list[Switch]:
    """How torch is told: by names of its own for each kind of product where a user began so.

    Torch refuses to read its older switches once they disagree with the newer ones, which a model
    may do; so the older ones are used wherever they decide.
    """
    backends: Any = torch.backends
    older: list[Switch] = [
        (partial(getattr, backends.cudnn, "allow_tf32"),
         partial(setattr, backends.cudnn, "allow_tf32"), False),
        (torch.get_float32_matmul_precision, torch.set_float32_matmul_precision, "highest"),
    ]  # fmt: skip
    if _decide(older):
        return older
    parts = (backends.cudnn.conv, backends.cudnn.rnn, backends.cuda.matmul)
    name = "fp32_precision"
    return [(partial(getattr, p, name), partial(setattr, p, name), "ieee") for p in parts]


def _decide(older: list[Switch]) -> bool:
    """Whether nothing but the older switches was used."""
    if not hasattr(torch.backends, "fp32_precision"):
        return True
    try:
        for read, _, _ in older:
            read()
    except RuntimeError:
        return False
    above = (torch.backends.fp32_precision, torch.backends.cudnn.fp32_precision)
    return set(above) <= {"none", "ieee"}


def _switched(read: Callable[[], Any], write: Callable[[Any], None], value: Any) -> Undo:
    """Set a switch; what is given back sets it as it was."""
    before = read()
    if before == value:
        return _nothing
    write(value)
    return partial(write, before)


def _nothing() -> None:
    """Leave a switch alone that was right."""
