"""A diagram of a network, coloured by the effects of its stages and skip connections."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isfinite, prod
from pathlib import Path
from typing import Any

import anywidget
import traitlets as t

from pdcr_widgets.causal.components import LayerEffect, LayerEffects
from pdcr_widgets.widgets.colors import COLORMAPS
from pdcr_widgets.widgets.guarded import Guarded
from pdcr_widgets.widgets.stills import Stilled
from pdcr_widgets.widgets.text import layer_name, signed

STATIC = Path(__file__).parents[1] / "static"
SCALES = {"log": "Logarithmic", "linear": "Linear"}


class NetworkView(Guarded, Stilled, anywidget.AnyWidget):
    """The encoder on the left, the bottleneck below, the decoder on the right, skips as bridges.

    Each box is coloured by the effect of replacing its stage, one stripe per kind of intervention;
    each bridge by the effect of cutting that skip connection alone. A click, or Enter, selects.

    Parameters
    ----------
    effects
        What is drawn; None for nothing yet.
    **traits
        Any trait.

    Attributes
    ----------
    layer : str or None
        The selected component; link it to share the selection.
    pinned : list of str
        Marked components.
    limit : float
        Points at both ends of the colour scale; 0 takes the largest effect's size.
    scale : {"log", "linear"}
        How colours follow effects. On the logarithmic scale effects of one point can be told from
        none beside effects of ninety.
    colormap : {"red-blue", "orange-purple"}
        Colours of negative and positive effects.
    """

    FROM_PAGE = frozenset({"layer"})

    _esm = STATIC / "network_view.js"
    _css = STATIC / "network_view.css"

    graph = t.Dict().tag(sync=True)
    effects = t.Dict().tag(sync=True)
    kinds = t.List(t.Unicode()).tag(sync=True)
    colormap = t.Enum(tuple(COLORMAPS), "red-blue").tag(sync=True)
    limit = t.Float(0.0, min=0).tag(sync=True)
    scale = t.Enum(tuple(SCALES), "log").tag(sync=True)
    layer = t.Unicode(None, allow_none=True).tag(sync=True)
    pinned = t.List(t.Unicode()).tag(sync=True)

    def __init__(self, effects: LayerEffects | None = None, **traits: Any) -> None:
        super().__init__(graph={"nodes": [], "edges": [], "flow": []}, **traits)
        self.show(effects)

    def said(self) -> Iterator[str]:
        """Give the effect of every component, by kind of intervention."""
        for name, pairs in self.effects.items():
            told = (
                f"{kind} {signed(float('nan') if pair is None else pair[0])}"
                for kind, pair in zip(self.kinds, pairs, strict=True)
            )
            yield f"{layer_name(name)}: {', '.join(told)}"

    def show(self, effects: LayerEffects | None, elsewhere: bool = False) -> None:
        """Draw other effects, finished or not: in the region, or in the rest of the image."""
        if effects is None:
            self.graph, self.effects = {"nodes": [], "edges": [], "flow": []}, {}
            return
        graph = as_graph(effects.rows, effects.flow)
        with self.hold_sync():
            if graph != self.graph:
                self.graph = graph
            self.kinds = list(effects.kinds)
            self.effects = {
                name: [_pair(row, elsewhere) for row in effects if row.layer == name]
                for name in effects.layers
            }


def as_graph(
    rows: Sequence[LayerEffect], flow: Sequence[Sequence[str]] = ()
) -> dict[str, list[Any]]:
    """Give the boxes, lines and bridges that rows stand for.

    Returns
    -------
    dict
        ``nodes``: name, label, group and level (rank of the resolution, 0 the finest), in the order
        in which they run. ``edges``: name and the places of the nodes that it joins. ``flow``:
        places of the nodes of which the second reads the first; where that is not known, of those
        that run one after the other.
    """
    unique = {row.layer: row for row in sorted(rows, key=lambda row: row.depth)}
    stages = [row for row in unique.values() if not _is_edge(row)]
    sizes = sorted({_positions(row) for row in stages}, reverse=True)
    nodes = [
        {
            "name": row.layer,
            "label": row.layer,
            "group": row.group,
            "level": sizes.index(_positions(row)),
        }
        for row in stages
    ]
    edges = [
        {"name": row.layer, "source": ends[0], "target": ends[1]}
        for row in unique.values()
        if _is_edge(row) and (ends := _ends(row, stages)) is not None
    ]
    place = {row.layer: number for number, row in enumerate(stages)}
    lines = [[place[a], place[b]] for a, b in flow if a in place and b in place]
    lines = lines or [[n, n + 1] for n in range(len(stages) - 1)]
    return {"nodes": nodes, "edges": edges, "flow": lines}


def _is_edge(row: LayerEffect) -> bool:
    return " -> " in row.layer


def _ends(row: LayerEffect, stages: Sequence[LayerEffect]) -> tuple[int, int] | None:
    """Places of the stages that an edge joins: those it names, else its neighbours in time."""
    source, _, target = row.layer.partition(" -> ")
    names = [stage.layer for stage in stages]
    before = [place for place, stage in enumerate(stages) if stage.depth < row.depth]
    after = [place for place, stage in enumerate(stages) if stage.depth > row.depth]
    if not before or not after:
        return None
    start = _holding(source, names)
    stop = _holding(target.partition(" #")[0], names)
    return before[0] if start is None else start, after[0] if stop is None else stop


def _holding(name: str, stages: Sequence[str]) -> int | None:
    """Place of the stage that a module is, or lies in."""
    for place, stage in enumerate(stages):
        if name == stage or name.startswith(f"{stage}."):
            return place
    return None


def _positions(row: LayerEffect) -> int:
    if len(row.shape) == 2:
        return row.shape[0]
    return prod(row.shape[1:])


def _pair(row: LayerEffect, elsewhere: bool) -> list[float | None]:
    shown = (row.elsewhere, row.elsewhere_stderr) if elsewhere else (row.effect, row.stderr)
    return [_number(value) for value in shown]


def _number(value: float) -> float | None:
    return value if isfinite(value) else None
