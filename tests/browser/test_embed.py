"""A figure in one file answers hover, opacity, limits, menus and layers with the network off."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch
from playwright.sync_api import Page, Route, expect
from torch import nn

import pdcr_widgets as pdcr

SPATIAL = (64, 48)
REGIONS = {"Left": (24, 8, 16, 12), "Right": (24, 28, 16, 12)}


@pytest.fixture(scope="module")
def session() -> pdcr.Session:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 4, 9, padding=4), nn.ReLU(), nn.Conv2d(4, 1, 5, padding=2))
    rows, columns = np.mgrid[: SPATIAL[0], : SPATIAL[1]]
    image = np.sin(rows / 7) * np.cos(columns / 5) + 0.01 * columns
    made = pdcr.Session(
        net, image.astype(np.float32)[None], region=REGIONS["Left"], threaded=False, patch_size=8,
        spacing=(1.0, 1.0), outcome="mean_probability", baseline="noise", samples=8,
        intervention="noise",
    )  # fmt: skip
    made.run()
    return made


@pytest.fixture
def figure(page: Page, session: pdcr.Session, tmp_path: Path) -> Iterator[Page]:
    path = tmp_path / "figure.html"
    pdcr.embed(session, path, regions=REGIONS, patch_sizes=(8, 16), title="Offline")
    asked: list[str] = []

    def refuse(route: Route) -> None:
        asked.append(route.request.url)
        if route.request.url.startswith("file:"):
            route.continue_()
        else:
            route.abort()

    page.route("**/*", refuse)
    page.context.set_offline(True)
    page.goto(path.as_uri())
    expect(page.locator(".pdcr-stage")).to_be_visible()
    yield page
    assert asked == [path.as_uri()]


def at(page: Page, row: float, column: float) -> tuple[float, float]:
    """Place of a pixel on the page."""
    box = page.locator(".pdcr-stage").bounding_box()
    assert box
    return (
        box["x"] + box["width"] * (column + 0.5) / SPATIAL[1],
        box["y"] + box["height"] * (row + 0.5) / SPATIAL[0],
    )


def spoken(effect: float, stderr: float) -> re.Pattern[str]:
    """The numbers of a patch as the page writes them."""
    sign = "−" if effect < 0 else r"\+"
    return re.compile(rf"effect {sign}{abs(effect):.2f} ± {stderr:.2f} points, \d+ draws")


COLOR = """([x, y]) => {
    const stage = document.querySelector(".pdcr-stage");
    const { left, top, width, height } = stage.getBoundingClientRect();
    const across = (x - left) / width * stage.width;
    const down = (y - top) / height * stage.height;
    return String(stage.getContext("2d").getImageData(across, down, 1, 1).data.slice(0, 3));
}"""


def color(page: Page, row: float, column: float) -> str:
    """Red, green and blue of the stage at a pixel, with commas."""
    return str(page.evaluate(COLOR, list(at(page, row, column))))


def test_it_answers_without_kernel_and_network(
    figure: Page, session: pdcr.Session, shot: Callable[[str], Path]
) -> None:
    ate = session.ate
    row, column = np.unravel_index(np.nanargmax(np.abs(ate.effect)), ate.effect.shape)
    place = (8 * row + 4, 8 * column + 4)
    numbers = spoken(ate.effect[row, column], ate.stderr[row, column])
    figure.mouse.move(*at(figure, *place))
    expect(figure.locator(".pdcr-readout")).to_contain_text(numbers)
    figure.mouse.click(*at(figure, *place))
    chosen = figure.locator(".pdcr-card").filter(has_text="Patch")
    expect(chosen.filter(has_text=f"row {8 * row}, column {8 * column}, 8 × 8 px")).to_be_visible()
    before = color(figure, *place)
    figure.get_by_label("Map", exact=True).fill("0")
    expect(figure.locator(".pdcr-legend output").first).to_have_text("0 %")
    changed = f"([x, y, before]) => ({COLOR})([x, y]) !== before"
    figure.wait_for_function(changed, arg=[*at(figure, *place), before])
    shot("figure")


def test_regions_patch_sizes_and_limits_are_chosen(figure: Page) -> None:
    figure.get_by_role("combobox", name="Region").select_option("Right")
    figure.get_by_label("Patch size").select_option("16 px")
    expect(figure.locator(".pdcr-card").first).to_contain_text("Patches of 16 × 16 px")
    figure.mouse.move(*at(figure, 32, 34))
    expect(figure.locator(".pdcr-readout")).to_contain_text("in the region")
    figure.get_by_role("button", name="Display").click()
    figure.get_by_label("Lock limits").check()
    figure.get_by_role("spinbutton", name="points").fill("50")
    figure.keyboard.press("Enter")
    expect(figure.locator(".pdcr-colors")).to_contain_text("+50 harms")


def test_a_layer_opens_to_its_channels(figure: Page, session: pdcr.Session) -> None:
    card = figure.locator(".pdcr-card").filter(has_text="Effect of each layer")
    layer = session.layers.rows[0].layer
    card.get_by_role("button").first.click()
    expect(card).to_contain_text(f"{layer}, channels by size of their effect")
    expect(card.locator(".pdcr-bar-name").filter(has_text=f"{layer}[")).to_have_count(4)
    card.get_by_role("button", name="All layers").click()
    expect(card).to_contain_text("Click a layer for its channels.")


def test_nothing_can_be_drawn(figure: Page) -> None:
    stage = figure.locator(".pdcr-stage")
    stage.focus()
    for key in ("b", "Delete", "r"):
        figure.keyboard.press(key)
    figure.mouse.move(*at(figure, 4, 4))
    figure.mouse.down()
    figure.mouse.move(*at(figure, 14, 14))
    figure.mouse.up()
    figure.mouse.move(*at(figure, 32, 14))
    expect(figure.locator(".pdcr-readout")).to_contain_text("in the region")
    expect(figure.get_by_role("toolbar").get_by_role("button", name="Box")).to_be_hidden()
    figure.keyboard.press("0")
    red, _green, blue = map(int, color(figure, 32, 14).split(","))
    assert red > blue


def test_it_fits_a_phone(figure: Page, shot: Callable[[str], Path]) -> None:
    figure.set_viewport_size({"width": 390, "height": 800})
    expect(figure.locator(".pdcr-stage")).to_be_visible()
    figure.wait_for_function("() => document.documentElement.scrollWidth <= window.innerWidth")
    shot("phone")


def test_it_lives_in_a_notebook_that_was_converted(
    page: Page, session: pdcr.Session, tmp_path: Path, shot: Callable[[str], Path]
) -> None:
    figure = pdcr.embed(session, title="Converted", channels=False)
    output = nbformat.v4.new_output("display_data", {"text/html": figure._repr_html_()})
    cell = nbformat.v4.new_code_cell("figure", outputs=[output])
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), tmp_path / "notebook.ipynb")
    command = [sys.executable, "-m", "nbconvert", "--to", "html", "notebook.ipynb"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    path = tmp_path / "notebook.html"
    page.context.set_offline(True)
    page.goto(path.as_uri())
    inside = page.frame_locator("iframe")
    expect(inside.locator(".pdcr-stage")).to_be_visible()
    inside.locator(".pdcr-stage").hover(position={"x": 200, "y": 30})
    expect(inside.locator(".pdcr-readout")).to_contain_text(re.compile("effect|no effect"))
    inside.get_by_label("Map", exact=True).fill("0.2")
    expect(inside.locator(".pdcr-legend output").first).to_have_text("20 %")
    shot("converted")
