"""A second body for a model: the same weights, but hooks and modes of its own."""

from __future__ import annotations

import copy
import threading
import weakref
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn


class Turns:
    """A re-entrant lock that two threads who want it all the time hold in turn.

    A plain one may be taken again and again by the thread that has just let it go.
    """

    def __init__(self) -> None:
        self._door, self._room = threading.Lock(), threading.Lock()
        self._holder, self._depth = 0, 0

    def __enter__(self) -> Turns:
        me = threading.get_ident()
        if self._holder != me:
            with self._door:
                self._room.acquire()
            self._holder = me
        self._depth += 1
        return self

    def __exit__(self, *_error: object) -> None:
        self._depth -= 1
        if self._depth == 0:
            self._holder = 0
            self._room.release()


_TWINS: weakref.WeakKeyDictionary[nn.Module, nn.Module] = weakref.WeakKeyDictionary()
_LOCKS: weakref.WeakKeyDictionary[Any, Turns] = weakref.WeakKeyDictionary()
_REGISTRY = threading.Lock()


def twin(model: Any) -> Any:
    """Give a module that shares every parameter and buffer with ``model`` and nothing else.

    A worker thread hooks modules and switches them to evaluation mode between two steps of its
    own. On a twin, nobody who uses the model meanwhile on another thread notices. Weights that are
    changed in place change in both.

    Parameters
    ----------
    model
        A module. Anything else, a scripted module, and a module that cannot be copied are given
        back as they are.

    Returns
    -------
    nn.Module or callable
        The same twin for the same model, as long as its tensors are the same objects.
    """
    if not isinstance(model, nn.Module) or isinstance(model, torch.jit.ScriptModule):
        return model
    with _REGISTRY:
        known = _TWINS.get(model)
        if known is None or not _share(model, known):
            known = _TWINS[model] = _copy(model)
            if known is model:
                del _TWINS[model]
        return known


def lock_of(model: Any) -> Turns:
    """One lock per model, so that two workers never hook its twin at once."""
    try:
        with _REGISTRY:
            return _LOCKS.setdefault(model, Turns())
    except TypeError:
        return Turns()


def _copy(model: nn.Module) -> nn.Module:
    shared: dict[int, Any] = {id(tensor): tensor for tensor in _tensors(model)}
    try:
        return copy.deepcopy(model, shared)
    except Exception:
        return model


def _share(model: nn.Module, other: nn.Module) -> bool:
    mine, theirs = list(_tensors(model)), list(_tensors(other))
    return len(mine) == len(theirs) and all(a is b for a, b in zip(mine, theirs, strict=True))


def _tensors(model: nn.Module) -> chain[Tensor]:
    return chain(model.parameters(), model.buffers())
