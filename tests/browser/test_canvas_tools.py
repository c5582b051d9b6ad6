"""Every tool of the region canvas in JupyterLab, with mouse, keyboard and touch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hands import CELLS, Hands
from pages import Site
from playwright.sync_api import expect


def test_every_shape_draws_with_the_mouse(lab: Site) -> None:
    hands = Hands(lab.open(CELLS)).settle()
    hands.drag((4.5, 6.5), (15.5, 12.5))
    hands.told("84 pixels, box 6 4 7 12")
    hands.drag((12.5, 30.5), (17.5, 35.5), held="Shift")
    hands.told("120 pixels, box 6 4 30 14")
    hands.drag((4.5, 6.5), (60.5, 12.5), held="Alt")
    hands.told("36 pixels, box 30 12 6 6")

    hands.choose("Ellipse")
    hands.drag((20, 20), (30, 40))
    hands.told("box 20 20 20 10")

    hands.choose("Polygon")
    for column, row in [(8, 8), (24, 8), (24, 24), (8, 24)]:
        hands.click(column, row)
    hands.click(8, 8)
    hands.told("256 pixels, box 8 8 16 16")
    hands.drag((24, 24), (40, 40))
    hands.told("box 8 8 32 32")

    hands.choose("Lasso")
    hands.drag((10, 10), (30, 10), (30, 30), (10, 30))
    hands.told("400 pixels, box 10 10 20 20")


def test_what_is_drawn_can_be_painted_undone_moved_and_picked(
    lab: Site, shot: Callable[[str], Path]
) -> None:
    hands = Hands(lab.open(CELLS)).settle()
    hands.drag((4.5, 6.5), (15.5, 12.5))
    hands.told("84 pixels")
    hands.choose("Clear the region")
    hands.told("0 pixels")
    hands.choose("Brush")
    hands.drag((12.5, 50.5), (40.5, 50.5))
    hands.told("box 46 8 9 37")
    hands.choose("Eraser")
    hands.drag((26.5, 44), (26.5, 60))
    hands.root.get_by_role("button", name="Undo").click()
    hands.told("box 46 8 9 37")
    hands.root.get_by_role("button", name="Redo").click()
    hands.choose("Move and resize")
    hands.drag((12.5, 50.5), (12.5, 20.5))
    hands.told("box 16 8 9 37")

    hands.choose("Pick a component")
    hands.click(20, 20)
    hands.told("box 13 13 15 15")
    shot("picked")


def test_grid_numbers_and_morphology(lab: Site) -> None:
    hands = Hands(lab.open(CELLS)).settle()
    hands.choose("Snap to the patch grid")
    hands.click(20, 30)
    hands.told("64 pixels, box 24 16 8 8")
    hands.root.get_by_label("Height", exact=True).fill("20")
    hands.root.get_by_label("Height", exact=True).press("Enter")
    hands.told("160 pixels, box 24 16 20 8")
    hands.press(">")
    hands.told("box 23 15 22 10")
    hands.press("<")
    hands.told("160 pixels, box 24 16 20 8")
    hands.choose("Snap to the patch grid")
    hands.drag((30.5, 30.5), (50.5, 50.5))
    hands.drag((34.5, 34.5), (46.5, 46.5), held="Alt")
    hands.press("Escape", "f")
    hands.told("441 pixels, box 30 30 21 21")


def test_several_regions_have_names(
    lab: Site, execute: Callable[[str], str], shot: Callable[[str], Path]
) -> None:
    hands = Hands(lab.open(CELLS)).settle()
    hands.drag((4.5, 40.5), (13.5, 49.5))
    hands.choose("Regions")
    keep = hands.root.get_by_role("button", name="Keep this region")
    keep.click()
    hands.drag((40.5, 40.5), (45.5, 45.5))
    hands.told("36 pixels")
    keep.click()
    hands.told("named Region 1 and Region 2.")
    name = hands.root.get_by_label("Name of Region 2")
    name.fill("lesion")
    name.press("Enter")
    hands.told("named Region 1 and lesion.")
    hands.root.get_by_label("Draw on Region 1").check()
    hands.told("36 pixels, box 40 40 6 6")
    hands.drag((20.5, 50.5), (23.5, 53.5))
    hands.told("16 pixels")
    told = "print([(r.name, int(r.mask.sum())) for r in canvas.regions], canvas.active)"
    assert execute(told).strip() == "[('Region 1', 16), ('lesion', 36)] Region 1"
    shot("list")
    hands.root.get_by_role("button", name="Delete Region 1").click()
    expect(hands.root.get_by_label("Name of Region 1")).to_have_count(0)
    hands.told("named lesion.")
    assert execute(told).strip() == "[('lesion', 36)]"


def test_the_keyboard_alone_suffices(lab: Site) -> None:
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


def test_letters_do_not_reach_the_notebook(lab: Site) -> None:
    page = lab.open(CELLS)
    cells = page.locator(".jp-Cell").count()
    Hands(page).settle().press("d", "d", "a", "b", "x")
    expect(page.locator(".jp-Cell")).to_have_count(cells)


def test_a_finger_draws_and_two_zoom(lab: Site) -> None:
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


def test_the_wheel_zooms_only_with_the_focus(lab: Site) -> None:
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
