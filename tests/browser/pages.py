"""Pages of the three places people open notebooks in, and what a page says on its console."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import nbformat
from playwright.sync_api import ConsoleMessage, Page, Route, WebSocket

OPEN_MS = 60_000
RUN_MS = 180_000
ACT_MS = 60_000
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}

# bqplot draws its marks once before it knows its own size.
KNOWN = re.compile(r"<rect> attribute (width|height): A negative value.*bqplot")


@dataclass
class Console:
    """Console messages of one page, errors apart."""

    messages: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    allowed: list[str] = field(default_factory=list)

    def allow(self, text: str) -> None:
        """Do not fail on errors that contain this text."""
        self.allowed.append(text)

    def unexpected(self) -> list[str]:
        """Errors that nobody announced."""
        return [e for e in self.errors if not any(text in e for text in self.allowed)]

    def hear(self, message: ConsoleMessage) -> None:
        """Note a message; what was cut off from other machines is no error of ours."""
        where = message.location.get("url", "")
        line = f"{message.type}: {message.text} ({where})"
        self.messages.append(line)
        elsewhere = where.startswith("http") and "127.0.0.1" not in where
        if message.type == "error" and not elsewhere and not KNOWN.search(line):
            self.errors.append(line)


@dataclass(frozen=True)
class Site:
    """A server's address, its notebook folder and how a notebook is opened there."""

    url: str
    folder: Path
    page: Page
    show: Callable[[Page, str], None]

    def open(self, source: Path | str | Sequence[str]) -> Page:
        """Open a notebook (a path, or the code of its cells) and wait until all cells have run."""
        name = f"nb{len(list(self.folder.glob('*.ipynb')))}.ipynb"
        if isinstance(source, (str, Path)):
            shutil.copyfile(source, self.folder / name)
        else:
            cells = [nbformat.v4.new_code_cell(code) for code in source]
            notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": KERNEL})
            nbformat.write(notebook, self.folder / name)
        self.show(self.page, f"{self.url}{name}")
        return self.page


@dataclass
class Kernels:
    """Kernels that a page talked to."""

    addresses: set[str] = field(default_factory=set)

    def hear(self, socket: WebSocket) -> None:
        """Note the kernel behind a new connection."""
        if match := re.match(r"ws(.*/api/kernels/[-0-9a-f]+)/channels", socket.url):
            self.addresses.add(f"http{match[1]}")

    def end(self, page: Page) -> None:
        """Leave the page and shut its kernels down."""
        cookies = {c.get("name"): c.get("value", "") for c in page.context.cookies()}
        page.goto("about:blank")
        for address in self.addresses:
            headers = {"X-XSRFToken": cookies.get("_xsrf", "")}
            page.context.request.delete(address, headers=headers)


def own_workspace(address: str) -> str:
    """Where JupyterLab opens notebooks and restores nothing that another page left open."""
    return f"{address}lab/workspaces/{uuid4().hex}/tree/"


def stay_here(route: Route) -> None:
    """Let a page reach this machine only."""
    if "//127.0.0.1:" in route.request.url:
        route.continue_()
    else:
        route.abort()


READY = """name => {
    const widget = window.jupyterapp?.shell.currentWidget;
    const kernel = widget?.sessionContext?.session?.kernel;
    return widget?.context?.path === name && kernel?.status === "idle";
}"""
RUN = """async () => {
    const { commands, shell } = window.jupyterapp;
    await commands.execute("notebook:run-all-cells");
    const cells = [...shell.currentWidget.content.model.cells];
    return cells.every((cell) => cell.type !== "code" || cell.executionCount !== null);
}"""


def run_all(page: Page, url: str) -> None:
    """Open a notebook in JupyterLab or Notebook 7, run every cell, fail when one fails."""
    page.goto(f"{url}?reset")
    page.wait_for_function(READY, arg=url.rpartition("/")[2], timeout=OPEN_MS)
    page.set_default_timeout(RUN_MS)
    finished = page.evaluate(RUN)
    page.set_default_timeout(ACT_MS)
    errors = page.locator("[data-mime-type='application/vnd.jupyter.error']").all_inner_texts()
    assert finished, "not every cell ran:\n" + "\n".join(errors)
    assert not errors, "a cell failed:\n" + "\n".join(errors)


def render(page: Page, url: str) -> None:
    """Open a notebook in Voila and wait until it is drawn."""
    page.goto(url, timeout=RUN_MS)
    page.wait_for_function("() => document.querySelector('#rendered_cells')", timeout=RUN_MS)
    page.locator("#loading").wait_for(state="hidden", timeout=RUN_MS)
