"""Equations as drawings inside the page: no script, no font, nothing is loaded from anywhere."""

from __future__ import annotations

import re
from html import escape
from typing import Any

import ziamath
from markdown import Extension, Markdown
from markdown.inlinepatterns import InlineProcessor

DOLLARS = r"(?<![\\$])\$(?=\S)([^$\n]+?)(?<=\S)\$(?!\d)"
POINTS = 17
ziamath.config.svg2 = False  # paths alone: symbols of several drawings would share their names


def drawn(source: str, inline: bool) -> str:
    """Draw LaTeX in the colour of the text; its source is what a screen reader says."""
    latex = ziamath.Latex(source, size=POINTS, color="currentColor", inline=inline)
    below = f' style="vertical-align: {latex.getyofst():.2f}px"' if inline else ""
    label = f'role="img" aria-label="{escape(source, quote=True)}"{below}'
    return latex.svg().replace("<svg ", f"<svg {label} ", 1)


def fence(source: str, *_details: Any, **_more: Any) -> str:
    """Draw a fenced block of LaTeX."""
    return f'<div class="equation">{drawn(source.strip(), inline=False)}</div>'


class _Inline(InlineProcessor):
    def handleMatch(self, m: re.Match[str], data: str) -> tuple[str, int, int]:  # type: ignore[override]
        del data
        return self.md.htmlStash.store(drawn(m.group(1), inline=True)), m.start(0), m.end(0)


class Formulas(Extension):
    """Draws ``$ ... $`` inside text."""

    def extendMarkdown(self, md: Markdown) -> None:
        """Look for dollars before emphasis is looked for."""
        md.inlinePatterns.register(_Inline(DOLLARS, md), "formulas", 185)


def makeExtension(**options: Any) -> Formulas:
    """Give the extension, as Markdown asks for it."""
    return Formulas(**options)
