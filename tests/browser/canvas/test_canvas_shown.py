"""What a canvas shows, and that it follows Python, its cell and its other views."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from desk import Desk
from hands import CELLS, SHOWN, Hands
from playwright.sync_api import expect


def test_two_views_stay_in_step(lab: Desk) -> None:
    page = lab.open([*CELLS, "canvas"])
    first = Hands(page).settle()
    first.drag((30.5, 30.5), (39.5, 37.5))
    first.told("80 pixels")
    second = Hands(page, 1)
    second.wait_color(35, 30, "r > 150 && b < 100")
    second.choose("Undo")
    second.told("0 pixels")
    first.choose("Ellipse")
    button = second.root.get_by_role("button", name="Ellipse")
    expect(button).to_have_attribute("aria-pressed", "true")


def test_a_pointer_shows_in_linked_canvases(lab: Desk) -> None:
    other = (
        "other = pdcr.RegionCanvas(image)\nw.jslink((canvas, 'cursor'), (other, 'cursor'))\nother"
    )
    page = lab.open([*CELLS, other])
    hands, linked = Hands(page).settle(), Hands(page, 1)
    before = linked.color(10, 32)
    hands.stage.scroll_into_view_if_needed()
    hands.hover(40.5, 32.5)
    linked.wait_color(10, 32.5, f"r > {before[0] + 60}")


def test_python_changes_what_is_shown(lab: Desk, execute: Callable[[str], str]) -> None:
    hands = Hands(lab.open(SHOWN)).settle()
    hands.wait_color(2, 2, "r > b + 40")
    execute("canvas.colormap = 'orange-purple'; canvas.limit = 0.5; canvas.opacity = 1.0")
    expect(hands.root.locator(".pdcr-colors")).to_contain_text("0.5 harms")
    hands.wait_color(62, 60, "b > g + 30")
    execute("canvas.image = np.ones((64, 64)); canvas.region = (0, 0, 64, 32)")
    hands.told("2048 pixels")
    hands.wait_color(62, 60, "Math.abs(r - b) < 3")
    execute("canvas.image = np.zeros((32, 48), 'float32')")
    expect(hands.page.locator(".told")).to_contain_text("0 pixels")
    box = hands.stage.bounding_box()
    assert box is not None
    assert box["width"] / box["height"] == pytest.approx(1.5, abs=0.02)


def test_a_narrow_cell_is_filled_and_not_more(lab: Desk, shot: Callable[[str], Path]) -> None:
    narrow = "w.VBox([canvas], layout=w.Layout(width='300px'))"
    hands = Hands(lab.open([SHOWN[0], narrow, "told"])).settle()
    hands.page.wait_for_function(
        "root => root.offsetWidth <= 300 && root.scrollWidth <= root.clientWidth",
        arg=hands.root.element_handle(),
    )
    shot("narrow")
