"""The region canvas on a page: what it shows, and that it stays with the kernel, or without."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hands import CELLS, SHOWN, Hands
from pages import Console, Site
from playwright.sync_api import expect

NOTE_DRAWN = "g > 240 && r < 20"


@pytest.fixture(params=["lab", "notebook7", "voila"])
def site(request: pytest.FixtureRequest) -> Site:
    return request.getfixturevalue(request.param)


def test_shows_draws_and_tells_everywhere(site: Site, shot: Callable[[str], Path]) -> None:
    hands = Hands(site.open(SHOWN)).settle()
    hands.wait_color(4, 60, NOTE_DRAWN)
    hands.wait_color(2, 2, "r > b + 40")
    hands.drag((30.5, 30.5), (39.5, 37.5))
    hands.told("80 pixels, box 30 30 8 10")
    hands.choose("Brush")
    hands.drag((35.5, 50.5), (45.5, 50.5))
    hands.told("box 30 30 25 20")
    hands.choose("Undo")
    hands.told("80 pixels, box 30 30 8 10")
    hands.press("Control+Shift+z")
    hands.told("box 30 30 25 20")
    hands.choose("Pick a component")
    hands.click(20, 20)
    hands.told("box 13 13 15 15")
    hands.choose("Ellipse")
    hands.drag((40, 10), (60, 30))
    hands.told("box 10 40 20 20")
    hands.choose("Inspect")
    hands.hover(60.5, 4.5)
    expect(hands.readout).to_contain_text("row 4, column 60  ·  intensity 0.500")
    expect(hands.readout).to_contain_text("effect −3.11 ± 0.25 points, 8 draws")
    hands.click(60.5, 4.5)
    hands.told("patch (0, 7)")
    shot("drawn")


def test_a_reload_brings_everything_back(lab: Site) -> None:
    page = lab.open(SHOWN)
    hands = Hands(page).settle()
    hands.drag((30.5, 30.5), (39.5, 37.5))
    hands.told("80 pixels")
    saved = "window.jupyterapp.commands.execute('docmanager:save')"
    page.evaluate(f"async () => {{ await {saved}; }}")
    page.goto(page.url.replace("?reset", ""))
    hands.settle()
    hands.told("80 pixels")
    hands.wait_color(4, 60, NOTE_DRAWN)
    hands.wait_color(2, 2, "r > b + 40")
    hands.drag((10.5, 10.5), (19.5, 19.5))
    hands.told("100 pixels")


def test_layers_can_be_drawn_on_after_a_reload(lab: Site, execute: Callable[[str], str]) -> None:
    page = lab.open(SHOWN)
    hands = Hands(page).settle()
    hands.wait_color(4, 60, NOTE_DRAWN)
    page.evaluate("async () => { await window.jupyterapp.commands.execute('docmanager:save'); }")
    page.goto(page.url.replace("?reset", ""))
    hands.settle().wait_color(4, 60, NOTE_DRAWN)
    page.wait_for_function("() => window.jupyterapp.shell.currentWidget.sessionContext.session")
    execute("notes.fill_rect(58, 58, 4, 4)")
    hands.wait_color(60, 60, NOTE_DRAWN)


def test_two_tabs_stay_in_step(lab: Site) -> None:
    page = lab.open(CELLS)
    first = Hands(page).settle()
    page.evaluate("async () => { await window.jupyterapp.commands.execute('docmanager:save'); }")
    other = page.context.new_page()
    other.goto(page.url)
    second = Hands(other).settle()
    first.drag((30.5, 30.5), (39.5, 37.5))
    second.told("80 pixels")
    second.wait_color(35, 30, "r > 150 && b < 100")
    second.drag((10.5, 10.5), (19.5, 19.5))
    first.told("100 pixels")
    first.wait_color(15, 10, "r > 150 && b < 100")
    other.close()


def test_drawing_goes_on_while_the_kernel_is_busy(lab: Site) -> None:
    busy = "import threading\nthreading.Event().wait(4);"
    page = lab.open(CELLS)
    hands = Hands(page).settle()
    done = page.evaluate_handle(
        """code => {
            const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
            const future = kernel.requestExecute({ code });
            const state = { over: false };
            future.done.then(() => { state.over = true; });
            return state;
        }""",
        busy,
    )
    hands.drag((30.5, 30.5), (39.5, 37.5))
    hands.wait_color(32.5, 30, "r > 150 && b < 100")
    assert not done.evaluate("state => state.over")
    hands.told("80 pixels", seconds=20)


def test_a_dead_kernel_is_said_and_drawing_works(lab: Site, console: Console) -> None:
    console.allow("Could not send widget sync message")
    page = lab.open(CELLS)
    hands = Hands(page).settle()
    page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.shutdown()"
    )
    expect(hands.root.get_by_text(re.compile("Not connected to a kernel"))).to_be_visible()
    hands.drag((30.5, 30.5), (39.5, 37.5))
    hands.wait_color(32.5, 30, "r > 150 && b < 100")
