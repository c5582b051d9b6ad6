"""The network's diagram and its channels, with a mouse and a keyboard."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pages import Site
from playwright.sync_api import Locator, Page, expect
from watching import STARTS_MS

CELLS = [
    "import pdcr_widgets as pdcr\nfrom pdcr_widgets.widgets import NetworkExplorer",
    "case = pdcr.demo.load('brain')",
    "session = pdcr.Session(case, patch_size=32, baseline='mean')\nsession.run()",
    "network = NetworkExplorer(session)\nnetwork",
]

LEAST = 240  # pixels that names and numbers need; in less room the diagram scrolls
FITS = """width => {
    const frame = document.querySelector(".pdcr-network");
    const fits = frame.clientWidth < LEAST || frame.scrollWidth <= frame.clientWidth;
    return frame.clientWidth <= width && fits;
}""".replace("LEAST", str(LEAST))


@pytest.fixture(params=["lab", "voila"])
def page(request: pytest.FixtureRequest) -> Page:
    site: Site = request.getfixturevalue(request.param)
    shown = site.open(CELLS)
    expect(shown.locator(".pdcr-skip-text").last).to_contain_text(".", timeout=STARTS_MS)
    return shown


def part(page: Page, name: str) -> Locator:
    return page.locator(f'.pdcr-part[data-name="{name}"]')


def test_a_stage_opens_into_channels_and_a_channel_into_maps(
    page: Page, shot: Callable[[str], Path]
) -> None:
    expect(part(page, "encoder.0 -> decoder.2")).to_be_visible()
    part(page, "encoder.1").click()
    expect(part(page, "encoder.1")).to_have_attribute("aria-pressed", "true")
    cards = page.locator(".pdcr-strip button")
    expect(cards).to_have_count(32, timeout=STARTS_MS)
    expect(cards.last.locator(".pdcr-strip-effect")).not_to_have_text("…", timeout=STARTS_MS)
    painted = cards.first.locator("canvas").evaluate(
        "c => new Set(c.getContext('2d').getImageData(0, 0, c.width, c.height).data).size"
    )
    assert painted > 10
    cards.first.click()
    expect(cards.first).to_have_attribute("aria-selected", "true")
    maps = page.locator("img.pdcr-map:visible")
    expect(maps).to_have_count(2, timeout=STARTS_MS)
    assert maps.evaluate_all("all => all.every(one => one.naturalWidth > 100)")
    shot("channels")


def test_the_keyboard_selects_and_pins(page: Page, shot: Callable[[str], Path]) -> None:
    for name in ("encoder.0", "decoder.1"):
        part(page, name).focus()
        page.keyboard.press("Enter")
        expect(part(page, name)).to_have_attribute("aria-pressed", "true")
        expect(part(page, name)).to_be_focused()
        page.get_by_role("button", name="Pin to compare").click()
    expect(page.locator(".pdcr-comparison th")).to_have_count(4)
    shot("pinned")
    page.set_viewport_size({"width": 700, "height": 900})
    for width in (700, 480):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_function(FITS, arg=width)
    shot("narrow")


@pytest.mark.parametrize("page", ["voila"], indirect=True)
def test_questions_about_the_network_are_answered(page: Page, shot: Callable[[str], Path]) -> None:
    part(page, "encoder.1").click()
    page.get_by_role("button", name="Where in the layer").click()
    expect(page.locator("img.pdcr-map:visible")).to_have_count(1, timeout=STARTS_MS)
    page.get_by_role("button", name="Dose").click()
    expect(page.locator(".pdcr-inside .pdcr-figure path.line").first).to_be_visible(
        timeout=STARTS_MS
    )
    shot("dose")
    page.get_by_role("button", name="What the skips do").click()
    answer = page.locator(".pdcr-answer")
    expect(answer.locator("tr")).to_have_count(1 + 3 * 3, timeout=STARTS_MS)
    page.get_by_role("button", name="Both pinned at once").click()
    expect(answer).to_contain_text("Pin two components")
    shot("paths")


@pytest.mark.parametrize("page", ["voila"], indirect=True)
def test_layers_are_replaced_inside_the_region_only(page: Page) -> None:
    label = part(page, "decoder.1")
    before = label.get_attribute("aria-label")
    page.get_by_label("Replace", exact=True).select_option(label="Inside the region")
    expect(label).not_to_have_attribute("aria-label", str(before), timeout=STARTS_MS)
    page.get_by_label("Replace", exact=True).select_option(label="In a drawn area")
    expect(page.locator(".pdcr-stage")).to_be_visible()
