"""Hands for the region canvas: image coordinates in, pointer events out."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.sync_api import Locator, Page, expect

SIDE = 64
SCALE = 8

SETUP = f"""
import numpy as np
import ipywidgets as w
import pdcr_widgets as pdcr

rows, cols = np.mgrid[:{SIDE}, :{SIDE}]
image = (rows + cols).astype("float32") / {2 * SIDE}
prediction = (rows - 20) ** 2 + (cols - 20) ** 2 < 64
prediction |= (rows - 50) ** 2 + (cols - 50) ** 2 < 36
truth = (rows - 21) ** 2 + (cols - 20) ** 2 < 64
region = np.zeros(({SIDE}, {SIDE}), bool)
region[16:24, 16:24] = True
effect = np.linspace(-4, 4, 64, dtype="float32").reshape(8, 8)
effect[2, 2] = np.nan
stderr = np.where(np.isnan(effect), np.nan, 0.25).astype("float32")
ate = pdcr.ATEMap(effect, stderr, np.full((8, 8), 8), 90.0, 512, 8, region)

canvas = pdcr.RegionCanvas(image, prediction=prediction, truth=truth, spacing=(1.0, 1.0),
                           max_height={SIDE * SCALE})
told = w.HTML()

def tell(change=None):
    found = np.argwhere(canvas.region)
    top, left = found.min(0) if len(found) else (0, 0)
    bottom, right = found.max(0) + 1 if len(found) else (0, 0)
    told.value = (f"<span class='told'>{{len(found)}} pixels, box {{top}} {{left}} "
                  f"{{bottom - top}} {{right - left}}, patch {{canvas.patch}}, "
                  f"zoom {{canvas.view[0]:.1f}}, window {{canvas.window}}, "
                  f"named {{' and '.join(r.name for r in canvas.regions)}}.</span>")

canvas.observe(tell, ["region", "patch", "view", "window", "regions"])
tell()
""".strip()

CELLS = [SETUP, "canvas", "told"]

NOTE = """
notes = canvas.layers["notes"]
notes.fill_style = "#00ff00"
notes.fill_rect(2, 58, 4, 4)
canvas.show_effect(ate)
"""
SHOWN = [SETUP + NOTE, "canvas", "told"]


@dataclass
class Hands:
    """One canvas on a page. All places are (column, row) in pixels of the image."""

    page: Page
    index: int = 0

    @property
    def root(self) -> Locator:
        return self.page.locator(".pdcr-canvas").nth(self.index)

    @property
    def stage(self) -> Locator:
        return self.root.locator(".pdcr-stage")

    @property
    def readout(self) -> Locator:
        return self.root.locator(".pdcr-readout")

    def settle(self) -> Hands:
        """Bring the canvas into view and wait until it is drawn."""
        self.stage.wait_for()
        self.stage.scroll_into_view_if_needed()
        expect(self.root.get_by_role("button", name="Box")).to_have_attribute(
            "aria-pressed", "true"
        )
        return self

    def at(self, column: float, row: float) -> tuple[float, float]:
        box = self.stage.bounding_box()
        assert box is not None
        scale = box["width"] / SIDE
        return box["x"] + column * scale, box["y"] + row * scale

    def choose(self, name: str) -> None:
        self.root.get_by_role("button", name=name).first.click()

    def hover(self, column: float, row: float) -> None:
        self.page.mouse.move(*self.at(column, row))

    def click(self, column: float, row: float, times: int = 1) -> None:
        self.page.mouse.click(*self.at(column, row), click_count=times)

    def drag(self, *places: tuple[float, float], held: str = "") -> None:
        """Press at the first place, move through the others, release at the last."""
        if held:
            self.page.keyboard.down(held)
        self.page.mouse.move(*self.at(*places[0]))
        self.page.mouse.down()
        for place in places[1:]:
            self.page.mouse.move(*self.at(*place), steps=5)
        self.page.mouse.up()
        if held:
            self.page.keyboard.up(held)

    def press(self, *keys: str) -> None:
        self.stage.focus()
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, label: str, value: str) -> None:
        """Type into a field of the canvas."""
        field = self.root.get_by_label(label, exact=True)
        field.fill(value)
        field.press("Enter")

    def told(self, text: str, seconds: float = 10) -> None:
        """Wait until Python has told this of the region."""
        expect(self.page.locator(".told").first).to_contain_text(text, timeout=1000 * seconds)

    def color(self, column: float, row: float) -> tuple[int, int, int]:
        """Colour of the stage at a place."""
        red, green, blue = self.stage.evaluate(
            """(canvas, [side, x, y]) => {
                const scale = canvas.width / side;
                const pixel = canvas.getContext("2d").getImageData(x * scale, y * scale, 1, 1);
                return [...pixel.data].slice(0, 3);
            }""",
            [SIDE, column, row],
        )
        return red, green, blue

    def wait_color(self, column: float, row: float, condition: str) -> None:
        """Wait until the colour at a place meets a condition on r, g and b."""
        self.page.wait_for_function(
            """([index, side, x, y, condition]) => {
                const canvas = document.querySelectorAll(".pdcr-stage")[index];
                const scale = canvas.width / side;
                const pixel = canvas.getContext("2d").getImageData(x * scale, y * scale, 1, 1);
                return new Function("r", "g", "b", `return ${condition}`)(...pixel.data);
            }""",
            arg=[self.index, SIDE, column, row, condition],
        )
