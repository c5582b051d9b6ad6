"""Every tool of the region canvas in JupyterLab, with mouse, keyboard and touch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from desk import Desk
from hands import CELLS, Hands
from playwright.sync_api import expect


def test_every_shape_draws_with_the_mouse(lab: Desk) -> None:
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
    lab: Desk, shot: Callable[[str], Path]
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


def test_grid_numbers_and_morphology(lab: Desk) -> None:
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
    lab: Desk, execute: Callable[[str], str], shot: Callable[[str], Path]
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


def test_one_click_takes_a_square_target(lab: Desk, shot: Callable[[str], Path]) -> None:
    hands = Hands(lab.open(CELLS)).settle()
    for name, value in [("Top", "3"), ("Left", "5"), ("Height", "7")]:
        hands.type(name, value)
    hands.told("0 pixels")
    hands.type("Width", "11")
    hands.told("77 pixels, box 3 5 7 11")
    hands.choose("Snap to the patch grid")
    hands.type("Patches", "3")
    before = hands.color(36, 36)[0]
    hands.hover(40, 44)
    hands.wait_color(36, 36, f"r > {before + 8}")
    shot("offered")
    hands.click(40, 44)
    hands.told("576 pixels, box 32 32 24 24")
    hands.drag((33, 33), (25, 33))
    hands.told("576 pixels, box 32 24 24 24")


def test_corners_of_a_polygon_come_and_go(lab: Desk) -> None:
    hands = Hands(lab.open(CELLS)).settle()
    hands.choose("Polygon")
    for column, row in [(8, 8), (24, 8), (50, 40)]:
        hands.click(column, row)
    hands.choose("Undo")
    for column, row in [(24, 24), (8, 24)]:
        hands.click(column, row)
    hands.page.mouse.dblclick(*hands.at(8, 24))
    hands.told("256 pixels, box 8 8 16 16")
    hands.click(24, 16, times=2)
    hands.drag((24, 16), (40, 16))
    hands.told("384 pixels, box 8 8 16 31")
    hands.page.keyboard.down("Alt")
    hands.click(40, 16)
    hands.page.keyboard.up("Alt")
    hands.told("256 pixels, box 8 8 16 16")


def test_what_a_click_would_pick_is_outlined(lab: Desk, shot: Callable[[str], Path]) -> None:
    hands = Hands(lab.open(CELLS)).settle()
    hands.choose("Pick a component")
    before = hands.color(50, 50)
    hands.hover(50, 50)
    hands.wait_color(50, 52, f"r > b + 10 && g < {before[1] + 60}")
    shot("outlined")
    hands.click(50, 50)
    hands.told("box 45 45 11 11")
    hands.press("Control+z", "2")
    hands.told("0 pixels")
    hands.click(50, 50)
    hands.click(20, 20)
    hands.told("box 14 13 15 15")
    hands.press("d")
    hands.drag((8, 20), (60, 20), held="Alt")
    hands.told("51 pixels, box 14 14 15 13")


def test_undo_goes_through_the_list_too(lab: Desk) -> None:
    hands = Hands(lab.open(CELLS)).settle()
    hands.drag((4.5, 40.5), (13.5, 49.5))
    hands.choose("Regions")
    hands.root.get_by_role("button", name="Keep this region").click()
    hands.told("named Region 1.")
    hands.drag((40.5, 40.5), (45.5, 45.5))
    hands.told("36 pixels")
    name = hands.root.get_by_label("Name of Region 1")
    name.fill("lesion")
    name.press("Enter")
    hands.told("named lesion.")
    hands.root.get_by_role("button", name="Delete lesion").click()
    hands.told("named .")
    undo = hands.root.get_by_role("button", name="Undo")
    undo.click()
    hands.told("named lesion.")
    undo.click()
    hands.told("named Region 1.")
    undo.click()
    hands.told("100 pixels, box 40 4 10 10")
    undo.click()
    hands.told("named .")
    hands.press(*["Control+Shift+z"] * 3)
    hands.told("36 pixels")
    hands.told("named lesion.")


def test_the_window_follows_a_drag_and_presets(lab: Desk) -> None:
    ct = "\ncanvas.image = (image * 2000 - 1000).astype('int16')"
    hands = Hands(lab.open([CELLS[0] + ct, *CELLS[1:]])).settle()
    hands.choose("Window and level")
    hands.root.get_by_label("Window", exact=True).select_option("CT lung")
    hands.wait_color(62, 62, "r === 255")
    hands.told("window (-1350.0, 150.0)")
    hands.drag((10, 40), (30, 40))
    expect(hands.root.get_by_label("Window", exact=True)).to_have_value("Custom")
    hands.page.mouse.dblclick(*hands.at(30, 30))
    expect(hands.root.get_by_label("Window", exact=True)).to_have_value("Automatic")
    hands.root.get_by_label("Window", exact=True).select_option("Percentiles 5 to 95")
    hands.wait_color(2, 2, "r === 0")


def test_an_ellipse_is_stretched_and_cut_by_another(lab: Desk) -> None:
    hands = Hands(lab.open(CELLS)).settle()
    hands.choose("Ellipse")
    hands.drag((10, 10), (30, 30))
    hands.told("box 10 10 20 20")
    hands.drag((30, 20), (40, 20))
    hands.told("box 10 10 20 30")
    hands.choose("Intersect with the region")
    hands.choose("Box")
    hands.drag((20.5, 2.5), (60.5, 60.5))
    hands.told("box 10 20 20 20")
    hands.choose("Clear the region")
    hands.told("0 pixels")


def test_the_picture_is_copied(lab: Desk) -> None:
    hands = Hands(lab.open(CELLS)).settle()
    hands.drag((10.5, 10.5), (30.5, 30.5))
    hands.choose("Copy the picture")
    expect(hands.root.get_by_text("Picture copied")).to_be_visible()
    size = hands.page.evaluate(
        """async () => {
            const [item] = await navigator.clipboard.read();
            const picture = await createImageBitmap(await item.getType("image/png"));
            return [picture.width, picture.height];
        }"""
    )
    assert size == [512, 512]
