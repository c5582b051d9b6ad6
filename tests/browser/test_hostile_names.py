"""Names that are HTML: they are shown as what they are, and never run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pages import Site
from playwright.sync_api import expect

HOSTILE = "<img src=x onerror=hacked=1>"
SOON_MS = 60_000

CASE = f"""
import collections, numpy as np, torch
import pdcr_widgets as pdcr
from pdcr_widgets.widgets.named_regions import NamedRegion

NAME = {HOSTILE!r}

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.add_module(NAME, torch.nn.Conv2d(1, 4, 3, padding=1))
        self.last = torch.nn.Conv2d(4, 2, 1)

    def forward(self, images):
        return self.last(torch.relu(getattr(self, NAME)(images)))

Case = collections.namedtuple("Case", "segmenter image truth region title")
torch.manual_seed(0)
image = torch.rand(1, 32, 32)
region = np.zeros((32, 32), bool)
region[8:16, 8:16] = True
model = Net()
model.__class__.__name__ = NAME
classes = ["background", NAME]
case = Case(pdcr.segmenter(model, 1, "softmax", classes=classes), image, region, region, NAME)
"""
EXPLORER = """
explorer = pdcr.Explorer(case, patch_size=8, baseline="mean")
explorer.canvas.regions = (*explorer.canvas.regions, NamedRegion(NAME, region))
explorer.canvas.label = NAME
explorer
"""
FILE = """
try:
    pdcr.open_image(f"/nowhere/{NAME}.png")
except (OSError, ValueError) as failure:
    explorer.session.report(failure)
"""
CHOOSER = """
import pathlib, tempfile
folder = tempfile.TemporaryDirectory()
pathlib.Path(folder.name, NAME + ".png").touch()
pdcr.FileChooser(folder.name)
"""
LESSON = """
import ipywidgets as w
probe = pdcr.lessons.PatchStage(image[0].numpy(), label=NAME)
lesson = pdcr.lessons.Question(NAME, {NAME: NAME, "b": "c"}, NAME)
lesson.answer = NAME
w.VBox([probe, lesson])
"""


def test_hostile_names_are_text_everywhere(voila: Site, shot: Callable[[str], Path]) -> None:
    page = voila.open([CASE, EXPLORER, FILE, CHOOSER, LESSON])
    expect(page.locator(".pdcr-heading")).to_contain_text(HOSTILE, timeout=SOON_MS)
    expect(page.locator(".pdcr-error")).to_contain_text(HOSTILE, timeout=SOON_MS)
    expect(page.locator(".pdcr-facts")).to_be_visible(timeout=SOON_MS)
    expect(page.locator(".pdcr-layers")).to_contain_text("<img", timeout=SOON_MS)
    expect(page.locator(".pdcr-network")).to_contain_text("…", timeout=SOON_MS)
    expect(page.locator(".pdcr-question-text")).to_have_text(HOSTILE, timeout=SOON_MS)
    expect(page.locator(".pdcr-feedback")).to_contain_text(HOSTILE)
    expect(page.locator("canvas.pdcr-lesson-stage")).to_have_attribute("aria-label", HOSTILE)
    page.get_by_role("button", name="Regions").first.click()
    expect(page.get_by_label(f"Draw on {HOSTILE}")).to_be_visible()
    expect(page.get_by_role("combobox").filter(has_text=HOSTILE).first).to_be_visible()
    listed = page.locator(".pdcr-files-name")
    expect(listed).to_have_text(f"{HOSTILE}.png")
    listed.click()
    expect(page.locator("[aria-current=true] .pdcr-files-name")).to_have_text(f"{HOSTILE}.png")
    shot("hostile")
    assert page.locator("img[src='x']").count() == 0
    assert page.evaluate("typeof window.hacked") == "undefined"
