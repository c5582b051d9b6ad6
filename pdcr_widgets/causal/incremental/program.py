"""A few tensor operations in a row, run on whichever windows they are given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from pdcr_widgets.causal.incremental.trees import map_leaves


@dataclass(frozen=True, slots=True)
class Slot:
    """An operand of the program."""

    index: int


@dataclass(frozen=True, slots=True)
class Temp:
    """The result of an earlier instruction of the program."""

    index: int


@dataclass(frozen=True, slots=True)
class Scaled:
    """A size that grows with the batch: ``slope * batch + offset``."""

    slope: int
    offset: int


@dataclass(frozen=True, eq=False, slots=True)
class Repeated:
    """A constant of the recorded graph that has one equal row per image of the batch."""

    value: Tensor


@dataclass(frozen=True, eq=False)
class Instruction:
    """One operation; leaves of its arguments may be slots and temporaries."""

    op: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any] = field(default_factory=dict)


Program = tuple[Instruction, ...]
LEAVES = (Slot, Temp, Scaled, Repeated)


def run(program: Program, operands: Sequence[Any], batch: int) -> Any:
    """Result of the last instruction.

    Parameters
    ----------
    operands
        What each `Slot` stands for.
    batch
        Number of images, for sizes and constants that depend on it.
    """
    results: list[Any] = []

    def resolve(leaf: Any) -> Any:
        if isinstance(leaf, Slot):
            return operands[leaf.index]
        if isinstance(leaf, Temp):
            return results[leaf.index]
        if isinstance(leaf, Scaled):
            return leaf.slope * batch + leaf.offset
        return leaf.value.expand(batch, *leaf.value.shape[1:])

    for step in program:
        args = map_leaves(step.args, LEAVES, resolve)
        results.append(step.op(*args, **map_leaves(step.kwargs, LEAVES, resolve)))
    return results[-1]


def affine(values: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """``values * scale + shift``, per channel."""
    return torch.addcmul(shift, values, scale)


def joined(first: Program, second: Program, slots: dict[int, Slot | Temp]) -> Program:
    """One program that runs ``first`` and then ``second``.

    ``slots`` says what each slot of ``second`` becomes; `Temp` counts within ``first``.
    """

    def shifted(leaf: Any) -> Any:
        if isinstance(leaf, Temp):
            return Temp(leaf.index + len(first))
        return slots[leaf.index] if isinstance(leaf, Slot) else leaf

    moved = tuple(
        Instruction(
            step.op,
            map_leaves(step.args, LEAVES, shifted),
            map_leaves(step.kwargs, LEAVES, shifted),
        )
        for step in second
    )
    return first + moved
