"""Build the documentation site: lay out the pages, run the notebooks, check every link.

``python docs/build.py OUT [--skip-notebooks]`` writes ``OUT/site``. A warning, such as a link that
leads nowhere, is an error. Nothing is fetched from the network, neither here nor by readers.
"""

from __future__ import annotations

import argparse
import logging
import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
from mkdocs import config
from mkdocs.commands.build import build
from nbclient import NotebookClient
from nbconvert import MarkdownExporter

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
# Run by the build; the others need a server for their purpose, or show nothing without hands.
NOTEBOOKS = ("quickstart", "your_own_model", "embed")
WIDGET = "application/vnd.jupyter.widget-view+json"
PARTS = {
    "Maps": ("causal",),
    "Inside the network": ("causal.components",),
    "Faithfulness and other methods": ("evaluate",),
    "Models": ("models",),
    "Images": ("images",),
    "Files, figures, recipes": ("export", "standalone", "as_code", "recomputing", "saved"),
    "Widgets": ("widgets", "session"),
    "Lessons": ("lessons",),
}


def main() -> None:
    """Build from the command line."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("out", type=Path)
    asked.add_argument("--skip-notebooks", action="store_true", help="do not run them")
    given = asked.parse_args()
    lay_out(given.out, run=not given.skip_notebooks)
    write_site(given.out)


def lay_out(out: Path, run: bool) -> None:
    """Write every page, those of notebooks and the reference included."""
    pages = out / "pages"
    shutil.rmtree(out, ignore_errors=True)
    (pages / "notebooks").mkdir(parents=True)
    shutil.copy(HERE / "mkdocs.yml", out)
    for page in HERE.glob("*.md"):
        text = at_home(page.read_text(encoding="utf-8"))
        (pages / page.name).write_text(text, encoding="utf-8")
    shutil.copy(HERE / "extra.css", pages)
    shutil.copytree(HERE / "images", pages / "images")
    (pages / "reference.md").write_text(reference(), encoding="utf-8")
    for notebook in sorted((ROOT / "notebooks").glob("*.ipynb")):
        write_notebook(notebook, pages / "notebooks", run and notebook.stem in NOTEBOOKS)


def at_home(text: str) -> str:
    """Lead links to notebooks to their pages; other files of the repository are named only."""

    def rewritten(found: re.Match[str]) -> str:
        words, target = found[1], found[2]
        if not (ROOT / target).exists():
            raise ValueError(f"a page links to {target!r}, which is not in the repository")
        if target.startswith("notebooks/") and target.endswith(".ipynb"):
            return f"[{words}]({target.removesuffix('.ipynb')}.md)"
        return words

    return re.sub(r"\[([^\]]+)\]\(\.\./([^)#]+)[^)]*\)", rewritten, text)


def reference() -> str:
    """Write the page that lists every public name by what it is for."""
    import pdcr_widgets

    homes = pdcr_widgets._HOME
    lines = ["# Reference", "", "Every public name, `import pdcr_widgets as pdcr`.", ""]
    known = {module for modules in PARTS.values() for module in modules}
    others = tuple(sorted({*homes.values()} - known))
    for title, modules in {**PARTS, "Other names": others}.items():
        names = [name for name, home in sorted(homes.items()) if home in modules]
        lines += [f"## {title}", ""] if names else []
        for name in names:
            lines += [f"::: pdcr_widgets.{homes[name]}.{name}", ""]
    lines += ["## Modules", "", "::: pdcr_widgets.demo", ""]
    lines += [f"::: pdcr_widgets.evaluate.{name}\n" for name in evaluation(homes)]
    return "\n".join(lines)


def evaluation(known: Any) -> Iterator[str]:
    """Functions and classes of `pdcr.evaluate` that are no public names themselves."""
    from pdcr_widgets import evaluate

    yield from (n for n in evaluate.__all__ if n not in known and not n.isupper())


def write_notebook(source: Path, folder: Path, run: bool) -> None:
    """Run a notebook and write it as a page, with a picture where there was a widget."""
    notebook = nbformat.read(source, as_version=4)
    if run:
        work = folder.parent.parent / "work"
        work.mkdir(exist_ok=True)
        if any("segmentation_models_pytorch" in cell.source for cell in notebook.cells):
            prepare_torchvision(work / "ipython")
        resources = {"metadata": {"path": str(work)}}
        with patient(notebook):
            NotebookClient(
                notebook, timeout=300, kernel_name="python3", resources=resources
            ).execute()
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            output.get("data", {}).pop(WIDGET, None)
    text, found = MarkdownExporter().from_notebook_node(
        notebook, {"output_files_dir": f"{source.stem}_files"}
    )
    for name, data in found.get("outputs", {}).items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    text = at_home(re.sub(r"\]\((\w+)\.ipynb\)", r"](\1.md)", text))
    (folder / f"{source.stem}.md").write_text(text, encoding="utf-8")


def prepare_torchvision(profile: Path) -> None:
    """Let kernels import torchvision beside a torch without CUDA, as the tests do."""
    startup = profile / "profile_default" / "startup"
    startup.mkdir(parents=True, exist_ok=True)
    lines = ("import sys", f"sys.path.append({str(ROOT / 'tests')!r})", "import torchvision_here")
    text = "\n".join([*lines, "torchvision_here.import_torchvision()", ""])
    (startup / "00-import.py").write_text(text, encoding="utf-8")
    os.environ["IPYTHONDIR"] = str(profile.resolve())


WAIT = """
explorer.session.wait()
explorer"""


@contextmanager
def patient(notebook: nbformat.NotebookNode) -> Iterator[None]:
    """Let an explorer come to its end before its picture is taken; the cell stays as it is."""
    sources = [cell.source for cell in notebook.cells]
    for cell in notebook.cells:
        if cell.cell_type == "code" and cell.source.endswith("\nexplorer"):
            cell.source = cell.source.removesuffix("\nexplorer") + WAIT
    try:
        yield
    finally:
        for cell, source in zip(notebook.cells, sources, strict=True):
            cell.source = source


def write_site(out: Path) -> None:
    """Turn the pages into a site; a warning is an error."""
    sys.path.insert(0, str(HERE))
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    settings = config.load_config(str(out / "mkdocs.yml"), strict=True)
    settings.plugins.on_startup(command="build", dirty=False)
    build(settings)
    settings.plugins.on_shutdown()


if __name__ == "__main__":
    main()
