"""A model's graph, recorded while it runs once on the image.

Every tensor operation passes through a dispatch mode, so functional calls are seen as well as
modules, and the activations of the original image come with the graph. Nothing is compiled: the
cost is one forward pass.
"""

from __future__ import annotations

import operator
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from pdcr_widgets.causal.incremental.operators import whole_operators
from pdcr_widgets.causal.incremental.refusing import SHAPES, NoReading, refuse
from pdcr_widgets.causal.incremental.refusing import Unsupported as Unsupported
from pdcr_widgets.causal.incremental.trees import Ref as Ref
from pdcr_widgets.causal.incremental.trees import map_leaves, references


@dataclass(slots=True)
class Call:
    """One recorded operation; no operation (None) for the input and for constants.

    Attributes
    ----------
    op
        Functional operator, ``operator.getitem`` for one of several results, or None.
    args, kwargs
        As called, tensors replaced by `Ref`.
    shape, dtype
        Of the result; an empty shape for results that are no tensor.
    live
        Whether the result depends on the input.
    batched
        Whether the first axis is the batch; of a constant: one equal row per image.
    """

    op: Callable[..., Any] | None
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    shape: tuple[int, ...] = ()
    dtype: torch.dtype | None = None
    live: bool = False
    batched: bool = False

    def signature(self) -> tuple[Any, ...]:
        """What must be equal for two recordings to be the same graph."""
        return (self.op, repr(self.args), repr(self.kwargs), self.shape, self.dtype, self.live)


@dataclass
class Recording:
    """Calls in order, their values for the recorded image, and the modules' outputs.

    ``calls[0]`` is the input. ``layers`` maps the name of a module that ran once to
    the call that made its output.
    """

    calls: list[Call]
    values: list[Any]
    output: int
    layers: dict[str, int]

    def signature(self) -> tuple[Any, ...]:
        """Identity of the graph without its values."""
        return (*(call.signature() for call in self.calls), self.output)


def record(
    model: Callable[[Tensor], Any],
    images: Tensor,
    pick: Callable[[Any], Tensor | None],
    limit: int | None = None,
) -> Recording:
    """Run the model once and record what it does.

    Call it without gradients and with the model in evaluation mode.

    Parameters
    ----------
    model
        Module or callable.
    images
        ``(batch, channels, *spatial)``, on the model's device and of its dtype.
    pick
        Takes the output tensor out of what the model returns.
    limit
        Bytes that the activations may take; None for any number.

    Raises
    ------
    Unsupported
        The model does something whose windows could not be trusted; the message says what.
    """
    recorder = _Recorder(images, limit)
    reading = NoReading(recorder.is_live)
    with _watched_modules(model, recorder), whole_operators(), recorder, reading:
        try:
            output = pick(model(images))
        except (RuntimeError, TypeError, ValueError, NotImplementedError) as error:
            raise Unsupported(f"the model cannot be recorded: {error}") from error
    index = recorder.index.get(id(output))
    if index is None or not recorder.calls[index].live:
        raise Unsupported("the model's output is not computed from the image by tensor operations")
    return Recording(recorder.calls, recorder.values, index, recorder.layers)


class _Recorder(TorchDispatchMode):
    def __init__(self, images: Tensor, limit: int | None = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.calls = [Call(None, shape=tuple(images.shape), dtype=images.dtype, live=True)]
        self.values: list[Any] = [images]
        self.index = {id(images): 0}
        self.layers: dict[str, int] = {}
        self._kept: list[Any] = [images]
        self._left = float("inf") if limit is None else limit
        self._made: set[int] = set()
        self._uses: Counter[int] = Counter()
        self._stale: set[int] = set()
        self._aliases: defaultdict[int, set[int]] = defaultdict(set)

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Nothing here is compiled, and importing the compiler would take a second."""
        return False

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        del types
        kwargs = kwargs or {}
        refs, named = self._refer(args), self._refer(kwargs)
        live = any(self.calls[i].live for i in references((refs, named)))
        if live:
            refuse(func, args, self.is_live)
            live = func._schema.name not in SHAPES
        written = [i for i, a in enumerate(func._schema.arguments) if _is_written(a)]
        if written and not live:
            return self._write_constant(func, written, args, kwargs)
        if written:
            func = self._write(func, written, args)
        result = (_in_place(func) if written else func)(*args, **kwargs)
        self._note(func, refs, named, live, result)
        return result

    def is_live(self, value: Any) -> bool:
        """Whether a tensor depends on the input."""
        index = self.index.get(id(value)) if isinstance(value, Tensor) else None
        return index is not None and self.calls[index].live

    def _write_constant(
        self, func: Any, written: list[int], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Write what does not depend on the image; whoever reads it later sees a new constant."""
        for position in written:
            target = args[position] if position < len(args) else None
            if not isinstance(target, Tensor):
                raise Unsupported(f"the model writes into tensors with {func}")
            for alias in self._aliases.pop(_storage(target), set()):
                if self.calls[alias].live:
                    raise Unsupported("the model writes into a view of its activations")
                value = self.values[alias]
                self.values[alias] = value.clone()
                self.index.pop(id(value), None)
        return func(*args, **kwargs)

    def _refer(self, tree: Any) -> Any:
        return map_leaves(tree, Tensor, self._ref)

    def _ref(self, tensor: Tensor) -> Ref:
        if id(tensor) not in self.index:
            seen = id(tensor) in self._made
            call = Call(_made if seen else None, shape=tuple(tensor.shape), dtype=tensor.dtype)
            self._add(call, tensor)
        index = self.index[id(tensor)]
        if index in self._stale:
            raise Unsupported("the model changes a tensor in place while a view of it is in use")
        self._uses[index] += 1
        return Ref(index)

    def _add(self, call: Call, value: Any) -> int:
        index = len(self.calls)
        self.calls.append(call)
        self.values.append(value)
        if isinstance(value, Tensor):
            self.index[id(value)] = index
            self._kept.append(value)
            if call.op is not None:
                self._made.add(id(value))
            aliases = self._aliases[_storage(value)]
            if call.live and not aliases:
                self._spend(value)
            aliases.add(index)
        return index

    def _spend(self, value: Tensor) -> None:
        self._left -= value.numel() * value.element_size()
        if self._left < 0:
            raise Unsupported("its activations do not fit in the memory that may be used")

    def _note(self, func: Any, refs: Any, named: Any, live: bool, result: Any) -> None:
        if isinstance(result, Tensor):
            self._add(Call(func, refs, named, tuple(result.shape), result.dtype, live), result)
            return
        index = self._add(Call(func, refs, named, live=live), None)
        if isinstance(result, (tuple, list)):
            for position, part in enumerate(result):
                if isinstance(part, Tensor):
                    call = Call(operator.getitem, (Ref(index), position), {}, live=live)
                    call.shape, call.dtype = tuple(part.shape), part.dtype
                    self._add(call, part)

    def _write(self, func: Any, written: list[int], args: tuple[Any, ...]) -> Any:
        """Before a write in place: keep what is overwritten, and name the functional operator."""
        functional = _functional(func)
        if functional is None or written != [0]:
            raise Unsupported(f"the model writes into a tensor with {func}")
        index = self.index[id(args[0])]
        for alias in self._aliases.pop(_storage(args[0]), set()):
            value = self.values[alias]
            if alias == index and self._uses[index] == 1:
                self.values[alias] = None
            elif isinstance(value, Tensor):
                self.values[alias] = value.clone()
            if alias != index:
                self._stale.add(alias)
        return functional


def _made() -> None:
    """Stand-in for the operations behind a constant that the model wrote piece by piece."""


def _is_written(argument: Any) -> bool:
    return argument.alias_info is not None and bool(argument.alias_info.is_write)


def _functional(func: Any) -> Any:
    name = func._schema.name.removeprefix("aten::")
    packet = getattr(torch.ops.aten, name.rstrip("_"), None)
    if not name.endswith("_") or packet is None:
        return None
    return getattr(packet, func._overloadname, None)


def _in_place(func: Any) -> Any:
    name = func._schema.name.removeprefix("aten::")
    return getattr(getattr(torch.ops.aten, name + "_"), func._overloadname)


def _storage(tensor: Tensor) -> int:
    return int(tensor.untyped_storage()._cdata)


@contextmanager
def _watched_modules(model: Any, recorder: _Recorder) -> Iterator[None]:
    """Note which call made each module's output; the hooks are gone afterwards."""
    handles = []
    seen: Counter[str] = Counter()

    def watch(name: str) -> Callable[..., None]:
        def note(_module: nn.Module, _inputs: Any, output: Any) -> None:
            output = output[0] if isinstance(output, tuple) and output else output
            if isinstance(output, Tensor) and id(output) in recorder.index:
                seen.update([name])
                recorder.layers[name] = recorder.index[id(output)]
                if seen[name] > 1:
                    del recorder.layers[name]

        return note

    try:
        if isinstance(model, nn.Module) and not isinstance(model, torch.jit.ScriptModule):
            for name, module in model.named_modules():
                if name:
                    handles.append(module.register_forward_hook(watch(name)))
        yield
    finally:
        for handle in handles:
            handle.remove()
