"""What a model may not do while it is recorded.

A recording holds for other images only if they take the same steps, so everything by which a model
learns the values of its activations is refused: numbers, branches, and shapes that depend on them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

CONSTANTS = ("zeros", "ones", "full", "empty")
SHAPES = {f"aten::new_{n}" for n in CONSTANTS} | {f"aten::{n}_like" for n in CONSTANTS}
"""Operators that read nothing of a tensor but its shape."""

BY_VALUE = "the model decides by the values of its activations"
READS = frozenset(
    {
        *("tolist", "numpy", "__array__", "__dlpack__", "data_ptr", "storage", "untyped_storage"),
        *("item", "__bool__", "__int__", "__float__", "__index__", "__complex__", "__reduce_ex__"),
    }
)
"""Methods that read a tensor's values, some of them behind the dispatcher's back."""


class Unsupported(Exception):
    """The model cannot be evaluated incrementally, or not faster than by plain passes."""


class OneByOne(Unsupported):
    """In a batch, an image could change what the model does with the others."""


def refuse(func: Any, args: tuple[Any, ...], is_live: Callable[[Any], bool]) -> None:
    """Refuse an operator that reads activations in a way that another image might undo.

    Parameters
    ----------
    func
        Operator that reads an activation.
    args
        What it is given.
    is_live
        Whether an argument depends on the image.

    Raises
    ------
    Unsupported
    """
    name = func._schema.name.removeprefix("aten::")
    if _decides(func, name, args, is_live):
        raise OneByOne(BY_VALUE)
    if torch.Tag.nondeterministic_seeded in func.tags and not _is_idle_dropout(name, args):
        raise Unsupported(f"the model draws random numbers ({name})")


def _decides(func: Any, name: str, args: tuple[Any, ...], is_live: Callable[[Any], bool]) -> bool:
    """Whether the result is a number, or its shape depends on values."""
    if name == "index":
        chosen = [i for i in args[1] if isinstance(i, Tensor)]
        return any(is_live(i) and i.dtype in (torch.bool, torch.uint8) for i in chosen)
    if name == "repeat_interleave":
        return any(is_live(a) for a in (args[1:] or args))
    lists = name in ("nonzero_numpy", "where") and len(args) == 1
    returned = {str(r.type) for r in func._schema.returns}
    numbers = bool(returned & {"bool", "int", "float", "number"})
    return lists or numbers or torch.Tag.dynamic_output_shape in func.tags


def _is_idle_dropout(name: str, args: tuple[Any, ...]) -> bool:
    return "attention" in name or ("dropout" in name and len(args) > 2 and not args[2])


class NoReading(TorchFunctionMode):
    """While active, an activation's values cannot be taken out of torch.

    Parameters
    ----------
    is_live
        Whether a tensor depends on the image.
    """

    def __init__(self, is_live: Callable[[Any], bool]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._is_live = is_live

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        del types
        if getattr(func, "__name__", "") in READS and args and self._is_live(args[0]):
            raise OneByOne(BY_VALUE)
        return func(*args, **(kwargs or {}))
