"""Look at notebooks as people do: in headless Chromium, in JupyterLab, Notebook 7 and Voila.

Fixtures a test may ask for:

``lab``, ``notebook7``, ``voila``
    A ``Site``. ``lab.open(source)`` runs every cell of a notebook and returns Playwright's page
    once all are done (Voila: once it is drawn). ``source`` is the path of a notebook or a list
    of code cells.
``execute``
    ``execute(code)`` runs code on the kernel of the notebook open in JupyterLab or Notebook 7 and
    returns what it printed.
``shot``
    ``shot("name")`` saves a screenshot in ``.screenshots/`` and returns its path.
``console``
    Console messages of the page so far. A test fails on any error in there, unless it was
    announced: ``console.allow("part of the text")``.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pages import ACT_MS, Console, Kernels, Site, own_workspace, render, run_all, stay_here
from playwright.sync_api import Browser, Error, Page, expect, sync_playwright
from servers import free_port, lab_command, serving, voila_command

expect.set_options(timeout=ACT_MS)
SCREENSHOTS = Path(__file__).resolve().parents[2] / ".screenshots"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NOTEBOOK7_ERRORS = (
    "Cannot read properties of undefined (reading 'schema')",
    "Command 'filebrowser:open-path' not registered",
    "/static/notebook/",
)
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def notebook_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder that all servers serve."""
    return tmp_path_factory.mktemp("notebooks")


@pytest.fixture(scope="session")
def jupyter_url(notebook_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a server with JupyterLab and Notebook 7."""
    port = free_port()
    home = tmp_path_factory.mktemp("jupyter")
    address = f"http://127.0.0.1:{port}/"
    with serving(lab_command(port, notebook_dir), f"{address}api", home):
        yield address


@pytest.fixture(scope="session")
def voila_url(notebook_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a Voila server."""
    port = free_port()
    home = tmp_path_factory.mktemp("voila")
    with serving(voila_command(port, notebook_dir), f"http://127.0.0.1:{port}/", home) as address:
        yield address


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium of CHROMIUM or of the PATH; Playwright's own when there is none."""
    names = (os.environ.get("CHROMIUM"), *CHROMIUM)
    found = next((path for name in names if name and (path := shutil.which(name))), None)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def bare_page(browser: Browser) -> Iterator[Page]:
    """Fresh page of 1280 by 900 pixels that reaches this machine only."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.route(re.compile(r"^https?://"), stay_here)
    context.set_default_timeout(ACT_MS)
    yield context.new_page()
    context.close()


@pytest.fixture
def console(bare_page: Page) -> Iterator[Console]:
    """Console of the page; an error nobody announced fails the test."""
    heard = Console()
    bare_page.on("console", heard.hear)
    bare_page.on("pageerror", lambda error: heard.errors.append(f"pageerror: {error}"))
    yield heard
    assert not heard.unexpected(), "errors in the console:\n" + "\n".join(heard.unexpected())


@pytest.fixture
def page(bare_page: Page, console: Console) -> Iterator[Page]:
    """Page whose console is heard and whose kernels end with the test."""
    kernels = Kernels()
    bare_page.on("websocket", kernels.hear)
    yield bare_page
    kernels.end(bare_page)


@pytest.fixture
def lab(jupyter_url: str, notebook_dir: Path, page: Page) -> Site:
    """JupyterLab."""
    return Site(own_workspace(jupyter_url), notebook_dir, page, run_all)


@pytest.fixture
def notebook7(jupyter_url: str, notebook_dir: Path, page: Page, console: Console) -> Site:
    """Notebook 7, which throws a few errors of its own while it starts."""
    for text in NOTEBOOK7_ERRORS:
        console.allow(text)
    return Site(f"{jupyter_url}notebooks/", notebook_dir, page, run_all)


@pytest.fixture
def voila(voila_url: str, notebook_dir: Path, page: Page) -> Site:
    """Voila."""
    return Site(f"{voila_url}voila/render/", notebook_dir, page, render)


@pytest.fixture
def execute(page: Page) -> Callable[[str], str]:
    """Run code on the kernel of the open notebook; what it printed, or its error raised."""

    def run(code: str) -> str:
        reply = page.evaluate(
            """async (code) => {
                const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
                const future = kernel.requestExecute({ code, store_history: false });
                let printed = "";
                future.onIOPub = ({ header, content }) => {
                    if (header.msg_type === "stream") printed += content.text;
                };
                const { content } = await future.done;
                return { printed, error: content.status === "ok" ? "" : content.evalue };
            }""",
            code,
        )
        if reply["error"]:
            raise Error(reply["error"])
        return str(reply["printed"])

    return run


@pytest.fixture
def shot_of(request: pytest.FixtureRequest) -> Callable[[Page, str], Path]:
    """Save a screenshot of any page and say where."""

    def save(page: Page, name: str) -> Path:
        SCREENSHOTS.mkdir(exist_ok=True)
        test = re.sub(r"[^\w-]+", "-", request.node.name)
        path = SCREENSHOTS / f"{test}-{name}.png"
        page.screenshot(path=path)
        return path

    return save


@pytest.fixture
def shot(page: Page, shot_of: Callable[[Page, str], Path]) -> Callable[[str], Path]:
    """Save a screenshot and say where."""
    return lambda name: shot_of(page, name)
