"""Reading and replacing tensors while a network runs; nothing stays attached afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from pdcr_widgets.causal.components.observe import (
    first_tensor,
    forward_hooks,
    torch_module,
    with_first_tensor,
)
from pdcr_widgets.causal.components.preserve import preserved
from pdcr_widgets.causal.components.sites import Path, Site
from pdcr_widgets.causal.incremental.operators import whole_operators
from pdcr_widgets.causal.segmenter import Segmenter

Change = Callable[[Tensor], Tensor]
Edit = tuple[Site, Tensor]


class Operations(TorchDispatchMode):
    """Counts the tensor operations of a pass and changes some operands and results.

    Parameters
    ----------
    changes
        ``(operation, path) -> function of the tensor``; an empty path is the result.
    """

    def __init__(self, changes: dict[tuple[int, Path], Change]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.changes, self.count, self.paused = changes, 0, False

    @contextmanager
    def pause(self) -> Iterator[None]:
        """Neither count nor change."""
        self.paused = True
        try:
            yield
        finally:
            self.paused = False

    @contextmanager
    def over(self, model: nn.Module) -> Iterator[None]:
        """Watch the model's passes, counting from the beginning of each."""

        def restart(_module: nn.Module, _args: Any) -> None:
            self.count = 0

        handle = model.register_forward_pre_hook(restart)
        try:
            with whole_operators(), self:
                yield
        finally:
            handle.remove()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if self.paused:
            return func(*args, **(kwargs or {}))
        op, self.count = self.count, self.count + 1
        for (at, path), change in self.changes.items():
            if at == op and path:
                args = _changed(args, path, change)
        result = func(*args, **(kwargs or {}))
        after = self.changes.get((op, ()))
        return result if after is None else _change_result(result, after)


def _changed(tree: Any, path: Path, change: Change) -> Any:
    if not path:
        return change(tree)
    items = list(tree)
    items[path[0]] = _changed(items[path[0]], path[1:], change)
    return type(tree)(items)


def _change_result(result: Any, change: Change) -> Any:
    if isinstance(result, Tensor):
        return change(result)
    return (change(result[0]), *result[1:])


@contextmanager
def _changes(
    model: nn.Module, sites: Sequence[Site], change: Callable[[int, Tensor], Tensor]
) -> Iterator[None]:
    """Pass every site's whole tensor through ``change(number of the site, tensor)``."""
    by_module: dict[str, list[int]] = {}
    by_op: dict[tuple[int, Path], list[int]] = {}
    for number, site in enumerate(sites):
        if site.module:
            by_module.setdefault(site.module, []).append(number)
        else:
            by_op.setdefault((site.op, site.path), []).append(number)

    def through(tensor: Tensor, numbers: list[int]) -> Tensor:
        for number in numbers:
            tensor = change(number, tensor)
        return tensor

    mode = Operations({at: partial(through, numbers=n) for at, n in by_op.items()})

    def hook(name: str, args: Any, kwargs: Any, output: Any) -> Any:
        tensor = first_tensor(output)
        if tensor is None:
            return None
        with mode.pause():
            return with_first_tensor(output, through(tensor, by_module[name]))

    modules = {name: model.get_submodule(name) for name in by_module}
    with forward_hooks(modules, hook), mode.over(model) if by_op else nullcontext():
        yield


@torch.inference_mode()
def captured(
    segmenter: Segmenter, images: Tensor, sites: Sequence[Site]
) -> tuple[Tensor, list[Tensor]]:
    """Run the model and keep what is at the sites.

    Returns
    -------
    tuple
        Probabilities ``(batch, *spatial)`` and per site ``(batch, *site.shape)``.
    """
    whole: dict[tuple[str, int, Path], Tensor] = {}
    batch = len(images)

    def keep(number: int, tensor: Tensor) -> Tensor:
        site = sites[number]
        key = (site.module, site.op, site.path)
        if key not in whole:
            whole[key] = _unmerged(tensor, batch).clone()
        return tensor

    model = torch_module(segmenter)
    with preserved(model, images.device), _changes(model, sites, keep):
        probability = segmenter(images)
    return probability, [s.cut(whole[s.module, s.op, s.path]) for s in sites]


@torch.inference_mode()
def edited(
    segmenter: Segmenter, image: Tensor, edits: Sequence[Edit], keep: Sequence[Site] = ()
) -> tuple[Tensor, list[Tensor]]:
    """Run the model on copies of one image with sites replaced, all of them in each copy.

    Parameters
    ----------
    segmenter
        Resolved, of a module.
    image
        ``(channels, *spatial)``.
    edits
        Sites with their content, ``(batch, *site.shape)``.
    keep
        Sites whose values in these runs are wanted.

    Returns
    -------
    tuple
        Probabilities ``(batch, *spatial)`` and per site of ``keep`` ``(batch, *site.shape)``.
    """
    batch = len(edits[0][1])
    kept: dict[int, Tensor] = {}

    def swap(number: int, tensor: Tensor) -> Tensor:
        values = _unmerged(tensor, batch)
        if number >= len(edits):
            kept[number] = keep[number - len(edits)].cut(values).clone()
            return tensor
        site, content = edits[number]
        return site.put(values, content).reshape(tensor.shape)

    model = torch_module(segmenter)
    sites = [*(site for site, _ in edits), *keep]
    images = image.expand(batch, *image.shape)
    with preserved(model, image.device), _changes(model, sites, swap):
        probability = segmenter(images)
    return probability, [kept[number] for number in sorted(kept)]


def _unmerged(tensor: Tensor, batch: int) -> Tensor:
    """``(batch * n, ...)`` as ``(batch, n, ...)`` where windows are merged into the batch axis."""
    if tensor.shape[0] == batch:
        return tensor
    return tensor.reshape(batch, tensor.shape[0] // batch, *tensor.shape[1:])
