"""The notebook that `make demo` serves, in Voila."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pages import Console, Site
from playwright.sync_api import expect
from watching import SOON_MS, STARTS_MS, Watch, draw_and_change

NOTEBOOK = Path(__file__).resolve().parents[2] / "notebooks" / "explorer.ipynb"


def test_every_change_is_followed_and_stop_stops(voila: Site, shot: Callable[[str], Path]) -> None:
    watch = draw_and_change(voila.open(NOTEBOOK))
    shot("changed")
    watch.choose("Baseline", "Natural patches")
    expect(watch.button("Stop")).to_be_enabled(timeout=SOON_MS)
    watch.button("Stop").click()
    expect(watch.status).to_contain_text("Stopped", timeout=SOON_MS)


def test_a_patch_and_a_layer_can_be_probed(voila: Site, shot: Callable[[str], Path]) -> None:
    watch = Watch(voila.open(NOTEBOOK)).settle()
    page = watch.page
    watch.wait_bars(50)
    expect(watch.status).to_contain_text("Done", timeout=STARTS_MS)
    page.get_by_role("button", name="Inspect").first.click()
    watch.click_strongest()
    expect(page.locator(".pdcr-patch")).to_contain_text("mean of 48 draws", timeout=SOON_MS)
    expect(page.locator(".pdcr-patch rect.bar").first).to_be_visible(timeout=SOON_MS)
    watch.bars.first.click()
    expect(page.locator(".pdcr-layers .pdcr-words")).to_contain_text("output 16 × 224 × 192")
    shot("probed")


@pytest.mark.parametrize("width", [1280, 700])
def test_nothing_is_wider_than_the_page(voila: Site, width: int) -> None:
    page = voila.page
    page.set_viewport_size({"width": width, "height": 900})
    Watch(voila.open(NOTEBOOK)).settle()
    page.wait_for_function(
        "width => document.documentElement.scrollWidth <= width &&"
        " [...document.querySelectorAll('.pdcr-explorer .pdcr-card')]"
        ".every(card => card.scrollWidth <= card.clientWidth + 1)",
        arg=width,
    )


def test_a_reload_starts_anew(voila: Site, console: Console) -> None:
    console.allow("voila/api/shutdown")  # voila#1458: the page may not end its kernel
    watch = Watch(voila.open(NOTEBOOK)).settle()
    watch.page.reload()
    watch.settle()
    watch.wait_bars(50)
