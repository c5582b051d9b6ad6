"""Nested arguments of recorded operations."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Ref:
    """The result of another call."""

    index: int


def map_leaves(tree: Any, kinds: type | tuple[type, ...], replace: Callable[[Any], Any]) -> Any:
    """Copy nested lists, tuples and dicts with every leaf of these types replaced."""
    if isinstance(tree, kinds):
        return replace(tree)
    if isinstance(tree, Mapping):
        return {key: map_leaves(value, kinds, replace) for key, value in tree.items()}
    if isinstance(tree, (tuple, list)):
        return type(tree)(map_leaves(value, kinds, replace) for value in tree)
    return tree


def references(tree: Any) -> Iterator[int]:
    """Indices of all `Ref` in nested lists, tuples and dicts."""
    if isinstance(tree, Ref):
        yield tree.index
    elif isinstance(tree, Mapping):
        for value in tree.values():
            yield from references(value)
    elif isinstance(tree, Sequence) and not isinstance(tree, str):
        for value in tree:
            yield from references(value)
