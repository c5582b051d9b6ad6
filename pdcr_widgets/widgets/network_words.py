"""What is told about a network's components, as HTML."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pdcr_widgets.causal.components import LayerEffect, LayerEffects, PairEffects, SkipPathTable
from pdcr_widgets.widgets.text import INTERVENTION_WORDS, escape, layer_name, signed, words


def hint(effects: LayerEffects | None) -> str:
    """Say how the diagram is read, or why there is none."""
    if effects is None:
        return '<p class="pdcr-empty">The network appears here once its layers are measured.</p>'
    kinds = " · ".join(escape(words(INTERVENTION_WORDS, kind)) for kind in effects.kinds)
    told = saturated(effects)
    stripes = f"Stripes: {kinds}." if len(effects.kinds) > 1 else f"Replaced by: {kinds}."
    return (
        f'<p class="pdcr-hint">{stripes} Points of effect: negative, it supports the prediction; '
        f"positive, it harms it. Bridges are skip connections, each cut on its own. Click a stage "
        f"or a bridge to look inside.</p>{told}"
    )


def saturated(effects: LayerEffects) -> str:
    """Say so where nearly every stage takes the whole outcome away, and what tells more."""
    first = [r for r in effects if r.kind == effects.kinds[0] and " -> " not in r.layer]
    gone = [row for row in first if np.isfinite(row.effect) and row.effect <= -effects.base + 0.5]
    if effects.base < 1 or len(first) < 3 or len(gone) < 0.8 * len(first):
        return ""
    return (
        f'<p class="pdcr-hint">{len(gone)} of {len(first)} stages take the whole outcome of '
        f"{effects.base:.1f} points away, so their effects cannot be told apart. Skips, channels, "
        f"doses, or another outcome (soft Dice, mean probability) tell more.</p>"
    )


def about_layer(effects: LayerEffects, layer: str) -> str:
    """One line per intervention: the effect in the region, and in the rest of the image."""
    rows = [row for row in effects if row.layer == layer]
    shape = " × ".join(map(str, rows[0].shape))
    head = f"<p><b>{name_of(layer)}</b> ({escape(rows[0].group)}, output {escape(shape)})</p>"
    rest = any(np.isfinite(row.elsewhere) for row in rows)
    lines = [
        f"<tr><td>{escape(words(INTERVENTION_WORDS, row.kind))}</td><td>{effect_of(row)}</td>"
        + (f"<td>{_signed(row.elsewhere, row.elsewhere_stderr, row.samples)}</td>" if rest else "")
        + "</tr>"
        for row in rows
    ]
    titles = "<th></th><th>in the region</th>" + ("<th>rest of the image</th>" if rest else "")
    verdict = f'<p class="pdcr-hint">{specificity(rows)}</p>' if rest else ""
    return f"{head}<table><tr>{titles}</tr>{''.join(lines)}</table>{verdict}"


def specificity(rows: Sequence[LayerEffect]) -> str:
    """Say whether effects in the region are larger than in the rest of the image."""
    known = [row for row in rows if np.isfinite(row.elsewhere) and np.isfinite(row.effect)]
    larger = [abs(row.effect) > abs(row.elsewhere) + _slack(row) for row in known]
    smaller = [abs(row.effect) < abs(row.elsewhere) - _slack(row) for row in known]
    if not known:
        return ""
    if all(larger):
        return "Specific to the region: smaller effects in the rest of the image, for every kind."
    if all(smaller):
        return "Not specific: larger effects in the rest of the image, for every kind."
    return "Specificity depends on what it is replaced by, or is within the error."


def _slack(row: LayerEffect) -> float:
    """Twice the standard error of the difference, or a hundredth of a point."""
    errors = np.nan_to_num([row.stderr, row.elsewhere_stderr])
    return max(0.01, 2 * float(np.hypot(*errors)))


def name_of(layer: str) -> str:
    """Give the name of a component as it is written."""
    return escape(layer_name(layer))


def effect_of(row: LayerEffect) -> str:
    """Write an effect in the region."""
    return _signed(row.effect, row.stderr, row.samples)


def _signed(value: float, stderr: float, samples: int) -> str:
    """Write an effect; draws that happen to agree do not make it exact."""
    if samples > 1 and stderr == 0:
        return f"{signed(value)} ± 0.00"
    return signed(value, stderr)


def comparison(effects: LayerEffects | None, pinned: Sequence[str]) -> str:
    """Give the pinned components side by side, one row per kind."""
    if effects is None or not pinned:
        return ""
    known = [name for name in pinned if name in effects.layers]
    head = "".join(f"<th>{name_of(name)}</th>" for name in known)
    lines = []
    for kind in effects.kinds:
        rows = [effects.get(name, kind) for name in known]
        cells = "".join(f"<td>{effect_of(row)}</td>" for row in rows)
        if len(rows) == 2:
            cells += f"<td>{signed(rows[0].effect - rows[1].effect)}</td>"
        lines.append(f"<tr><td>{escape(words(INTERVENTION_WORDS, kind))}</td>{cells}</tr>")
    head += "<th>difference</th>" if len(known) == 2 else ""
    return f"<table><tr><th>Pinned</th>{head}</tr>{''.join(lines)}</table>"


def paths_table(table: SkipPathTable) -> str:
    """Every skip connection: what goes through it, and what through the next stage."""
    if not len(table):
        return '<p class="pdcr-empty">This network has no skip connections.</p>'
    titles = (
        "skip", "replaced by", "whole stage", "through the skip", "through the next stage",
        "only together", "share",
    )  # fmt: skip
    head = "".join(f"<th>{title}</th>" for title in titles)
    lines = []
    named = ""
    for row in table:
        share = f"{round(100 * row.share)} %" if np.isfinite(row.share) else "–"
        cells = (
            escape(words(INTERVENTION_WORDS, row.kind)),
            signed(row.total, row.total_stderr),
            f"<b>{signed(row.through_skip, row.through_skip_stderr)}</b>",
            signed(row.through_next, row.through_next_stderr),
            signed(row.interaction, row.interaction_stderr),
            share.replace("-", "−"),
        )
        first = "" if row.skip == named else name_of(row.skip)
        named = row.skip
        numbers = "".join(f"<td>{cell}</td>" for cell in cells)
        mark = ' class="pdcr-first"' if first else ""
        lines.append(f"<tr{mark}><td>{first}</td>{numbers}</tr>")
    return (
        f"<table><tr>{head}</tr>{''.join(lines)}</table>"
        '<p class="pdcr-hint">The output of the stage in front of a skip is replaced; then only '
        "the skip, or only the next stage, sees it, while the other keeps the values of the "
        "untouched run. What neither does alone they do only together. Share: of the whole "
        "stage's effect, what goes through the skip alone.</p>"
    )


def pair_table(pairs: PairEffects) -> str:
    """Both at once against one at a time, and what that means."""
    head = "".join(
        f"<th>{title}</th>"
        for title in ("replaced by", "first alone", "second alone", "both", "interaction", "")
    )
    lines = []
    for row in pairs:
        cells = (
            signed(row.first_effect),
            signed(row.second_effect),
            signed(row.effect),
            signed(row.interaction, row.stderr),
            interplay(row.first_effect, row.second_effect, row.interaction, row.stderr),
        )
        kind = escape(words(INTERVENTION_WORDS, row.kind))
        lines.append(f"<tr><td>{kind}</td>{''.join(f'<td>{c}</td>' for c in cells)}</tr>")
    first, second = name_of(pairs.rows[0].first), name_of(pairs.rows[0].second)
    return (
        f"<p>First <b>{first}</b>, second <b>{second}</b>, both effects in points</p>"
        f"<table><tr>{head}</tr>{''.join(lines)}</table>"
    )


def interplay(first: float, second: float, interaction: float, stderr: float) -> str:
    """Say in words what an interaction means."""
    if abs(interaction) <= max(0.05, 2 * float(np.nan_to_num(stderr))):
        return "they add"
    if first <= 0 and second <= 0:
        return "each stands in for the other" if interaction < 0 else "they do the same work"
    return "worse together than apart" if interaction < 0 else "better together than apart"
