"""A sweep in the explorer: the map follows the region while the mouse button is still down."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pages import Site
from playwright.sync_api import expect
from watching import SOON_MS, STARTS_MS, Watch

CELLS = [
    "import pdcr_widgets as pdcr\ncase = pdcr.demo.load('brain')",
    "explorer = pdcr.Explorer(case, with_layers=False, samples=8)\n"
    "explorer.session.sweep_samples = 1\nexplorer",
]


def test_the_map_follows_a_drag_before_the_button_is_let_go(
    lab: Site, shot: Callable[[str], Path], execute: Callable[[str], str]
) -> None:
    watch = Watch(lab.open(CELLS)).settle()
    page = watch.page
    sweep = page.locator(".pdcr-sweepbar")
    expect(sweep).to_contain_text("672 patches, 1 draw each")
    watch.button("Build sweep").click()
    expect(sweep).to_contain_text("Sweep ready", timeout=STARTS_MS)
    expect(watch.status).to_contain_text("Done", timeout=STARTS_MS)
    generation = execute("print(explorer.session.generation)")

    before = watch.facts.locator("b").inner_text()
    watch.press_at(0.36, 0.56)
    watch.move_to(0.44, 0.64)
    watch.told("read off the sweep")
    expect(watch.status).to_contain_text("Read off the sweep", timeout=SOON_MS)
    first = watch.facts.locator("b").inner_text()
    assert first != before
    painted = watch.painted()
    watch.move_to(0.50, 0.70)
    expect(watch.facts.locator("b")).not_to_have_text(first, timeout=SOON_MS)
    watch.wait_painted_anew(painted)
    shot("dragging")
    assert execute("print(explorer.session.generation)") == generation

    page.mouse.up()
    expect(watch.facts).not_to_contain_text("read off the sweep", timeout=STARTS_MS)
    expect(watch.status).to_contain_text("Done", timeout=STARTS_MS)
    watch.press("Patch, px", "ArrowRight")
    expect(sweep).to_contain_text("another patch size", timeout=SOON_MS)
    expect(watch.button("Build sweep")).to_be_enabled()
    shot("dropped")
