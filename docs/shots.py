"""Take the gallery's pictures again: the real explorer in Voila, a real comparison, a real page."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
sys.path.insert(0, str(ROOT / "tests" / "browser"))

from pages import RUN_MS, render  # noqa: E402
from servers import free_port, serving, voila_command  # noqa: E402
from watching import Watch  # noqa: E402

import pdcr_widgets as pdcr  # noqa: E402

MINUTES = 10 * 60_000
FLAGS = ["--no-sandbox", "--disable-gpu"]


def main() -> None:
    """Write every picture of the gallery to docs/images."""
    with tempfile.TemporaryDirectory() as name, chromium() as page:
        folder = Path(name)
        shutil.copy(ROOT / "notebooks" / "explorer.ipynb", folder)
        port = free_port()
        command = voila_command(port, folder)
        (folder / "home").mkdir()
        with serving(command, f"http://127.0.0.1:{port}/", folder / "home") as address:
            render(page, f"{address}voila/render/explorer.ipynb")
            explorer(page)
            network(page)
            comparison(page)
        embedded(page, folder / "figure.html")
    figure()


@contextmanager
def chromium() -> Iterator[Page]:
    """Give a page, tall enough for the whole explorer."""
    names = (os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome")
    found = next((path for name in names if name and (path := shutil.which(name))), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 2600}, device_scale_factor=1.25)
        page.set_default_timeout(RUN_MS)
        yield page
        browser.close()


def explorer(page: Page) -> None:
    """Take the explorer with the strongest patch selected, once its map is complete."""
    status = page.locator(".pdcr-status-line").first
    expect(status).to_contain_text("Done", timeout=MINUTES)
    expect(page.get_by_role("button", name="Run", exact=True)).to_be_enabled()
    page.get_by_role("button", name="Inspect").first.click()
    Watch(page).click_strongest()
    expect(page.locator(".pdcr-patch")).to_contain_text("mean of", timeout=MINUTES)
    expect(page.locator(".pdcr-patch rect.bar").first).to_be_visible()
    columns = page.locator(".pdcr-columns").bounding_box()
    assert columns
    bottom = columns["y"] + columns["height"] + 8
    clip = {"x": 0, "y": 0, "width": 1280, "height": bottom}
    page.screenshot(path=IMAGES / "explorer.png", clip=clip)


def network(page: Page) -> None:
    """Take the network with a stage and one of its channels selected."""
    card = page.locator(".pdcr-card").filter(has=page.locator(".pdcr-network"))
    card.locator("[data-name='decoder.2']").first.click()
    expect(page.locator(".pdcr-strip-effect").first).not_to_have_text("…", timeout=MINUTES)
    page.locator(".pdcr-strip button").first.click()
    expect(card).to_contain_text("flip in the whole image", timeout=MINUTES)
    card.screenshot(path=IMAGES / "network.png")


def comparison(page: Page) -> None:
    """Take the comparison of all methods."""
    page.get_by_text("RISE (slow)").click()
    page.get_by_role("button", name="Compare methods").click()
    bar = page.get_by_role("progressbar", name="Comparison")
    expect(bar).to_have_attribute("aria-valuenow", "100", timeout=MINUTES)
    card = page.locator(".pdcr-card").filter(has=page.locator(".pdcr-comparison-table"))
    expect(card.locator("img.pdcr-map")).to_have_count(8)
    card.screenshot(path=IMAGES / "comparison.png")


def embedded(page: Page, path: Path) -> None:
    """Take the page that needs no kernel, with the pointer on it and the network off."""
    case = pdcr.demo.load("brain")
    session = pdcr.Session(case, baseline="mean", threaded=False)
    session.run()
    pdcr.embed(session, path, title=case.title)
    page.context.set_offline(True)
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(path.as_uri())
    stage = page.locator(".pdcr-stage")
    expect(stage).to_be_visible()
    box = stage.bounding_box()
    assert box
    page.mouse.move(box["x"] + 0.66 * box["width"], box["y"] + 0.5 * box["height"])
    expect(page.locator(".pdcr-readout")).to_contain_text("effect")
    page.screenshot(path=IMAGES / "embedded.png")


def figure() -> None:
    """Draw the figure for a paper."""
    case = pdcr.demo.load("brain")
    found = pdcr.compare(
        case.segmenter, case.image, case.region, case.truth, baseline=case.bank, patch_size=8
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "figure.png"
        pdcr.save(found, path, image=case.image.numpy(), spacing=case.spacing)
        from PIL import Image

        with Image.open(path) as drawn:
            drawn.resize((drawn.width // 2, drawn.height // 2)).save(
                IMAGES / "comparison_figure.png", optimize=True
            )


if __name__ == "__main__":
    main()
