"""A U-Net as a drawing."""

from __future__ import annotations

from collections.abc import Sequence

WIDTH, STEP, BOX = 300, 34, 58


def u_net(cut: Sequence[bool]) -> str:
    """Draw a U-Net with one skip connection per flag, the shallowest first; True is cut.

    Returns
    -------
    str
        An SVG picture with a text for screen readers.
    """
    levels = len(cut)
    height = STEP * (levels + 1) + 10
    parts = []
    for level, gone in enumerate(cut):
        left, right, y = 12 + 14 * level, WIDTH - BOX - 12 - 14 * level, 8 + STEP * level
        middle = y + 11
        kind = "cut" if gone else "whole"
        parts += [
            _box(left, y), _box(right, y),
            f'<line class="pdcr-skip-{kind}" x1="{left + BOX}" x2="{right}" '
            f'y1="{middle}" y2="{middle}"/>',
            f'<text x="{WIDTH / 2}" y="{middle - 4}">{level + 1}{" cut" if gone else ""}</text>',
            _line(left + BOX / 2, y + 22, left + BOX / 2 + 14, y + STEP),
            _line(right + BOX / 2 - 14, y + STEP, right + BOX / 2, y + 22),
        ]  # fmt: skip
    bottom = 8 + STEP * levels
    x = 12 + 14 * levels
    parts.append(_box(x, bottom, WIDTH - 2 * x))
    told = ", ".join(f"connection {i} {'cut' if g else 'whole'}" for i, g in enumerate(cut, 1))
    return (
        f'<svg class="pdcr-u-net" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="A U-Net: {told}">{"".join(parts)}</svg>'
    )


def _box(x: float, y: float, width: float = BOX) -> str:
    return f'<rect x="{x}" y="{y}" width="{width}" height="22" rx="4"/>'


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line class="pdcr-flow" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"/>'
