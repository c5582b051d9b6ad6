"""Questions: how they are written, and what they say to each answer."""

from __future__ import annotations

import pytest
import traitlets

from pdcr_widgets.lessons import LESSONS, Lesson, Question

TEXT = """
    Which way is up,
    on this map?

    [ ] Down
        That way lies
        the river.
    [x] North
        As on most maps.
"""
HOSTILE = "<img src=x onerror=alert(1)>"


def test_a_question_is_read_from_a_list_of_tasks() -> None:
    question = Question.read(TEXT)
    asked, answers, _ = question.children[1:]
    assert "<p>Which way is up, on this map?</p>" in asked.value
    assert [button.description for button in answers.children] == ["Down", "North"]


def test_every_answer_gets_its_own_feedback_and_only_the_right_one_ends_it() -> None:
    question = Question.read(TEXT)
    feedback = question.children[-1]
    down, north = question.children[2].children
    down.click()
    assert not question.solved
    assert "Not quite." in feedback.value
    assert "That way lies the river." in feedback.value
    assert not north.disabled
    north.click()
    assert question.solved
    assert "As on most maps." in feedback.value
    assert down.disabled
    question.reset()
    assert (question.answer, question.solved, feedback.value) == (None, False, "")
    assert not down.disabled


@pytest.mark.parametrize("marks", ["  ", "xx"])
def test_exactly_one_answer_is_right(marks: str) -> None:
    with pytest.raises(ValueError, match=r"mark one answer with \[x\]"):
        Question.read(f"Up?\n[{marks[0]}] yes\nwhy\n[{marks[1]}] no\nwhy")


def test_one_answer_is_no_question() -> None:
    with pytest.raises(ValueError, match="two answers or more"):
        Question("Up?", {"yes": "why"}, "yes")


def test_a_page_cannot_answer_what_was_not_offered() -> None:
    question = Question.read(TEXT)
    with pytest.raises(traitlets.TraitError, match="must be one of"):
        question.answer = HOSTILE


def test_a_hostile_text_stays_text() -> None:
    question = Question(HOSTILE, {HOSTILE: HOSTILE, "b": "c"}, HOSTILE)
    question.answer = HOSTILE
    shown = question.children[1].value + question.children[-1].value
    assert "<img" not in shown
    assert shown.count("&lt;img") == 2


def test_a_lesson_starts_all_its_parts_over() -> None:
    lesson = Lesson(2)
    question = lesson.ask(TEXT)
    question.answer = "North"
    lesson.children[2].children[-1].click()
    assert question.answer is None


def test_a_lesson_links_to_all_others_and_marks_itself() -> None:
    way = Lesson(2).children[2].children[0].value
    assert [f'href="{name}.ipynb"' in way for name in LESSONS] == [True] * 5
    assert way.count('aria-current="page"') == 1


@pytest.mark.parametrize("number", [0, 6])
def test_there_are_five_lessons(number: int) -> None:
    with pytest.raises(ValueError, match="lessons 1 to 5"):
        Lesson(number)
