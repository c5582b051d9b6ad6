"""The graph of tensor operations of one forward pass, with the modules they belong to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.weak import WeakIdKeyDictionary

from pdcr_widgets.causal.components.observe import first_tensor, torch_module
from pdcr_widgets.causal.components.sites import Path
from pdcr_widgets.causal.incremental.operators import whole_operators
from pdcr_widgets.causal.segmenter import Segmenter

IMAGE = -1


@dataclass(frozen=True)
class Op:
    """One tensor operation.

    Attributes
    ----------
    name : str
        Operator without namespace, overload and in-place underscore.
    inputs : tuple
        ``(path in the arguments, producer)`` of operands that depend on the image; the producer is
        the number of an operation, or `IMAGE`.
    shape : tuple of int
        Of the result, with the batch axis of length 1.
    """

    name: str
    inputs: tuple[tuple[Path, int], ...]
    shape: tuple[int, ...]


@dataclass
class Trace:
    """Operations in order, and per module the number of the operation that made its output.

    ``spans`` holds the numbers of the first operation inside a module and the first one after it;
    only the last call of a module counts.
    """

    ops: list[Op] = field(default_factory=list)
    outputs: dict[str, int] = field(default_factory=dict)
    spans: dict[str, tuple[int, int]] = field(default_factory=dict)
    dims: int = 2

    def positions(self, op: int) -> int:
        """Positions of a map ``(1, channels, *spatial)``; 0 for other shapes."""
        shape = self.ops[op].shape
        return prod(shape[2:]) if len(shape) == self.dims + 2 else 0

    def number(self, op: int) -> int:
        """Which of the operations of its name that depend on the image it is, 0 first."""
        name = self.ops[op].name
        return sum(before.name == name and bool(before.inputs) for before in self.ops[:op])


@torch.inference_mode()
def trace(segmenter: Segmenter, image: Tensor) -> Trace:
    """Run the model once on the image and write down what depends on it.

    Parameters
    ----------
    segmenter
        Of a module.
    image
        ``(channels, *spatial)``.
    """
    model = torch_module(segmenter)
    found = Trace(dims=image.ndim - 1)
    tracer = _Tracer(found)
    with whole_operators(), _spans(model, tracer), tracer:
        segmenter.scores(image[None])
    return found


class _Tracer(TorchDispatchMode):
    def __init__(self, found: Trace) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.found, self.runs = found, False
        self.producers: Any = WeakIdKeyDictionary()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if not self.runs:
            return func(*args, **(kwargs or {}))
        inputs = tuple(
            (path, self.producers[tensor])
            for path, tensor in _tensors(args)
            if tensor in self.producers
        )
        result = func(*args, **(kwargs or {}))
        main = result if isinstance(result, Tensor) else first_tensor(result)
        op = len(self.found.ops)
        shape = () if main is None else tuple(main.shape)
        name = str(func._schema.name).removeprefix("aten::").rstrip("_")
        self.found.ops.append(Op(name, inputs, shape))
        if inputs:
            for tensor in result if isinstance(result, (tuple, list)) else (result,):
                if isinstance(tensor, Tensor):
                    self.producers[tensor] = op
        return result


def _tensors(tree: Any, path: Path = ()) -> Iterator[tuple[Path, Tensor]]:
    if isinstance(tree, Tensor):
        yield path, tree
    elif isinstance(tree, (tuple, list)):
        for place, item in enumerate(tree):
            yield from _tensors(item, (*path, place))


@contextmanager
def _spans(model: nn.Module, tracer: _Tracer) -> Iterator[None]:
    found, starts, handles = tracer.found, {}, []
    try:
        for name, module in model.named_modules():

            def enter(_module: nn.Module, args: Any, name: str = name) -> None:
                starts[name] = len(found.ops)
                if not name:
                    tracer.runs = True
                    tracer.producers[args[0]] = IMAGE

            def leave(_module: nn.Module, _args: Any, output: Any, name: str = name) -> None:
                found.spans[name] = (starts[name], len(found.ops))
                tracer.runs = bool(name)
                tensor = first_tensor(output)
                if tensor is not None and tensor in tracer.producers:
                    found.outputs[name] = tracer.producers[tensor]

            handles.append(module.register_forward_pre_hook(enter))
            handles.append(module.register_forward_hook(leave))
        yield
    finally:
        for handle in handles:
            handle.remove()
