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


WHOLE = [
    "import numpy as np, torch, pdcr_widgets as pdcr\n"
    "torch.manual_seed(3)\n"
    "model = torch.nn.Sequential(torch.nn.Conv3d(1, 4, 5, padding=2), torch.nn.ReLU(),\n"
    "                            torch.nn.Conv3d(4, 1, 3, padding=1))\n"
    "image = pdcr.open_image(np.random.default_rng(0).random((24, 64, 80)), spacing=(2, 1, 1))",
    "region = np.zeros(image.spatial, bool); region[8:16, 24:40, 24:40] = True\n"
    "explorer = pdcr.Explorer(model, image, region=region, outcome='soft_dice')\nexplorer",
]


def test_a_model_of_volumes_says_what_is_not_shown(lab: Site, shot: Callable[[str], Path]) -> None:
    watch = Watch(lab.open(WHOLE)).settle()
    explorer = watch.page.locator(".pdcr-explorer")
    expect(watch.status).to_contain_text("Done", timeout=STARTS_MS)
    expect(explorer).to_contain_text("Patches are cubes")
    expect(explorer).to_contain_text("shown for pictures only")
    for kind in ("probe", "inside", "faithful"):
        expect(explorer.locator(f".pdcr-card.pdcr-{kind}")).to_be_hidden()
    expect(explorer.locator(".pdcr-card.pdcr-bars")).to_be_visible()
    explorer.get_by_text("shown for pictures only").scroll_into_view_if_needed()
    shot("whole")
