"""A network's components as a tree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from pdcr_widgets.causal.arrays import as_image
from pdcr_widgets.causal.components.catalog import Catalog, channel_site, channel_sites
from pdcr_widgets.causal.components.observe import Observed, torch_module
from pdcr_widgets.causal.components.sites import Site
from pdcr_widgets.causal.components.stages import NORMS
from pdcr_widgets.causal.segmenter import segmenter


@dataclass(frozen=True)
class Component:
    """A part of a network.

    Attributes
    ----------
    name : str
        What `layer_effects` takes as a layer; ``""`` for the whole network.
    kind : str
        ``"model"``, ``"stage"``, ``"block"`` (other modules with parts), ``"layer"``, ``"norm"``,
        ``"skip"``, ``"residual"`` (the branch beside an identity), ``"gate"`` (squeeze-and-excite
        and attention gates) or ``"head"``.
    type : str
        Class of the module, or of the operation that an edge leads into.
    shape : tuple of int
        Of its output, without the batch axis; empty where that is not one tensor.
    channels : int
        Length of the channel axis; 0 without a shape.
    resolution : tuple of int
        The other axes of ``shape``.
    depth : int
        Place in the order in which components finish, 0 first.
    group : str
        ``"encoder"``, ``"bottleneck"``, ``"skip"``, ``"decoder"`` or ``"other"``.
    parameters : int
        Number of parameters inside, shared ones counted once.
    site : Site or None
        Where it is replaced; None where it cannot be.
    children : tuple of Component
        In the order in which they finish.
    """

    name: str
    kind: str
    type: str
    shape: tuple[int, ...]
    channels: int
    resolution: tuple[int, ...]
    depth: int
    group: str
    parameters: int
    site: Site | None
    children: tuple[Component, ...] = ()

    def walk(self) -> Iterator[Component]:
        """Go through the tree: this component, then its children's trees."""
        yield self
        for child in self.children:
            yield from child.walk()

    def find(self, pattern: str = "*", kind: str | None = None) -> list[Component]:
        """Give the components whose name matches a glob and, if given, that are of a kind."""
        return [
            c
            for c in self.walk()
            if c.name and kind in (None, c.kind) and fnmatchcase(c.name, pattern)
        ]

    def channel_groups(self, size: int = 1) -> list[Site]:
        """Split the channels of a layer's output into sites of ``size`` channels each.

        Raises
        ------
        ValueError
            The component's output cannot be replaced, or ``size`` is no number of channels.
        """
        if self.site is None or not self.site.module or self.site.parts:
            raise ValueError(f"component {self.name!r} is no layer with channels")
        if not 1 <= size <= self.channels:
            raise ValueError(f"size must be in 1..{self.channels} channels, got {size}")
        if size == 1:
            return channel_sites(self.site)
        return [
            channel_site(self.site, start, min(start + size, self.channels))
            for start in range(0, self.channels, size)
        ]

    def __str__(self) -> str:
        """One line per component, indented, with shape, parameters and group."""
        return "\n".join(_lines(self, 0))


def components(model: Any, image: Any) -> Component:
    """List what a network is made of, by running it once and looking at its structure.

    Modules come from the model; skip connections, residual branches, gates and attention heads from
    the graph of tensor operations, so that names play no part.

    Parameters
    ----------
    model
        A `torch.nn.Module`, or a `Segmenter` of one.
    image
        ``(channels, *spatial)`` floats in the units the model takes; any image of the right size.

    Returns
    -------
    Component
        The whole network; its parts are its children.

    Raises
    ------
    TypeError, ValueError
        The model is no module, or the image cannot be used.
    """
    wrapped = segmenter(model)
    torch_module(wrapped)
    held = as_image(image).to(wrapped.device, wrapped.dtype)
    catalog = Catalog(wrapped, held)
    parts: dict[str, list[Component]] = {}
    for site in (*catalog.edges, *catalog.heads):
        parts.setdefault(_home(catalog, site), []).append(_edge(catalog, site))
    whole = catalog.observed[-1]
    return _module(catalog, whole, parts)


def _module(catalog: Catalog, observed: Observed, parts: dict[str, list[Component]]) -> Component:
    children = [
        _module(catalog, o, parts) for o in catalog.observed if _parent(catalog, o) == observed.name
    ]
    children = sorted([*children, *parts.get(observed.name, [])], key=lambda c: c.depth)
    site = catalog.module(observed) if observed.name and observed.is_replaceable else None
    return Component(
        observed.name, _kind(catalog, observed), type(observed.module).__name__, observed.shape,
        observed.shape[observed.channel] if observed.shape else 0,
        _resolution(observed.shape, observed.channel),
        catalog.trace.spans.get(observed.name, (0, 0))[1] - 1,
        catalog.groups[observed.name], observed.parameters, site, tuple(children),
    )  # fmt: skip


def _kind(catalog: Catalog, observed: Observed) -> str:
    if not observed.name:
        return "model"
    if observed.name in catalog.stages:
        return "stage"
    if isinstance(observed.module, NORMS):
        return "norm"
    return "layer" if observed.is_leaf else "block"


def _edge(catalog: Catalog, site: Site) -> Component:
    return Component(
        site.name, site.kind, catalog.trace.ops[site.op].name, site.shape,
        site.shape[site.channel], _resolution(site.shape, site.channel), site.order, site.group,
        0, site,
    )  # fmt: skip


def _parent(catalog: Catalog, observed: Observed) -> str | None:
    """Nearest enclosing module that ran (lists of modules do not)."""
    if not observed.name:
        return None
    names = {o.name for o in catalog.observed}
    name = observed.name.rpartition(".")[0]
    while name not in names:
        name = name.rpartition(".")[0]
    return name


def _home(catalog: Catalog, site: Site) -> str:
    """Smallest module in which the operation runs."""
    if site.kind == "head":
        return site.name.rpartition(".head[")[0]
    spans = catalog.trace.spans
    inside = [n for n, (start, stop) in spans.items() if start <= site.op < stop]
    return min(inside, key=lambda n: (spans[n][1] - spans[n][0], -n.count(".")))


def _resolution(shape: tuple[int, ...], channel: int) -> tuple[int, ...]:
    return tuple(n for axis, n in enumerate(shape) if axis != channel)


def _lines(component: Component, level: int) -> Iterator[str]:
    name = component.name or "(model)"
    size = " x ".join(str(n) for n in component.shape) or "-"
    count = f"{component.parameters:,}" if component.parameters else ""
    text = f"{'  ' * level}{name}"
    yield f"{text:<48} {component.kind:<9} {size:<18} {count:>12}  {component.group}".rstrip()
    for child in component.children:
        yield from _lines(child, level + 1)
