"""Keyboard, touch and wheel on the canvas."""

from __future__ import annotations

from desk import Desk
from hands import CELLS, Hands
from playwright.sync_api import expect


def test_the_keyboard_alone_suffices(lab: Desk) -> None:
    hands = Hands(lab.open(CELLS)).settle()
    hands.press("b", "Space", *["Shift+ArrowRight"], *["ArrowDown"] * 4, "Space")
    hands.told("55 pixels, box 32 32 5 11")
    hands.press("Control+z")
    hands.told("0 pixels")
    hands.press("Control+Shift+z")
    hands.told("55 pixels")
    hands.press("d", *["ArrowLeft"] * 5, "Space", *["ArrowUp"] * 3, "Space", "Delete")
    hands.told("0 pixels")
    hands.press("p", "Space", "Shift+ArrowLeft", "Space", "Shift+ArrowUp", "Space", "Enter")
    expect(hands.page.locator(".told")).not_to_contain_text("0 pixels,")
    hands.press("?")
    sheet = hands.page.get_by_role("dialog", name="Keyboard and mouse")
    expect(sheet).to_be_visible()
    hands.page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()


def test_letters_do_not_reach_the_notebook(lab: Desk) -> None:
    page = lab.open(CELLS)
    cells = page.locator(".jp-Cell").count()
    Hands(page).settle().press("d", "d", "a", "b", "x")
    expect(page.locator(".jp-Cell")).to_have_count(cells)


def test_a_finger_draws_and_two_zoom(lab: Desk) -> None:
    page = lab.open(CELLS)
    hands = Hands(page).settle()
    touch = page.context.new_cdp_session(page)
    touch.send("Emulation.setTouchEmulationEnabled", {"enabled": True})

    def event(kind: str, *places: tuple[float, float]) -> None:
        points = [
            {"x": x, "y": y, "id": index}
            for index, (x, y) in enumerate(hands.at(*p) for p in places)
        ]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    event("touchStart", (10.5, 10.5))
    event("touchMove", (15.5, 18.5))
    event("touchMove", (19.5, 25.5))
    event("touchEnd")
    hands.told("160 pixels, box 10 10 16 10")
    event("touchStart", (30, 30), (34, 30))
    event("touchMove", (24, 30), (40, 30))
    event("touchEnd")
    hands.told("160 pixels")
    hands.told("zoom 4.0")


def test_the_wheel_zooms_only_with_the_focus(lab: Desk) -> None:
    page = lab.open(CELLS)
    hands = Hands(page).settle()
    hands.hover(20, 20)
    page.mouse.wheel(0, -240)
    hands.settle().choose("Inspect")
    hands.click(60, 4)
    hands.hover(20, 20)
    page.mouse.wheel(0, -240)
    hands.told("zoom 1.6")
    page.mouse.dblclick(*hands.at(30, 30))
    hands.told("zoom 1.0")
