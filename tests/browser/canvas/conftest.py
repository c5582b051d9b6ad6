"""Tests of a canvas in JupyterLab share one page and one kernel: to start these takes seconds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from desk import Desk
from pages import ACT_MS, Console, Kernels, Site, own_workspace, run_all, stay_here
from playwright.sync_api import Browser, Page


@pytest.fixture(scope="package")
def desk(browser: Browser, jupyter_url: str, notebook_dir: Path) -> Iterator[Desk]:
    """A notebook in JupyterLab for all tests in this folder."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 900},
        permissions=["clipboard-read", "clipboard-write"],
    )
    context.route(re.compile(r"^https?://"), stay_here)
    context.set_default_timeout(ACT_MS)
    page = context.new_page()
    kernels = Kernels()
    page.on("websocket", kernels.hear)
    yield Desk(page, Site(own_workspace(jupyter_url), notebook_dir, page, run_all))
    kernels.end(page)
    context.close()


@pytest.fixture
def bare_page(desk: Desk) -> Page:
    """The shared page."""
    return desk.page


@pytest.fixture
def page(bare_page: Page, console: Console) -> Page:
    """The shared page, whose console is heard."""
    return bare_page


@pytest.fixture
def lab(desk: Desk, page: Page) -> Desk:
    """JupyterLab with a notebook of this test's cells."""
    return desk
