"""The documentation site: complete, without dead links, and without anything from elsewhere."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest

import pdcr_widgets as pdcr
from pdcr_widgets.evaluate import METHODS

mpl.use("Agg")
ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
BROKEN = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import build
out = Path(sys.argv[2])
(out / "pages" / "reference.md").write_text("# Reference\\n[away](nowhere.md)\\n")
build.write_site(out)
"""


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *command], capture_output=True, text=True, cwd=ROOT)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("docs") / "built"
    done = run("docs/build.py", str(out), "--skip-notebooks")
    assert done.returncode == 0, done.stdout + done.stderr
    return out / "site"


def test_every_public_name_is_in_the_reference(site: Path) -> None:
    page = (site / "reference.html").read_text()
    for name in {*pdcr.__all__} - {"causal", "demo", "evaluate", "lessons"}:
        assert re.search(rf'id="pdcr_widgets\.[\w.]*{name}"', page), name


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    loaded = r"""(?:src=|url\(|@import |<link [^>]*href=)["']?(https?:)?//[^"') ]+"""
    for page in site.rglob("*.html"):
        assert re.search(loaded, page.read_text()) is None, page.name


def test_equations_are_drawn(site: Path, repository: Path) -> None:
    page = (site / "method.html").read_text()
    written = (repository / "docs" / "method.md").read_text().count("```math")
    assert written > 5
    assert page.count('<div class="equation"><svg role="img" aria-label=') == written
    article = page.partition("<article")[2].partition("</article")[0]
    assert "$" not in re.sub(r"<[^>]*>", "", article)
    assert 'aria-label="x"' in page


def test_a_dead_link_stops_the_build(site: Path, tmp_path: Path) -> None:
    shutil.copytree(site.parent, tmp_path / "out")
    done = run("-c", BROKEN, str(DOCS), str(tmp_path / "out"))
    assert done.returncode != 0
    assert "nowhere.md" in done.stdout + done.stderr


@pytest.mark.parametrize("page", ["index.md", "faithfulness.md"])
def test_its_code_runs(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for snippet in re.findall(r"^```python\n(.*?)^```", (DOCS / page).read_text(), re.M | re.S):
        exec(compile(snippet, f"docs/{page}", "exec"), names)
    plt.close("all")
    assert names


def test_every_method_is_explained() -> None:
    told = re.findall(r'^\| `"(\w+)"` \|', (DOCS / "faithfulness.md").read_text(), re.M)
    assert told == list(METHODS)


def test_every_picture_of_the_gallery_is_there_and_used() -> None:
    pages = "".join(page.read_text() for page in DOCS.glob("*.md"))
    used = set(re.findall(r"\(images/([\w.]+)\)", pages + (ROOT / "README.md").read_text()))
    assert used == {path.name for path in (DOCS / "images").iterdir()}
