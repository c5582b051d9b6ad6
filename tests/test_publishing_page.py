"""What docs/publishing.md says is true: its code runs, its suffixes are all there are."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest

from pdcr_widgets.export import FORMATS

mpl.use("Agg")
PAGE = (Path(__file__).resolve().parent.parent / "docs/publishing.md").read_text()


def test_its_code_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for snippet in re.findall(r"^```python\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL):
        exec(compile(snippet, "docs/publishing.md", "exec"), names)
    for name in ("explorer", "again"):
        names[name].close()
    plt.close("all")
    assert "made from something else: the image: SHA-256" in capsys.readouterr().out
    written = {path.name for path in tmp_path.iterdir()}
    assert written == {
        "effects.npz",
        "effects.csv",
        "effects.nii.gz",
        "map.pdf",
        "map.dcm",
        "figure.html",
        "work.npz",
    }


def test_it_names_every_suffix() -> None:
    rows = [line.partition("|")[2].partition("|")[0] for line in PAGE.splitlines()]
    assert set(FORMATS) == {name for row in rows for name in re.findall(r"`(\.[a-z.]+)`", row)}
