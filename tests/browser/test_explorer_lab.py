"""The explorer in JupyterLab, on the demo case, with a mouse and a keyboard."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from pages import Site
from playwright.sync_api import expect
from watching import SOON_MS, STARTS_MS, Watch, draw_and_change

CELLS = [
    "import pdcr_widgets as pdcr\ncase = pdcr.demo.load('brain')",
    "explorer = pdcr.Explorer(case)\nexplorer",
]


def test_every_change_is_followed_and_stop_stops(
    lab: Site, shot: Callable[[str], Path], execute: Callable[[str], str]
) -> None:
    watch = draw_and_change(lab.open(CELLS))
    shot("changed")
    watch.choose("Baseline", "Natural patches")
    expect(watch.button("Stop")).to_be_enabled(timeout=SOON_MS)
    watch.button("Stop").click()
    expect(watch.status).to_contain_text("Stopped", timeout=SOON_MS)
    assert execute("print(explorer.session.status)").strip() == "stopped"
    watch.button("Run").click()
    expect(watch.button("Pause")).to_be_enabled(timeout=SOON_MS)
    watch.button("Pause").click()
    expect(watch.status).to_contain_text("Paused", timeout=SOON_MS)
    watch.button("Stop").click()
    expect(watch.status).to_contain_text("Stopped", timeout=SOON_MS)


def test_a_reload_brings_the_explorer_back_to_work(
    lab: Site, execute: Callable[[str], str]
) -> None:
    page = lab.open(CELLS)
    watch = Watch(page).settle()
    watch.wait_bars(50)
    page.evaluate("async () => await window.jupyterapp.commands.execute('docmanager:save')")
    page.goto(page.url.replace("?reset", ""))
    watch.settle()
    before = watch.painted()
    watch.draw_box(0.36, 0.58, 0.47, 0.68)
    watch.wait_painted_anew(before)
    watch.wait_bars(50)
    assert execute("print(explorer.session.error)").strip() == ""


KEEP_STATUS = """
explorer.session.observe(lambda change: print(change.new, file=log, flush=True), names="status")
log = open("status.txt", "w")
explorer.session.patch_size = 4
"""


def test_work_pauses_when_the_page_is_left_and_goes_on_when_it_is_back(
    lab: Site, notebook_dir: Path
) -> None:
    page = lab.open([*CELLS, KEEP_STATUS])
    watch = Watch(page).settle()
    watch.told("4 × 4 px")
    page.evaluate("async () => await window.jupyterapp.commands.execute('docmanager:save')")
    url = page.url.replace("?reset", "")
    page.goto("about:blank")
    wait_for_status(notebook_dir, "paused")
    page.goto(url)
    watch.settle()
    wait_for_status(notebook_dir, "paused running")


def wait_for_status(folder: Path, course: str) -> None:
    """Look at what the status was, as the kernel wrote it, until it took this course."""
    deadline, pause = time.monotonic() + STARTS_MS / 1000, threading.Event()
    seen = ""
    while time.monotonic() < deadline:
        seen = " ".join((folder / "status.txt").read_text().split())
        if course in seen:
            return
        pause.wait(0.2)
    raise AssertionError(f"the status went {seen!r}, not {course!r}")


def test_notebook_7_shows_it_as_well(notebook7: Site) -> None:
    watch = Watch(notebook7.open(CELLS)).settle()
    watch.wait_bars(50)


def test_a_cell_that_runs_again_ends_the_old_work(lab: Site, execute: Callable[[str], str]) -> None:
    page = lab.open(CELLS)
    Watch(page).settle()
    execute("import threading; old = explorer.session")
    page.evaluate("async () => await window.jupyterapp.commands.execute('notebook:run-all-cells')")
    assert execute("print(old is explorer.session, old._runner.closed)").split() == [
        "False",
        "True",
    ]
    expect(page.locator(".pdcr-explorer")).to_have_count(1, timeout=STARTS_MS)
    Watch(page).settle()
