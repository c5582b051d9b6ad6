"""What lessons say about numbers."""

from __future__ import annotations

import math

from pdcr_widgets.widgets.colors import share_colors
from pdcr_widgets.widgets.text import escape, signed

COLORS = share_colors("red-blue")
SMALL = 0.05
"""Points below which a lesson speaks of no effect."""

LEGEND = {
    "region": "target region",
    "prediction": "prediction now",
    "original": "prediction before",
    "truth": "truth",
}


def legend(*names: str) -> str:
    """Write what the outlines of a stage mean."""
    keys = "".join(
        f'<span><i class="pdcr-key pdcr-key-{name}"></i>{LEGEND[name]}</span>' for name in names
    )
    return f'<div class="pdcr-legend-line">{keys}</div>'


def meter(label: str, points: float) -> str:
    """Write an outcome of 0..100 as a bar with its number."""
    return (
        f'<div class="pdcr-meter"><span>{escape(label)}</span>'
        f'<span class="pdcr-meter-bar"><i style="width:{max(0.0, min(100.0, points)):.1f}%"></i>'
        f"</span><b>{points:.1f}</b></div>"
    )


def effect_words(effect: float, what: str) -> str:
    """Say in words what an effect means for the target."""
    if not math.isfinite(effect):
        return "not measured yet"
    if abs(effect) < SMALL:
        return "no effect to speak of"
    return f"{what} {'supports' if effect < 0 else 'harms'} the target"


def effect_line(effect: float, stderr: float | None = None, what: str = "it") -> str:
    """Write an effect in points with its meaning, in its colour."""
    kind = "irrelevant" if abs(effect) < SMALL else "supporting" if effect < 0 else "harming"
    error = f" ± {stderr:.2f}" if stderr else ""
    exact = ", exact" if stderr == 0 else ""
    return (
        f'<p class="pdcr-effect-line pdcr-{kind}"><b>{signed(effect)}{error} points{exact}</b>'
        f"<span>{effect_words(effect, what)}</span></p>"
    )


def bar(label: str, effect: float | None, limit: float, note: str = "") -> str:
    """Write an effect as a bar to the left (supports) or right (harms) of a middle line."""
    if effect is None:
        return (
            f'<div class="pdcr-row"><span>{escape(label)}</span><span class="pdcr-row-bar">'
            f'</span><b class="pdcr-faint">{escape(note)}</b></div>'
        )
    share = min(50.0, 50 * abs(effect) / limit if limit else 0.0)
    side = "right" if effect < 0 else "left"
    color = COLORS["supporting" if effect < 0 else "harming"]
    return (
        f'<div class="pdcr-row"><span>{escape(label)}</span><span class="pdcr-row-bar">'
        f'<i style="{side}:50%;width:{share:.1f}%;background:{color}"></i></span>'
        f"<b>{signed(effect)}</b></div>"
    )
