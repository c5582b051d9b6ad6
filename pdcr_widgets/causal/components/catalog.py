"""Everything in a network that can be replaced, by name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from functools import cached_property

from torch import Tensor

from pdcr_widgets.causal.components.observe import Observed, observe, torch_module
from pdcr_widgets.causal.components.preserve import preserved
from pdcr_widgets.causal.components.sites import Site
from pdcr_widgets.causal.components.stages import default_stages, groups, select
from pdcr_widgets.causal.components.structure import edge_sites, head_sites
from pdcr_widgets.causal.components.trace import IMAGE, Trace, trace
from pdcr_widgets.causal.components.windows import NAME, window_sites
from pdcr_widgets.causal.segmenter import Segmenter

CHANNELS = re.compile(r"(?P<layer>.+)\[(?P<start>\d+|\*)(?::(?P<stop>\d+))?\]")


class Catalog:
    """Sites of one network on one image.

    Parameters
    ----------
    segmenter
        Of a module.
    image
        ``(channels, *spatial)``, on the segmenter's device.
    """

    def __init__(self, segmenter: Segmenter, image: Tensor) -> None:
        self._segmenter, self._image = segmenter, image
        self.model = torch_module(segmenter)
        with preserved(self.model, image.device):
            self.observed = observe(segmenter, image)
        self.stages = [o.name for o in default_stages(self.observed)]

    @cached_property
    def trace(self) -> Trace:
        """Graph of tensor operations; runs the model once more."""
        with preserved(self.model, self._image.device):
            return trace(self._segmenter, self._image)

    @cached_property
    def groups(self) -> dict[str, str]:
        """Where each module lies: encoder, bottleneck, decoder or other."""
        return groups(self.observed, self.trace)

    @cached_property
    def edges(self) -> list[Site]:
        """Skips, residual branches and gates, in the order in which they run."""
        return edge_sites(self.trace, self.stages, self.groups)

    @cached_property
    def heads(self) -> list[Site]:
        """Attention heads, in the order in which they run."""
        return head_sites(self.trace, dict(self.model.named_modules()), self.groups)

    def module(self, observed: Observed) -> Site:
        """Site of a module's output."""
        return Site(
            observed.name, "layer", observed.shape, observed.channel,
            self.groups[observed.name], self._order(observed), module=observed.name,
            passes=observed.passes, merges=observed.merges,
        )  # fmt: skip

    def hands_on(self, source: Site, edge: Site) -> bool:
        """Whether an edge carries a module's output itself."""
        producers = dict(self.trace.ops[edge.op].inputs)
        return producers.get(edge.path) == self.trace.outputs.get(source.module)

    def flow(self, sites: Sequence[Site]) -> tuple[tuple[str, str], ...]:
        """Give the pairs of whole layers of which the second reads the first, in order.

        Layers between them that are not among ``sites`` are passed through; skip connections are
        not followed.
        """
        whole = [site for site in sites if site.module and not site.parts]
        made = {self.trace.outputs[s.module]: s for s in whole if s.module in self.trace.outputs}
        cut = {(edge.op, edge.path) for edge in self.edges if edge.kind == "skip"}
        found = []
        for start, site in made.items():
            front, seen = [start], {start}
            while front:
                op = front.pop()
                if op in made and op != start:
                    found.append((made[op].name, site.name))
                    continue
                for path, producer in self.trace.ops[op].inputs:
                    if producer != IMAGE and producer not in seen and (op, path) not in cut:
                        seen.add(producer)
                        front.append(producer)
        return tuple(found)

    def _order(self, observed: Observed) -> int:
        return self.trace.spans.get(observed.name, (0, 0))[1] - 1

    def find(self, layers: str | Site | Sequence[str | Site] | None) -> list[Site]:
        """Give the sites that are asked for, in the order in which they run.

        Parameters
        ----------
        layers
            None or ``"stages"``: the default stages. ``"skips"``: the skip connections. Else names
            or globs of modules (``"encoder.*"``), of edges (``"encoder.0 -> decoder.3"``,
            ``"* -> *"``), of heads (``"block.0.attn.head[2]"``), of channels (``"mid[7]"``,
            ``"mid[0:8]"``, each channel: ``"mid[*]"``), of windows of positions
            (``"block.0.window[0:4,8:12]"``, a grid of them: ``"block.0.window[*]"``), or sites.

        Raises
        ------
        ValueError
            Nothing is called so, or its output cannot be replaced.
        """
        wanted = [layers] if isinstance(layers, (str, Site)) or layers is None else list(layers)
        if not wanted:
            raise ValueError("layers is empty; leave it out for the default stages")
        found: dict[str, Site] = {}
        for pattern in wanted:
            sites = [pattern] if isinstance(pattern, Site) else self._named(pattern)
            found.update((site.name, site) for site in sites)
        return sorted(found.values(), key=lambda site: site.order)

    def _named(self, pattern: str | None) -> list[Site]:
        names = {o.name for o in self.observed}
        if pattern is None or (pattern == "stages" and pattern not in names):
            return [self.module(o) for o in select(self.observed, None)]
        if pattern == "skips" and pattern not in names:
            return [site for site in self.edges if site.kind == "skip"]
        if _needs_graph(pattern):
            return self._matching(pattern)
        window = NAME.fullmatch(pattern)
        if window:
            (layer,) = select(self.observed, window["layer"])
            spatial = tuple(self._image.shape[1:])
            return window_sites(self.module(layer), spatial, window["which"])
        parts = CHANNELS.fullmatch(pattern)
        if parts and pattern not in names:
            (layer,) = select(self.observed, parts["layer"])
            return channel_sites(self.module(layer), parts["start"], parts["stop"])
        return [self.module(o) for o in select(self.observed, pattern)]

    def _matching(self, pattern: str) -> list[Site]:
        sites = [*self.edges, *self.heads]
        exact = [s for s in sites if s.name == pattern]
        matches = exact or [s for s in sites if _matches(s.name, pattern)]
        if not matches:
            raise ValueError(
                f"no edge or attention head matches {pattern!r}; there are "
                f"{[s.name for s in sites] or 'none in this network'}"
            )
        return matches


def _needs_graph(pattern: str) -> bool:
    return "->" in pattern or ".head[" in pattern or pattern == "skips"


def _matches(name: str, pattern: str) -> bool:
    """Whether a glob matches, brackets taken as they are."""
    return fnmatchcase(name, pattern.replace("[", "[[]"))


def channel_sites(layer: Site, start: str | int = "*", stop: str | int | None = None) -> list[Site]:
    """Give channels of a layer as sites.

    Parameters
    ----------
    layer
        Of a whole output.
    start, stop
        ``"*"``: every channel on its own. One number: that channel. Two: a group of channels, the
        end excluded.

    Raises
    ------
    ValueError
        There are no such channels.
    """
    count = layer.shape[layer.channel]
    if start == "*":
        return [channel_site(layer, c, c + 1) for c in range(count)]
    first = int(start)
    last = first + 1 if stop is None else int(stop)
    if not 0 <= first < last <= count:
        raise ValueError(
            f"layer {layer.name!r} has channels 0 to {count - 1}; there is no [{first}:{last}]"
        )
    return [channel_site(layer, first, last)]


def channel_site(layer: Site, start: int, stop: int) -> Site:
    """Give the channels ``start`` to ``stop`` (excluded) of a layer as one site."""
    text = f"{start}" if stop == start + 1 else f"{start}:{stop}"
    shape = list(layer.shape)
    shape[layer.channel] = stop - start
    return Site(
        f"{layer.name}[{text}]", "channels", tuple(shape), layer.channel, layer.group,
        layer.order, module=layer.module, parts=((layer.channel, start, stop),), whole=layer.shape,
        passes=layer.passes, merges=layer.merges,
    )  # fmt: skip
