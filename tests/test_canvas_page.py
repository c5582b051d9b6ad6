"""What docs/canvas.md says is true: its code runs, its traits exist, its keys are the keys."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from pdcr_widgets.widgets.region_canvas import RegionCanvas

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs/canvas.md").read_text()
SOURCE = (ROOT / "js/src/shortcuts.ts").read_text()


def test_the_code_runs() -> None:
    names: dict[str, Any] = {}
    for snippet in re.findall(r"^```python\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL):
        exec(compile(snippet, "docs/canvas.md", "exec"), names)
    assert names["canvas"].active == "right"
    assert names["viewer"].plane == "coronal"


def test_every_trait_that_is_named_exists() -> None:
    paragraph = PAGE[PAGE.index("Everything a person can set") : PAGE.index("So two canvases")]
    named = re.findall(r"`(\w+)`", paragraph)
    assert len(named) > 20
    assert [name for name in named if name not in RegionCanvas.class_traits(sync=True)] == []


@pytest.mark.parametrize(
    ("title", "name", "pattern"),
    [
        ("Tools", "TOOL_KEYS", r'tool\("(\w)", "\w+", "([^"]+)"\)'),
        ("Region", "REGION_KEYS", r'shown: "([^"]+)",\s*words: "([^"]+)"'),
        ("View", "VIEW_KEYS", r'shown: "([^"]+)",\s*words: "([^"]+)"'),
        ("Volumes", "SLICE_KEYS", r'shown: "([^"]+)",\s*words: "([^"]+)"'),
        ("Hands", "GESTURES", r'\["([^"]+)", "([^"]+)"\]'),
    ],
)
def test_the_keys_are_the_keys(title: str, name: str, pattern: str) -> None:
    block = SOURCE[SOURCE.index(f"export const {name}") :].split("\n];")[0]
    keys = [(key.replace("\\u2212", "−"), words) for key, words in re.findall(pattern, block)]
    if name == "TOOL_KEYS":
        keys = [(key.upper(), words) for key, words in keys]
    section = PAGE[PAGE.index(f"### {title}") :].split("\n### ")[0]
    told = re.findall(r"^\| (.+?) \| (.+?) \|$", section, flags=re.MULTILINE)[1:]
    assert [pair for pair in told if pair[0] != "---"] == keys
