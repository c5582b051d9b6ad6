"""The servers, the browser and the widget manager work together, before any widget of ours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pages import Site
from playwright.sync_api import expect

CELLS = [
    "import ipywidgets as w\nimport bqplot.pyplot as plt",
    "slider = w.IntSlider(3, 0, 9, description='Level')\nslider",
    "figure = plt.figure(title='Bars')\nplt.bar(['a', 'b'], [1, 2])\nfigure",
]


@pytest.fixture(params=["lab", "notebook7", "voila"])
def site(request: pytest.FixtureRequest) -> Site:
    return request.getfixturevalue(request.param)


def test_widgets_are_drawn_everywhere(site: Site, shot: Callable[[str], Path]) -> None:
    page = site.open(CELLS)
    expect(page.locator(".widget-label", has_text="Level")).to_be_visible()
    expect(page.locator(".bqplot rect.bar")).to_have_count(2)
    assert shot("widgets").stat().st_size > 5_000


def test_a_key_press_reaches_the_kernel(lab: Site, execute: Callable[[str], str]) -> None:
    page = lab.open(CELLS)
    handle = page.locator(".noUi-handle")
    handle.focus()
    handle.press("ArrowRight")
    expect(page.locator(".widget-readout")).to_have_text("4")
    assert execute("print(slider.value)").strip() == "4"
