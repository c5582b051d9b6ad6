"""Places in a network where something can be replaced."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod

import torch
from torch import Tensor

Path = tuple[int, ...]
Place = tuple[str, int, Path]


@dataclass(frozen=True)
class Site:
    """A tensor inside a network, or a part of one.

    Attributes
    ----------
    name : str
        ``"layer"`` for a module's output, ``"layer[3]"`` or ``"layer[0:8]"`` for channels of it,
        ``"layer.window[0:4,8:12]"`` for a window of its positions, ``"from -> to"`` for one edge of
        the graph, ``"layer.head[2]"`` for an attention head.
    kind : str
        ``"layer"``, ``"channels"``, ``"window"``, ``"skip"``, ``"residual"``, ``"gate"`` or
        ``"head"``.
    shape : tuple of int
        Shape of what is replaced, without the batch axis.
    channel : int
        Axis of ``shape`` that holds the channels; the others are positions.
    group : str
        ``"encoder"``, ``"bottleneck"``, ``"skip"``, ``"decoder"`` or ``"other"``.
    order : int
        Place in the order in which sites are computed.
    module : str
        Module whose output it is, empty for an edge or a head.
    op : int
        Number of the operation, for an edge or a head.
    path : tuple of int
        Place in that operation's arguments; empty for its result.
    parts : tuple of (axis, start, stop)
        Which part of the whole tensor it is; empty for all of it.
    whole : tuple of int
        Shape of the whole tensor, without the batch axis; empty where the site is all of it.
    grid : tuple of int
        Where the tensor's first axis is a row of tokens: the grid that they lie on, one extent per
        spatial axis. ``parts`` then counts its axes in place of the first.
    operator : str
        Name of the operation that an edge leads into, or whose result a head is.
    number : int
        Which of the operations of that name it is, 0 first.
    passes : bool
        Whether the module hands an input on as it is, so that others may read the same tensor.
    merges : bool
        Whether the first axis counts windows that the network merges into the batch.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    channel: int
    group: str
    order: int
    module: str = ""
    op: int = -1
    path: Path = ()
    parts: tuple[tuple[int, int, int], ...] = ()
    whole: tuple[int, ...] = ()
    grid: tuple[int, ...] = ()
    operator: str = ""
    number: int = 0
    passes: bool = False
    merges: bool = False

    @property
    def place(self) -> Place:
        """Identity of the tensor that the site is, or is a part of."""
        return self.module, self.op, self.path

    @property
    def whole_shape(self) -> tuple[int, ...]:
        """Shape of the whole tensor, without the batch axis."""
        return self.whole or self.shape

    def entire(self) -> Site:
        """Give the site of the whole tensor."""
        return replace(self, parts=(), shape=self.whole_shape, whole=(), grid=())

    @property
    def positions(self) -> int:
        """Number of positions: the product of the axes other than the channels'."""
        return prod(n for axis, n in enumerate(self.shape) if axis != self.channel)

    def cut(self, values: Tensor) -> Tensor:
        """Cut the site out of the whole tensor ``(batch, ...)``."""
        part = self._view(values)
        return part.flatten(1, len(self.grid)) if self.grid else part

    def put(self, values: Tensor, content: Tensor) -> Tensor:
        """Give the whole tensor with the site replaced; the one given is left alone."""
        if not self.parts:
            return content.contiguous()
        changed = values.clone(memory_format=torch.contiguous_format)
        part = self._view(changed)
        part.copy_(content.reshape(part.shape))
        return changed

    def _view(self, values: Tensor) -> Tensor:
        """Look at the site's part of the whole tensor, on its grid."""
        if self.grid:
            count = prod(self.grid)
            values = values.narrow(1, values.shape[1] - count, count).unflatten(1, self.grid)
        for axis, start, stop in self.parts:
            values = values.narrow(axis + 1, start, stop - start)
        return values
