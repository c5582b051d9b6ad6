"""Which row of the chart of layers shows what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from pdcr_widgets.causal.components import LayerEffect, LayerEffects
from pdcr_widgets.widgets.text import GROUP_WORDS, layer_name, shorten

LETTERS = 24
GROUPS = tuple(GROUP_WORDS)


@dataclass(frozen=True)
class Rows:
    """Rows from top to bottom, each under a name of its own.

    Attributes
    ----------
    names : tuple of str
        Every row: bars, headings and gaps.
    labels : dict
        Row to the text beside it; empty for most rows.
    bars : dict
        Row to the effect that it shows, in the order of ``names``.
    """

    names: tuple[str, ...]
    labels: dict[str, str]
    bars: dict[str, LayerEffect]

    def of_layer(self, layer: str | None) -> list[int]:
        """Places of a layer's bars among all bars."""
        return [place for place, row in enumerate(self.bars.values()) if row.layer == layer]


def arranged(effects: LayerEffects | None, kinds: Sequence[str], sort: str) -> Rows:
    """Lay out the effects: one bar per layer and kind, a layer's bars together.

    Parameters
    ----------
    effects
        None for none yet.
    kinds
        Which interventions, first on top.
    sort
        ``"depth"``: in groups from the encoder to the decoder, each in the order in which it runs;
        ``"size"``: the largest effect of the first kind on top.
    """
    layers = [
        [row for kind in kinds for row in effects or () if (row.layer, row.kind) == (layer, kind)]
        for layer in (effects.layers if effects is not None else ())
    ]
    layers = [rows for rows in layers if rows]
    names: list[str] = []
    labels: dict[str, str] = {}
    bars: dict[str, LayerEffect] = {}
    for name, label, row in _lines(layers, sort):
        names.append(name)
        labels[name] = label
        if row is not None:
            bars[name] = row
    return Rows(tuple(names), labels, bars)


def _lines(
    layers: list[list[LayerEffect]], sort: str
) -> Iterator[tuple[str, str, LayerEffect | None]]:
    if sort == "size":
        layers = sorted(layers, key=lambda rows: -abs(np.nan_to_num(rows[0].effect)))
        yield from _of_layers(layers)
        return
    place = {group: number for number, group in enumerate(GROUPS)}
    layers = sorted(layers, key=lambda rows: (place[rows[0].group], rows[0].depth))
    grouped = [(key, list(run)) for key, run in groupby(layers, key=lambda rows: rows[0].group)]
    for group, run in grouped:
        if len(grouped) > 1:
            yield f"above {group}", "", None
            yield f"heading {group}", GROUP_WORDS[group], None
        yield from _of_layers(run)


def _of_layers(
    layers: list[list[LayerEffect]],
) -> Iterator[tuple[str, str, LayerEffect | None]]:
    """Bars of each layer, its name beside the middle one, and a gap."""
    for rows in layers:
        for number, row in enumerate(rows):
            middle = number == (len(rows) - 1) // 2
            label = shorten(layer_name(row.layer), LETTERS) if middle else ""
            yield f"{row.layer} {row.kind}", label, row
        yield f"below {rows[0].layer}", "", None
