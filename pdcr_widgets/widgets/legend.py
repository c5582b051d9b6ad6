"""The legend of an effect map as HTML: signed scale, shares as bar and pie, numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pdcr_widgets.causal import ATEMap
from pdcr_widgets.widgets.text import (
    BASELINE_WORDS,
    OUTCOME_WORDS,
    count,
    escape,
    percent,
    signed,
    words,
)

KINDS = ("supporting", "irrelevant", "harming")
LABELS = {
    "supporting": "Supports the target",
    "irrelevant": "No effect",
    "harming": "Harms the target",
}


def scale(limit: float, stops: list[str]) -> str:
    """Draw the signed colour scale from ``-limit`` to ``limit`` points."""
    ticks = "".join(
        f'<span style="left:{100 * place:g}%">{escape(_tick(limit * (2 * place - 1)))}</span>'
        for place in (0, 0.25, 0.5, 0.75, 1)
    )
    return (
        f'<div class="pdcr-scale" role="img" aria-label="Colour scale from {_tick(-limit)} to '
        f'{_tick(limit)} points">'
        f'<div class="pdcr-scale-ends"><span>supports the target</span>'
        f"<span>harms the target</span></div>"
        f'<div class="pdcr-scale-bar" style="background:linear-gradient(to right,'
        f'{",".join(stops)})"></div><div class="pdcr-scale-ticks">{ticks}</div></div>'
    )


def shares(ate: ATEMap, colors: dict[str, str]) -> str:
    """Draw the shares of supporting, irrelevant and harming patches as pie, bar and table."""
    summary = ate.summary()
    values = {kind: float(summary[kind]) for kind in KINDS}
    bar = "".join(
        f'<span style="width:{100 * values[kind]:.3f}%;background:{colors[kind]}"></span>'
        for kind in KINDS
    )
    rows = "".join(_row(ate, kind, values[kind], colors[kind]) for kind in KINDS)
    told = ", ".join(f"{LABELS[kind].lower()} {percent(values[kind])}" for kind in KINDS)
    return (
        f'<div class="pdcr-shares">{_pie(values, colors)}'
        f'<div class="pdcr-shares-table"><div class="pdcr-shares-bar" role="img" '
        f'aria-label="Shares of patches: {escape(told)}">{bar}</div>'
        f"<table>{rows}</table></div></div>"
    )


def facts(ate: ATEMap) -> str:
    """Say what the map was computed with."""
    recipe = ate.recipe
    outcome = words(OUTCOME_WORDS, str(recipe.get("outcome", "outcome")))
    against = "truth" if recipe.get("truth") else "the model's own prediction"
    drawn = int(ate.samples.max()) if ate.samples.size else 0
    swept = ate.engine == "sweep"
    worst = float(np.nanmax(ate.stderr))
    items = [
        f"{outcome} of the region <b>{ate.base:.2f}</b> of 100, against {against}",
        f"{count(int(np.isfinite(ate.effect).sum()))} patches of "
        f"{' × '.join([str(ate.patch_size)] * ate.effect.ndim)} px",
        _content(recipe),
        f"{'' if swept else 'up to '}{drawn} draw{'s' if drawn != 1 else ''} each",
        f"standard error up to {worst:.2f} points" if worst else "exact",
        "read off the sweep" if swept else f"{count(ate.evaluations)} evaluations",
    ]
    return f'<div class="pdcr-facts">{" · ".join(items)}</div>'


def _content(recipe: Mapping[str, Any]) -> str:
    """Name the baseline, with its values where it is a constant."""
    name = words(BASELINE_WORDS, str(recipe.get("baseline", ""))).lower()
    values = recipe.get("baseline_value", ())
    return escape(" ".join([name, *(f"{value:.3g}" for value in values)]))


def _row(ate: ATEMap, kind: str, share: float, color: str) -> str:
    patches = round(share * int(np.isfinite(ate.effect).sum()))
    return (
        f'<tr><td><i class="pdcr-swatch" style="background:{color}"></i>{LABELS[kind]}</td>'
        f"<td>{percent(share)}</td><td>{count(patches)}</td><td>{_extreme(ate, kind)}</td></tr>"
    )


def _extreme(ate: ATEMap, kind: str) -> str:
    if kind == "irrelevant":
        return f"|effect| &lt; {ate.threshold:g}"
    find = np.nanargmin if kind == "supporting" else np.nanargmax
    place = np.unravel_index(find(ate.effect), ate.effect.shape)
    effect, stderr = float(ate.effect[place]), float(ate.stderr[place])
    right_sign = effect < 0 if kind == "supporting" else effect > 0
    return f"strongest {signed(effect, stderr)}" if right_sign else ""


def _pie(values: dict[str, float], colors: dict[str, str]) -> str:
    """Three arcs of a circle whose circumference is 100."""
    radius, start, arcs = 100 / (2 * np.pi), 0.0, []
    for kind in KINDS:
        length = 100 * values[kind]
        arcs.append(
            f'<circle r="{radius:.4f}" cx="32" cy="32" stroke="{colors[kind]}" '
            f'stroke-dasharray="{length:.3f} 100" stroke-dashoffset="{-start:.3f}"/>'
        )
        start += length
    return f'<svg class="pdcr-pie" viewBox="0 0 64 64" aria-hidden="true">{"".join(arcs)}</svg>'


def _tick(value: float) -> str:
    if value == 0:
        return "0"
    digits = 0 if abs(value) >= 20 else 1 if abs(value) >= 2 else 2
    return f"{'−' if value < 0 else '+'}{abs(value):.{digits}f}"
