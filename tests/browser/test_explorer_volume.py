"""A volume in the explorer: walk through its slices with the live explanation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pages import Site
from playwright.sync_api import expect
from watching import SOON_MS, STARTS_MS, Watch

CELLS = [
    "import pdcr_widgets as pdcr\ncase = pdcr.demo.load('brain-volume')",
    "explorer = pdcr.Explorer(case, with_layers=False, samples=4, patch_size=16)\nexplorer",
]


def test_every_slice_is_explained_and_keeps_its_region(
    lab: Site, shot: Callable[[str], Path], execute: Callable[[str], str]
) -> None:
    watch = Watch(lab.open(CELLS)).settle()
    page, base = watch.page, watch.facts.locator("b")
    expect(watch.status).to_contain_text("Done", timeout=STARTS_MS)
    first = base.inner_text()
    watch.stage.focus()
    page.keyboard.press("PageUp")
    page.keyboard.press("PageUp")
    page.keyboard.press("PageUp")
    expect(page.locator(".pdcr-explorer")).to_contain_text("slice 87 of 192")
    expect(base).not_to_have_text(first, timeout=SOON_MS)
    expect(watch.status).to_contain_text("Done", timeout=STARTS_MS)

    before, carried = watch.painted(), base.inner_text()
    watch.draw_box(0.36, 0.30, 0.50, 0.42)
    watch.wait_painted_anew(before)
    expect(base).not_to_have_text(carried, timeout=SOON_MS)
    expect(watch.status).to_contain_text("Done", timeout=STARTS_MS)
    here = base.inner_text()
    shot("drawn")
    watch.stage.focus()
    for _ in range(3):
        page.keyboard.press("PageDown")
    expect(page.locator(".pdcr-explorer")).to_contain_text("slice 84 of 192")
    expect(base).to_have_text(first, timeout=SOON_MS)
    assert execute("print((explorer.session.region == case.region).all())").strip() == "True"
    for _ in range(3):
        page.keyboard.press("PageUp")
    expect(base).to_have_text(here, timeout=SOON_MS)

    page.get_by_role("button", name="Coronal").click()
    expect(page.locator(".pdcr-explorer")).to_contain_text("learnt from axial slices only")
    expect(watch.status).to_contain_text("Ready", timeout=SOON_MS)
    shot("coronal")
