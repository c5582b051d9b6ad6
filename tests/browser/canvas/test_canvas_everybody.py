"""Nothing stands in the way of anybody: axe-core finds nothing, in light and dark."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from desk import Desk
from hands import SHOWN, Hands
from playwright.sync_api import Page, expect
from test_canvas_slices import CELLS as SLICES

EXPLORER = (
    "import pdcr_widgets as pdcr\nexplorer = pdcr.Explorer(pdcr.demo.load('brain'))\nexplorer"
)


@pytest.fixture(params=["JupyterLab Light", "JupyterLab Dark"])
def themed(request: pytest.FixtureRequest, lab: Desk) -> Iterator[Desk]:
    """JupyterLab in one of its themes."""
    yield lab
    lab.change_theme()


@pytest.fixture
def theme(request: pytest.FixtureRequest) -> str:
    """Name of the theme that is shown."""
    return str(request.node.callspec.params["themed"])


@pytest.fixture
def axe(repository: Path) -> Callable[[Page, str], list[str]]:
    """Say what axe-core finds inside an element."""

    def violations(page: Page, selector: str) -> list[str]:
        page.add_script_tag(path=repository / "js/node_modules/axe-core/axe.min.js")
        found = page.evaluate("async (at) => (await axe.run(at)).violations", selector)
        return [f"{each['id']}: {each['help']}: {each['nodes'][0]['html']}" for each in found]

    return violations


def test_the_canvas_is_for_everybody(
    themed: Desk,
    theme: str,
    axe: Callable[[Page, str], list[str]],
    shot: Callable[[str], Path],
) -> None:
    page = themed.open([f"{SHOWN[0]}\ncanvas.region = (30, 30, 8, 8)", *SHOWN[1:]])
    themed.change_theme(theme)
    hands = Hands(page).settle()
    hands.choose("Display")
    expect(hands.root.get_by_role("group", name="Display")).to_be_visible()
    shot("display")
    assert axe(page, ".pdcr-canvas") == []
    hands.choose("Regions")
    hands.root.get_by_role("button", name="Keep this region").click()
    expect(hands.root.get_by_label("Name of Region 1")).to_be_visible()
    hands.choose("Snap to the patch grid")
    shot("regions")
    assert axe(page, ".pdcr-canvas") == []
    hands.press("?")
    expect(page.get_by_role("dialog", name="Keyboard and mouse")).to_be_visible()
    shot("keys")
    assert axe(page, ".pdcr-help") == []


def test_slices_are_for_everybody(
    themed: Desk, theme: str, axe: Callable[[Page, str], list[str]], shot: Callable[[str], Path]
) -> None:
    page = themed.open(SLICES)
    themed.change_theme(theme)
    Hands(page).settle().choose("Window and level")
    shot("slices")
    assert axe(page, ".pdcr-canvas") == []


def test_the_explorer_is_for_everybody(
    themed: Desk, theme: str, axe: Callable[[Page, str], list[str]], shot: Callable[[str], Path]
) -> None:
    page = themed.open([EXPLORER])
    themed.change_theme(theme)
    expect(page.locator(".pdcr-layers rect.bar").first).to_be_attached()
    expect(page.locator(".pdcr-facts").first).to_be_visible()
    shot("explorer")
    assert axe(page, ".pdcr-explorer") == []


def test_tab_goes_through_the_parts_in_their_order(lab: Desk) -> None:
    page = lab.open(SHOWN)
    hands = Hands(page).settle()
    hands.root.get_by_role("button", name="Inspect").focus()
    names = []
    for _ in range(12):
        page.keyboard.press("Tab")
        names.append(
            page.evaluate("document.activeElement.ariaLabel ?? document.activeElement.tagName")
        )
    assert names[:5] == [
        "New region",
        "Add to the region (Shift)",
        "Subtract from the region (Alt)",
        "Intersect with the region (Shift+Alt)",
        "Snap to the patch grid: one click takes a square",
    ]
    assert names[5:] == [
        *("Top", "Left", "Height", "Width"),
        "Slice with target region",
        "Fit the picture",
        "Copy the picture",
    ]


def test_motion_is_reduced_on_request(lab: Desk) -> None:
    page = lab.open(SHOWN)
    hands = Hands(page).settle()
    button = hands.root.get_by_role("button", name="Box")
    page.emulate_media(reduced_motion="reduce")
    expect(button).to_have_css("transition-duration", "0s")
    page.emulate_media(reduced_motion="null")


def test_a_dense_screen_gets_all_its_pixels(lab: Desk) -> None:
    page = lab.open(SHOWN)
    hands = Hands(page).settle()
    screen = page.context.new_cdp_session(page)
    dense = {"width": 1280, "height": 900, "deviceScaleFactor": 2, "mobile": False}
    screen.send("Emulation.setDeviceMetricsOverride", dense)
    hands.hover(30, 30)
    expect(hands.stage).to_have_attribute("width", "1024")
    hands.wait_color(4, 60, "g > 240 && r < 20")
    screen.send("Emulation.clearDeviceMetricsOverride")
    hands.hover(20, 30)
    expect(hands.stage).to_have_attribute("width", "512")
