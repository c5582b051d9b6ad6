"""What runs inside a model: one forward pass, watched through hooks that are gone afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from typing import Any

from torch import Tensor, nn

from pdcr_widgets.causal.segmenter import Segmenter

CHANNELS_LAST = (nn.Linear, nn.LayerNorm, nn.Embedding, nn.MultiheadAttention)


@dataclass(frozen=True)
class Observed:
    """One module as it ran on the image.

    Attributes
    ----------
    name : str
        Dotted name inside the model.
    module : nn.Module
    calls : int
        How often it runs in one forward pass.
    order : int
        Place in the order in which modules finish, 0 first.
    incoming : int
        Number of positions (product of the spatial axes) of its first tensor argument.
    shape : tuple of int
        Shape of its output without the batch axis; empty where the output is not a tensor. Where
        windows are merged into the batch axis, the whole shape.
    channel : int
        Axis of ``shape`` that holds the channels.
    passes : bool
        Whether it hands an input on as it is, like dropout outside training.
    merges : bool
        Whether windows are merged into the batch axis of its output.
    """

    name: str
    module: nn.Module
    calls: int
    order: int
    incoming: int
    shape: tuple[int, ...]
    channel: int
    passes: bool = False
    merges: bool = False

    @property
    def is_leaf(self) -> bool:
        """Whether it has no submodules."""
        return next(self.module.children(), None) is None

    @property
    def positions(self) -> int:
        """Number of positions of the output: the product of its spatial axes."""
        return prod(n for axis, n in enumerate(self.shape) if axis != self.channel)

    @property
    def parameters(self) -> int:
        """Number of parameters, shared ones counted once."""
        return sum(p.numel() for p in self.module.parameters())

    @property
    def is_replaceable(self) -> bool:
        """Whether its output can be replaced: one tensor, once per pass."""
        return self.calls == 1 and bool(self.shape)


def torch_module(segmenter: Segmenter) -> nn.Module:
    """Give the module whose layers are looked at, or say that there is none."""
    model = segmenter.model
    if isinstance(model, nn.Module):
        return model
    raise TypeError(
        f"layers can be found in a torch.nn.Module only, got {type(model).__name__}; give the "
        f"module itself, or put the function into the `forward` of one"
    )


def first_tensor(output: Any) -> Tensor | None:
    """Give the tensor that is a module's output: itself, or the first item of a tuple."""
    if isinstance(output, tuple) and output:
        output = output[0]
    return output if isinstance(output, Tensor) and output.is_floating_point() else None


def with_first_tensor(output: Any, tensor: Tensor) -> Any:
    """Put ``tensor`` in the place where `first_tensor` found one."""
    return (tensor, *output[1:]) if isinstance(output, tuple) else tensor


@contextmanager
def forward_hooks(
    modules: dict[str, nn.Module], hook: Callable[[str, Any, Any, Any], Any]
) -> Iterator[None]:
    """Attach ``hook(name, args, kwargs, output)`` to modules for the length of a block."""
    handles = []
    try:
        for name, module in modules.items():

            def run(
                _module: nn.Module, args: Any, kwargs: Any, output: Any, name: str = name
            ) -> Any:
                return hook(name, args, kwargs, output)

            handles.append(module.register_forward_hook(run, with_kwargs=True))
        yield
    finally:
        for handle in handles:
            handle.remove()


def observe(segmenter: Segmenter, image: Tensor) -> list[Observed]:
    """Run the model once on the image and list its modules in the order in which they finish.

    Parameters
    ----------
    segmenter
        Of a module.
    image
        ``(channels, *spatial)``.

    Returns
    -------
    list of Observed
        Modules that never ran are missing; the model itself, named ``""``, is last.
    """
    model = torch_module(segmenter)
    modules = dict(model.named_modules())
    seen: dict[str, list[tuple[int, tuple[int, ...]]]] = {}
    channels: dict[str, tuple[int, int]] = {}
    passing: set[str] = set()
    merging: set[str] = set()

    def note(name: str, args: Any, kwargs: Any, output: Any) -> None:
        tensor = first_tensor(output)
        inputs = [a for a in (*args, *kwargs.values()) if isinstance(a, Tensor)]
        shape = () if tensor is None else _of_one_image(tensor)
        seen.setdefault(name, []).append((_positions(inputs, image.ndim), shape))
        if any(tensor is given for given in inputs):
            passing.add(name)
        if tensor is not None:
            merging.update([name] if tensor.shape[0] != 1 else [])
            axis = _channel_axis(name, modules[name], shape, image.ndim, channels)
            channels[name] = axis, shape[axis]

    with forward_hooks(modules, note):
        segmenter.scores(image[None])
    return [
        Observed(
            name,
            modules[name],
            len(calls),
            order,
            *calls[0],
            channels.get(name, (0, 0))[0],
            name in passing,
            name in merging,
        )
        for order, (name, calls) in enumerate(seen.items())
    ]


def _of_one_image(output: Tensor) -> tuple[int, ...]:
    return tuple(output.shape[1:] if output.shape[0] == 1 else output.shape)


def _positions(inputs: list[Tensor], ndim: int) -> int:
    if not inputs:
        return 0
    shape = inputs[0].shape[1:]
    return prod(shape[1:]) if len(shape) == ndim else prod(shape[:-1])


def _channel_axis(
    name: str,
    module: nn.Module,
    shape: tuple[int, ...],
    ndim: int,
    known: dict[str, tuple[int, int]],
) -> int:
    """Find the channels: last for token layouts, else the axis as long as the last leaf's channels.

    ``known`` gives for each module that has finished its axis and its number of channels.
    """
    last = len(shape) - 1
    if len(shape) != ndim or isinstance(module, CHANNELS_LAST):
        return last
    inside = [count for child, (_, count) in known.items() if child.startswith(f"{name}.")]
    if not inside or shape[0] == inside[-1] or shape[-1] != inside[-1]:
        return 0
    return last
