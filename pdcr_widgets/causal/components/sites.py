"""Places in a network where something can be replaced."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod

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
        ``"from -> to"`` for one edge of the graph, ``"layer.head[2]"`` for an attention head.
    kind : str
        ``"layer"``, ``"channels"``, ``"skip"``, ``"residual"``, ``"gate"`` or ``"head"``.
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
    part : tuple of int or None
        ``(axis, start, stop)`` of the whole tensor; None for all of it.
    operator : str
        Name of the operation that an edge leads into.
    number : int
        Which of the operations of that name it is, 0 first.
    passes : bool
        Whether the module hands an input on as it is, so that others may read the same tensor.
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
    part: tuple[int, int, int] | None = None
    operator: str = ""
    number: int = 0
    passes: bool = False

    @property
    def place(self) -> Place:
        """Identity of the tensor that the site is, or is a part of."""
        return self.module, self.op, self.path

    def entire(self) -> Site:
        """Give the site of the whole tensor; only its place means something."""
        return replace(self, part=None)

    @property
    def positions(self) -> int:
        """Number of positions: the product of the axes other than the channels'."""
        return prod(n for axis, n in enumerate(self.shape) if axis != self.channel)

    def cut(self, values: Tensor) -> Tensor:
        """Cut the site out of the whole tensor ``(batch, ...)``."""
        if self.part is None:
            return values
        axis, start, stop = self.part
        return values.narrow(axis + 1, start, stop - start)

    def put(self, values: Tensor, content: Tensor) -> Tensor:
        """Give the whole tensor with the site replaced; the one given is left alone."""
        if self.part is None:
            return content.contiguous()
        changed = values.clone()
        self.cut(changed).copy_(content)
        return changed
