"""What people take away from an explorer: a cell, files, and a verdict on the map."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from pages import Site
from playwright.sync_api import expect

import pdcr_widgets as pdcr

CELL = """
import torch, pdcr_widgets as pdcr
nn = torch.nn
torch.manual_seed(3)
model = nn.Sequential(nn.Conv2d(1, 4, 9, padding=4), nn.ReLU(), nn.Conv2d(4, 1, 5, padding=2))
image = torch.rand(1, 48, 64)
with torch.no_grad():
    model[2].bias -= model(image[None]).median()
explorer = pdcr.Explorer(
    model, image, region=(16, 24, 16, 16), baseline="noise", outcome="soft_dice", samples=4,
    layer_samples=2,
)
explorer
"""


def test_the_copied_cell_gives_the_same_numbers(
    lab: Site, execute: Callable[[str], str], shot: Callable[[str], Path]
) -> None:
    page = lab.open([CELL])
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    expect(page.locator(".pdcr-status-line").first).to_contain_text("Done")
    page.get_by_role("button", name="Copy as Python").click()
    expect(page.locator(".pdcr-keep-words")).to_have_text("Copied: paste it into a cell")
    shot("copied")
    cell = page.evaluate("navigator.clipboard.readText()")
    assert "pdcr.ate_map(" in cell
    told = execute(
        f"{cell}\n"
        "import numpy as np\n"
        "same = np.array_equal(ate.effect, explorer.session.ate.effect, equal_nan=True)\n"
        "print(same, repr(effects.rows) == repr(explorer.session.layers.rows))"
    )
    assert told.strip().endswith("True True")


def test_files_are_downloaded_and_methods_compared(
    voila: Site, shot: Callable[[str], Path], tmp_path: Path
) -> None:
    page = voila.open([CELL])
    expect(page.locator(".pdcr-status-line").first).to_contain_text("Done")

    def saved(form: str) -> Path:
        page.get_by_role("combobox", name="What to save").select_option(form)
        with page.expect_download() as download:
            page.get_by_role("button", name="Save", exact=True).click()
        path = tmp_path / download.value.suggested_filename
        download.value.save_as(path)
        expect(page.locator(".pdcr-keep-words")).to_have_text(f"Saved as {path.name}")
        return path

    found = pdcr.load(saved("npz"))
    assert found.effect.shape == (6, 8)
    read = json.loads(saved("json").read_text())
    np.testing.assert_array_equal(
        np.array(read["effect"], dtype=np.float32), found.effect.reshape(-1)
    )
    assert saved("png").read_bytes().startswith(b"\x89PNG")
    assert '<script type="module">' in saved("html").read_text()

    view = page.locator(".pdcr-comparison-methods")
    view.get_by_text("MiSuRe").click()
    page.get_by_role("button", name="Compare methods").click()
    table = page.locator(".pdcr-comparison-table")
    expect(table.locator("tr")).to_have_count(7)
    expect(page.get_by_role("progressbar", name="Comparison")).to_have_attribute(
        "aria-valuenow", "100"
    )
    expect(page.locator(".pdcr-comparison-maps img.pdcr-map")).to_have_count(6)
    table.scroll_into_view_if_needed()
    shot("compared")
