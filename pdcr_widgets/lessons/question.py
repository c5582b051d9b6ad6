"""A question with feedback on every answer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import Any

import ipywidgets as w
import traitlets as t

from pdcr_widgets.widgets.style import block, markup
from pdcr_widgets.widgets.text import escape
from pdcr_widgets.widgets.view import View

ANSWER = re.compile(r"\[([ xX])\]\s+(.+)")


class Question(View):
    """Ask, and say to each answer what is right or wrong about it.

    A wrong answer may be changed as often as one likes; the right one ends the question.

    Parameters
    ----------
    text
        The question, plain text.
    answers
        Answer -> feedback, plain text, in the order shown.
    right
        The answer that is right.

    Attributes
    ----------
    answer : str or None
        What was chosen last.
    solved : bool
        Whether the right answer was given.

    Raises
    ------
    ValueError
        ``right`` is none of the answers, or there are fewer than two.
    """

    answer = t.Unicode(None, allow_none=True)
    solved = t.Bool(False, read_only=True)

    def __init__(self, text: str, answers: Mapping[str, str], right: str) -> None:
        if len(answers) < 2 or right not in answers:
            raise ValueError(
                f"a question needs two answers or more, the right one among them; got "
                f"{list(answers)} and right={right!r}"
            )
        super().__init__()
        self._answers, self._right = dict(answers), right
        asked, self._feedback = markup("pdcr-question-text"), markup("pdcr-feedback")
        asked.value = f"<p>{escape(text)}</p>"
        self._buttons = {answer: self._button(answer) for answer in answers}
        choices = block("pdcr-answers", children=list(self._buttons.values()))
        self.fill(asked, choices, self._feedback)
        self.add_class("pdcr-question")
        self.observe(self._judge, names=["answer"])

    @classmethod
    def read(cls, text: str) -> Question:
        """Make a question of a text that is written like a list of tasks.

        Parameters
        ----------
        text
            The question; then one line for each answer, ``[x] the right one`` or ``[ ] another``,
            and under it the feedback. Lines are joined; empty lines do not matter.

        Raises
        ------
        ValueError
            Not exactly one answer is marked as right, or there are fewer than two.
        """
        parts: list[list[str]] = [[]]
        right = []
        for line in filter(None, (line.strip() for line in text.splitlines())):
            if found := ANSWER.fullmatch(line):
                parts.append([found[2]])
                if found[1] != " ":
                    right.append(found[2])
            else:
                parts[-1].append(line)
        asked, *answers = parts
        if len(right) != 1:
            raise ValueError(f"mark one answer with [x], got {len(right)} of {len(answers)}")
        feedback = {answer: " ".join(told) for answer, *told in answers}
        return cls(" ".join(asked), feedback, right[0])

    def reset(self) -> None:
        """Forget the answer."""
        self.answer = None

    @t.validate("answer")
    def _known(self, proposal: Any) -> Any:
        value = proposal["value"]
        if value is not None and value not in self._answers:
            raise t.TraitError(f"answer must be one of {list(self._answers)}, got {value!r}")
        return value

    def _button(self, answer: str) -> w.Button:
        button = w.Button(description=answer)
        button.add_class("pdcr-answer")
        button.on_click(partial(self._give, answer))
        return button

    def _give(self, answer: str, _button: Any = None) -> None:
        self.answer = answer

    def _judge(self, _change: Any) -> None:
        right = self.answer == self._right
        self.set_trait("solved", right)
        for answer, button in self._buttons.items():
            button.disabled = right and answer != self._right
            kind = ("success" if right else "warning") if answer == self.answer else ""
            button.button_style = kind
        if self.answer is None:
            self._feedback.value = ""
            return
        word, kind = ("Right.", "right") if right else ("Not quite.", "wrong")
        self._feedback.value = (
            f'<p class="pdcr-feedback-{kind}" role="status"><b>{word}</b> '
            f"{escape(self._answers[self.answer])}</p>"
        )
