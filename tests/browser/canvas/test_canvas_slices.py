"""Volumes on a page: planes, slices, and drawings that stay where they were made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from desk import Desk
from hands import Hands
from playwright.sync_api import expect

CELLS = [
    """
import numpy as np
import ipywidgets as w
import pdcr_widgets as pdcr

slices = np.arange(20)[:, None, None] * np.ones((1, 64, 64), int)
canvas = pdcr.SliceViewer(slices, orientation="SPL", index=10, max_height=512)
told = w.HTML()

def tell(change=None):
    told.value = (f"<span class='told'>{canvas.plane} {canvas.index}, "
                  f"{int(canvas.region_volume.sum())} pixels</span>")

canvas.observe(tell, ["region", "index", "plane"])
tell()
""",
    "canvas",
    "told",
]

BLOCK = """() => {
    const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
    const code = "import threading\\nprint('waits')\\nthreading.Event().wait(50)";
    const future = kernel.requestExecute({ code });
    future.onIOPub = ({ header }) => { if (header.msg_type === "stream") window.blocked = true; };
    future.done.then(() => { window.blocked = false; });
}"""


def test_slices_are_walked_and_drawn_on(lab: Desk, shot: Callable[[str], Path]) -> None:
    page = lab.open(CELLS)
    hands = Hands(page).settle()
    middle = hands.color(40, 40)[0]
    hands.drag((30.5, 30.5), (39.5, 37.5))
    hands.told("axial 10, 80 pixels")
    hands.hover(50, 50)
    page.mouse.wheel(0, 120)
    hands.told("axial 12, 80 pixels")
    hands.wait_color(40, 40, f"r > {middle + 20}")
    expect(hands.root.get_by_role("button", name="Undo")).to_be_disabled()
    hands.press("PageDown", "PageDown", "PageDown")
    hands.told("axial 9, 80 pixels")
    hands.wait_color(40, 40, f"r < {middle}")
    hands.press("PageUp")
    hands.wait_color(35, 30, "r > b + 40")
    shot("axial")
    hands.choose("Coronal")
    hands.told("coronal 10, 80 pixels")
    hands.choose("Play through")
    expect(page.locator(".told")).not_to_contain_text("coronal 10,")
    hands.choose("Play through")
    expect(hands.root.get_by_role("button", name="Play through")).to_have_attribute(
        "aria-pressed", "false"
    )


def test_every_slice_has_its_own_steps(lab: Desk) -> None:
    hands = Hands(lab.open(CELLS)).settle()
    undo = hands.root.get_by_role("button", name="Undo")
    hands.drag((30.5, 30.5), (39.5, 37.5))
    hands.told("axial 10, 80 pixels")
    hands.press("PageUp")
    hands.told("axial 11, 80 pixels")
    expect(undo).to_be_disabled()
    hands.drag((10.5, 10.5), (19.5, 19.5))
    hands.told("axial 11, 180 pixels")
    hands.press("PageDown")
    hands.told("axial 10, 180 pixels")
    expect(undo).to_be_enabled()
    undo.click()
    hands.told("axial 10, 100 pixels")
    expect(undo).to_be_disabled()


def test_neighbours_are_here_before_they_are_asked_for(lab: Desk) -> None:
    page = lab.open(CELLS)
    hands = Hands(page).settle()
    hands.press("PageUp")
    hands.told("axial 11, 0 pixels")
    page.wait_for_function("() => window.neighbours === undefined || true")
    middle = hands.color(40, 40)[0]
    page.evaluate(BLOCK)
    page.wait_for_function("() => window.blocked === true")
    hands.press("PageUp")
    hands.wait_color(40, 40, f"r > {middle + 8}")
    assert page.evaluate("() => window.blocked")
    page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.interrupt()"
    )
    page.wait_for_function("() => window.blocked === false")
    hands.told("axial 12, 0 pixels")
