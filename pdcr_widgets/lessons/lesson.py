"""The frame of a lesson: its heading, the way to the others, and a button to start over."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Protocol, TypeVar

import ipywidgets as w

from pdcr_widgets.lessons.activity import button
from pdcr_widgets.lessons.question import Question
from pdcr_widgets.widgets.style import block, markup
from pdcr_widgets.widgets.text import escape
from pdcr_widgets.widgets.view import View

LESSONS: dict[str, tuple[str, str]] = {
    "lesson_1_one_patch": (
        "One patch at a time",
        "What an intervention is: drag a patch over a brain and watch the prediction answer.",
    ),
    "lesson_2_what_is_pasted": (
        "What is pasted matters",
        "From one intervention to an average effect, and why natural patches are the fair choice.",
    ),
    "lesson_3_the_shortcut": (
        "Two networks, one cheat",
        "Both find the lesion equally well. One of them looks at something else. Find out which.",
    ),
    "lesson_4_inside_the_network": (
        "Inside the network",
        "Cut the connections of a U-Net one by one, and two at a time.",
    ),
    "lesson_5_is_the_map_right": (
        "Is the map right?",
        "Play against the map and against chance: who finds the patches that matter?",
    ),
}
"""File name -> title, and what it is about, in order."""


class Part(Protocol):
    """Something in a lesson that can start over."""

    def reset(self) -> None:
        """Start over."""


P = TypeVar("P", bound=Part)


class Lesson(View):
    """Heading of a lesson, with the way to the others and a button to start over.

    Parameters
    ----------
    number
        1 to 5.

    Raises
    ------
    ValueError
        There is no such lesson.
    """

    def __init__(self, number: int) -> None:
        names = list(LESSONS)
        if not 1 <= number <= len(names):
            raise ValueError(f"there are lessons 1 to {len(names)}, got {number}")
        super().__init__()
        self._parts: list[Part] = []
        title, about = LESSONS[names[number - 1]]
        heading, way = markup("pdcr-lesson-heading"), markup("pdcr-lesson-way")
        heading.value = (
            f'<p class="pdcr-lesson-number">Lesson {number} of {len(names)}</p>'
            f"<h1>{escape(title)}</h1><p>{escape(about)}</p>"
        )
        way.value = _way(names, number)
        sheet = w.HTML(f"<style>{css()}</style>", layout=w.Layout(display="none"))
        again = button("Start again", self.reset)
        self.fill(sheet, block("pdcr-lesson-bar", children=[way, again]), heading)
        self.add_class("pdcr-lesson")

    def add(self, part: P) -> P:
        """Let "Start again" reset a part too, and give it back."""
        self._parts.append(part)
        return part

    def ask(self, text: str) -> Question:
        """Add a question, written as for `Question.read`."""
        return self.add(Question.read(text))

    def reset(self, _button: Any = None) -> None:
        """Start every part over."""
        for part in self._parts:
            part.reset()


def _way(names: list[str], number: int) -> str:
    """Links to all lessons; they work in Voila and in JupyterLab, under any base address."""
    links = []
    for place, name in enumerate(names, start=1):
        title = escape(LESSONS[name][0])
        here = ' aria-current="page"' if place == number else ""
        links.append(f'<a href="{name}.ipynb" title="{title}"{here}>{place}</a>')
    return f'<nav aria-label="Lessons"><a href="../../">All lessons</a>{"".join(links)}</nav>'


@cache
def css() -> str:
    """Text of the lessons' stylesheet."""
    return Path(__file__).with_name("lesson.css").read_text(encoding="utf-8")
