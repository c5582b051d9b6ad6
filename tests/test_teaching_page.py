"""What docs/teaching.md says is true: its code runs, its options and limits are the server's."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

from pdcr_widgets import lessons
from pdcr_widgets.classroom.app import LARGEST_BODY, LARGEST_MESSAGE, Classroom
from pdcr_widgets.classroom.kernels import ClassroomKernels
from pdcr_widgets.widgets.file_chooser import LIMIT
from pdcr_widgets.widgets.uploads import MOST_FILES

PAGE = (Path(__file__).resolve().parent.parent / "docs/teaching.md").read_text()
KERNEL = "0f8fad5b-d9cb-469f-a165-70867728950e"


def nginx() -> str:
    found = re.search(r"```nginx\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


def test_its_code_runs() -> None:
    names: dict[str, Any] = {}
    for snippet in re.findall(r"^```python\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL):
        exec(compile(snippet, "docs/teaching.md", "exec"), names)
    names["question"].answer = "The patch supports the target"
    assert names["question"].solved
    assert names["probe"].wait(60)


def test_it_lists_every_lesson_and_every_part() -> None:
    rows = re.findall(r"\[(.*?)\]\(\.\./notebooks/(.*?)\.ipynb\)", PAGE)
    assert {name: title for title, name in rows} == {
        name: title for name, (title, _) in lessons.LESSONS.items()
    }
    parts = set(lessons.__all__) - {"LESSONS", "Lesson", "PatchStage", "Question"}
    assert all(f"`{part}`" in PAGE for part in parts)


def test_its_options_are_those_of_the_server() -> None:
    defaults = {
        "port": Classroom.port.default_value,
        "seats": ClassroomKernels.seats.default_value,
        "memory": Classroom.memory.default_value,
        "patience": f"{ClassroomKernels.patience.default_value:g}",
        "turns": "number of processors",
        "ip": "127.0.0.1",
        "base_url": "/",
    }
    told = dict(re.findall(r"^\| `--(\w+)` \| (.*?) \|", PAGE, flags=re.MULTILINE))
    assert told == {name: str(default) for name, default in defaults.items()}
    assert Classroom.turns.default_value == os.cpu_count()
    assert set(told) <= set(Classroom.aliases)


def test_its_limits_are_those_of_the_server() -> None:
    assert f"{LARGEST_BODY // 1024} KB, a message from a page {LARGEST_MESSAGE >> 20} MB" in PAGE
    assert f"client_max_body_size {LARGEST_BODY // 1024}k;" in nginx()


def test_its_limits_of_uploads_are_those_of_the_chooser() -> None:
    assert f"{LIMIT >> 20} MB at once and {MOST_FILES:,} files" in PAGE


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/class/", True),
        ("/class/voila/render/lesson_1_one_patch.ipynb", True),
        ("/class/voila/static/voila.js", True),
        ("/class/voila/templates/lab/static/index.css", True),
        ("/class/voila/labextensions/anywidget/static/remoteEntry.js", True),
        ("/class/voila/api/themes/x/index.css", True),
        (f"/class/voila/api/shutdown/{KERNEL}", True),
        (f"/class/api/kernels/{KERNEL}", True),
        (f"/class/api/kernels/{KERNEL}/channels", True),
        (f"/class/api/kernels/{KERNEL}/restart", False),
        ("/class/api/kernels", False),
        ("/class/voila/files/x.png", False),
        ("/class/voila/api/contents/", False),
        ("/class/api/terminals", False),
    ],
)
def test_its_front_lets_through_what_a_lesson_needs(path: str, allowed: bool) -> None:
    rules = re.findall(r"location (~ )?(\S+) \{", nginx())
    matches = [
        rule
        for regular, rule in rules
        if rule != "/" and (re.search(rule, path) if regular else path.startswith(rule))
    ]
    assert bool(matches) is allowed
