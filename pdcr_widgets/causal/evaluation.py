"""Evaluation mode that several threads may want of one model at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakKeyDictionary

from torch import nn

LOCK = threading.Lock()
WANTED: WeakKeyDictionary[nn.Module, int] = WeakKeyDictionary()


@contextmanager
def evaluation(model: nn.Module) -> Iterator[None]:
    """Hold a model in evaluation mode; the last of several holders restores each module's own.

    Only modules that were training are touched, so that a model in evaluation costs nothing.
    """
    modules = list(model.modules())
    with LOCK:
        held = [m for m in modules if m.training or (WANTED and m in WANTED)]
        for module in held:
            WANTED[module] = WANTED.get(module, 0) + 1
            module.training = False
    try:
        yield
    finally:
        with LOCK:
            for module in held:
                WANTED[module] -= 1
                if WANTED[module] == 0:
                    del WANTED[module]
                    module.training = True
