"""What README says is true: its code runs and it names every choice there is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from pdcr_widgets.causal import BASELINES, OUTCOMES

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
README = PAGES[0].read_text()


def test_every_python_snippet_runs(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    snippets = re.findall(r"^```python\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)
    assert len(snippets) >= 3
    names: dict[str, Any] = {}
    for number, snippet in enumerate(snippets, start=1):
        exec(compile(snippet, f"README.md, snippet {number}", "exec"), names)
    assert "evaluations" in capsys.readouterr().out


@pytest.mark.parametrize("choice", [*BASELINES, *OUTCOMES])
def test_every_choice_is_named(choice: str) -> None:
    assert f'`"{choice}"`' in README or f'(`"{choice}"' in README


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text())
    assert [target for target in targets if not (ROOT / target).exists()] == []


@pytest.mark.parametrize("command", sorted(set(re.findall(r"\bmake ([a-z][a-z-]+)", README))))
def test_every_make_target_exists(command: str) -> None:
    assert re.search(rf"^{command}:", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
