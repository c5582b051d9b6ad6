"""Skips, residual branches, gates and heads, found in the graph and not by their names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import nn

from pdcr_widgets.causal.components.sites import Path, Site
from pdcr_widgets.causal.components.trace import IMAGE, Trace

JOINS = {"cat", "add", "mul"}
RESIZING = ("conv", "pool", "upsample", "interpolate", "pixel_", "grid_sampler")
PRODUCTS = {"bmm", "baddbmm", "matmul", "einsum"}
MIXING = {"mul", *PRODUCTS}
ATTENTION = "scaled_dot_product"
HEADS = ("num_heads", "num_attention_heads", "n_heads")


@dataclass(frozen=True)
class Reach:
    """How an operation's result came about.

    Attributes
    ----------
    lowest : int
        Fewest positions (more than one) on the way from the image.
    grown : bool
        Whether the way went up in resolution.
    depth : int
        Most operations on the way.
    """

    lowest: int
    grown: bool
    depth: int


@dataclass(frozen=True)
class Edge:
    """An operand of a joining operation: ``kind`` is "skip", "residual" or "gate"."""

    kind: str
    op: int
    path: Path
    producer: int


def reaches(found: Trace) -> dict[int, Reach]:
    """Follow the ways from the image to every operation.

    Products and attention take the resolution of their finest operand: a gate or a reduced set of
    keys does not carry the map through its own resolution.
    """
    start = 2**62
    known = {IMAGE: Reach(start, False, 0)}
    for op, call in enumerate(found.ops):
        before = [known[p] for _, p in call.inputs if p in known]
        if not before:
            continue
        mixes = call.name in MIXING or ATTENTION in call.name
        lowest = (max if mixes else min)(r.lowest for r in before)
        here = found.positions(op)
        inputs = [found.positions(p) for _, p in call.inputs if p != IMAGE]
        resizes = here > 1 and any(word in call.name for word in RESIZING)
        grew = resizes and len(inputs) == 1 and 1 < inputs[0] < here
        if resizes:
            lowest = min(lowest, here)
        known[op] = Reach(
            lowest, grew or any(r.grown for r in before), 1 + max(r.depth for r in before)
        )
    return known


def edges(found: Trace) -> list[Edge]:
    """List the edges into joining operations that are skips, residual branches or gates.

    Where a ``cat`` or ``add`` joins maps, those that did not pass through the lowest resolution
    among them are skip connections. Of maps that passed through equally low ones, all grown again
    and concatenated, the shallower are. Of two maps added at one level the deeper is a residual
    branch. Where maps are multiplied, one with a single position or a single channel is a gate.
    """
    known = reaches(found)
    result: list[Edge] = []
    for op, call in enumerate(found.ops):
        if call.name not in JOINS:
            continue
        inputs = [(path, p) for path, p in call.inputs if p in known and p != IMAGE]
        if len({p for _, p in inputs}) < 2:
            continue
        for kind, path, producer in _roles(found, call.name, inputs, known):
            result.append(Edge(kind, op, path, producer))
    return result


def _roles(
    found: Trace, name: str, inputs: Sequence[tuple[Path, int]], known: Mapping[int, Reach]
) -> list[tuple[str, Path, int]]:
    if name == "mul":
        gates = [(path, p) for path, p in inputs if _is_gate(found, p, inputs)]
        return [("gate", *g) for g in gates] if len(gates) < len(inputs) else []
    if any(not found.positions(p) and len(found.ops[p].shape) < 3 for _, p in inputs):
        return []
    reach = [known[p] for _, p in inputs]
    low = [min(known[p].lowest, found.positions(p) or known[p].lowest) for _, p in inputs]
    skips = [("skip", *i) for i, n in zip(inputs, low, strict=True) if n > min(low)]
    if skips:
        return skips
    deepest = max(r.depth for r in reach)
    shallow = [i for i, r in zip(inputs, reach, strict=True) if r.depth < deepest]
    if name == "cat":
        return [("skip", *i) for i in shallow] if all(r.grown for r in reach) else []
    deep = [i for i, r in zip(inputs, reach, strict=True) if r.depth == deepest]
    return [("residual", *deep[0])] if len(inputs) == 2 and len(deep) == 1 else []


def _is_gate(found: Trace, producer: int, inputs: Sequence[tuple[Path, int]]) -> bool:
    shape = found.ops[producer].shape
    if len(shape) != found.dims + 2:
        return False
    others = [found.ops[p].shape for _, p in inputs if p != producer]
    smaller = any(len(o) == len(shape) and o != shape for o in others)
    return smaller and (found.positions(producer) == 1 or shape[1] == 1)


class Names:
    """Gives readable names to operations: the modules that made or used them."""

    def __init__(self, found: Trace, stages: Sequence[str]) -> None:
        self._found, self._stages = found, set(stages)
        self._users: dict[int, list[int]] = {}
        for op, call in enumerate(found.ops):
            for _, producer in call.inputs:
                self._users.setdefault(producer, []).append(op)
        self._made: dict[int, list[str]] = {}
        for name, op in found.outputs.items():
            if name:
                self._made.setdefault(op, []).append(name)

    def source(self, op: int) -> str:
        """Name the module whose output the result is, through operations of no module."""
        while op != IMAGE:
            if op in self._made:
                return self._best(self._made[op])
            before = [p for _, p in self._found.ops[op].inputs]
            if not before:
                return "input"
            op = max(before)
        return "input"

    def target(self, op: int, kind: str) -> str:
        """Name the module that gives the result on: the next stage, or the next module."""
        front, seen = [op], {op}
        while front:
            op = min(front)
            front.remove(op)
            made = self._made.get(op, [])
            if kind == "skip":
                made = [n for n in made if n in self._stages]
            if made:
                return self._best(made)
            new = [u for u in self._users.get(op, []) if u not in seen]
            front.extend(new)
            seen.update(new)
        return "output"

    def _best(self, names: list[str]) -> str:
        staged = [n for n in names if n in self._stages]
        return min(staged or names, key=lambda n: (n.count("."), n))


def edge_sites(found: Trace, stages: Sequence[str], groups: Mapping[str, str]) -> list[Site]:
    """Give every edge of `edges` as a site named ``"from -> to"``."""
    names = Names(found, stages)
    taken: Counter[str] = Counter()
    sites = []
    for edge in edges(found):
        source, target = names.source(edge.producer), names.target(edge.op, edge.kind)
        name = f"{source} -> {target}"
        taken[name] += 1
        if taken[name] > 1:
            name = f"{name} #{taken[name]}"
        shape, channel = layout(found.ops[edge.producer].shape, found.dims)
        group = "skip" if edge.kind == "skip" else groups.get(target, groups.get(source, "other"))
        operator = found.ops[edge.op].name
        number = found.number(edge.op)
        sites.append(
            Site(
                name, edge.kind, shape, channel, group, edge.op, op=edge.op, path=edge.path,
                operator=operator, number=number,
            )
        )  # fmt: skip
    return sites


def layout(shape: tuple[int, ...], dims: int) -> tuple[tuple[int, ...], int]:
    """Shape without the batch axis, and which of its axes holds the channels."""
    inner = shape[1:] if shape[0] == 1 else shape
    return inner, 0 if len(inner) == dims + 1 else len(inner) - 1


def head_sites(
    found: Trace, modules: Mapping[str, nn.Module], groups: Mapping[str, str]
) -> list[Site]:
    """Give every attention head's output, where a module says how many heads it has.

    The output is the last result inside the module that is shaped ``(..., heads, tokens, width)``
    and made by attention or by a matrix product.
    """
    sites: dict[tuple[int, int], Site] = {}
    for name, module in modules.items():
        heads = next((getattr(module, a) for a in HEADS if hasattr(module, a)), 0)
        if not isinstance(heads, int) or heads < 1 or name not in found.spans:
            continue
        for op in _head_ops(found, found.spans[name], heads)[-1:]:
            inner, _ = layout(found.ops[op].shape, found.dims)
            axis = len(inner) - 3
            shape = (*inner[:axis], 1, *inner[axis + 1 :])
            for head in range(heads):
                sites[op, head] = Site(
                    f"{name}.head[{head}]", "head", shape, len(shape) - 1,
                    groups.get(name, "other"), op, op=op, parts=((axis, head, head + 1),),
                    whole=inner, operator=found.ops[op].name, number=found.number(op),
                )  # fmt: skip
    return list(sites.values())


def _head_ops(found: Trace, span: tuple[int, int], heads: int) -> list[int]:
    return [
        op
        for op in range(*span)
        if (found.ops[op].name in PRODUCTS or ATTENTION in found.ops[op].name)
        and len(found.ops[op].shape) >= 4
        and found.ops[op].shape[-3] == heads
    ]
