"""The notebooks are documentation: they run from top to bottom and are kept without outputs."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).resolve().parent.parent / "notebooks").glob("*.ipynb"))
SECONDS_PER_CELL = 120


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request: pytest.FixtureRequest) -> nbformat.NotebookNode:
    return nbformat.read(request.param, as_version=4)


def test_there_are_notebooks() -> None:
    assert {"explorer", "quickstart"} <= {path.stem for path in NOTEBOOKS}


def test_a_notebook_is_committed_without_outputs(notebook: nbformat.NotebookNode) -> None:
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert code
    assert all(not cell.outputs and cell.execution_count is None for cell in code)


def test_a_notebook_uses_public_names_only(notebook: nbformat.NotebookNode) -> None:
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    assert "pdcr_widgets._" not in code
    assert "pdcr._" not in code


STARTUP = f"""
import sys
sys.path.append({str(Path(__file__).parent)!r})
from torchvision_here import import_torchvision
import_torchvision()
"""


def test_a_notebook_runs(
    notebook: nbformat.NotebookNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if any("segmentation_models_pytorch" in cell.source for cell in notebook.cells):
        startup = tmp_path / "ipython" / "profile_default" / "startup"
        startup.mkdir(parents=True)
        (startup / "00-import.py").write_text(STARTUP)
        monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    resources = {"metadata": {"path": str(tmp_path)}}
    client = NotebookClient(
        notebook, timeout=SECONDS_PER_CELL, kernel_name="python3", resources=resources
    )
    client.execute()
    errors = [
        out
        for cell in notebook.cells
        for out in cell.get("outputs", ())
        if out.output_type == "error"
    ]
    assert errors == []
    for page in tmp_path.glob("*.html"):
        assert page.stat().st_size < 3_000_000, "a figure of the brain stays below 3 MB"
