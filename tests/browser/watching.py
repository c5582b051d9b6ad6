"""What a person sees and does in an explorer, wherever it is shown."""

from __future__ import annotations

import re
from dataclasses import dataclass

from playwright.sync_api import Locator, Page, expect

STARTS_MS = 60_000  # the first map, with the model loaded on a busy machine
SOON_MS = 30_000


@dataclass
class Watch:
    """One explorer on a page."""

    page: Page

    @property
    def stage(self) -> Locator:
        return self.page.locator(".pdcr-explorer .pdcr-stage")

    @property
    def facts(self) -> Locator:
        """What the map was computed with."""
        return self.page.locator(".pdcr-facts")

    @property
    def bars(self) -> Locator:
        """Bars of layer effects."""
        return self.page.locator(".pdcr-layers rect.bar")

    @property
    def status(self) -> Locator:
        return self.page.locator(".pdcr-status-line").first

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def settle(self) -> Watch:
        """Wait for the first map."""
        expect(self.facts).to_be_visible(timeout=STARTS_MS)
        self.stage.scroll_into_view_if_needed()
        return self

    def painted(self) -> str:
        """Everything the picture shows."""
        return str(self.stage.evaluate("canvas => canvas.toDataURL()"))

    def drawn_bars(self) -> str:
        """Lengths of the bars."""
        return str(self.page.evaluate(BARS))

    def wait_painted_anew(self, before: str) -> None:
        self.page.wait_for_function(
            "before => document.querySelector('.pdcr-explorer .pdcr-stage').toDataURL() !== before",
            arg=before,
            timeout=SOON_MS,
        )

    def wait_bars(self, longest: int) -> None:
        """Wait until some bar is at least this long, pixels."""
        self.page.wait_for_function(
            "least => Math.max(0, ...[...document.querySelectorAll('.pdcr-layers rect.bar')]"
            ".map(bar => bar.getBoundingClientRect().width)) >= least",
            arg=longest,
            timeout=STARTS_MS,
        )

    def wait_bars_anew(self, before: str) -> None:
        self.page.wait_for_function(f"before => ({BARS}) !== before", arg=before, timeout=STARTS_MS)

    def draw_box(self, left: float, top: float, right: float, bottom: float) -> None:
        """Drag a box; places are shares of the picture."""
        self.press_at(left, top)
        self.move_to(right, bottom)
        self.page.mouse.up()

    def press_at(self, x: float, y: float) -> None:
        """Press the button at a place; x and y are shares of the picture."""
        self.page.mouse.move(*self.place(x, y))
        self.page.mouse.down()

    def move_to(self, x: float, y: float) -> None:
        """Move to a place, as a hand does."""
        self.page.mouse.move(*self.place(x, y), steps=8)

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Where on the page a share of the picture is."""
        box = self.stage.bounding_box()
        assert box is not None
        return box["x"] + x * box["width"], box["y"] + y * box["height"]

    def click_strongest(self) -> None:
        """Click where the picture is reddest: the patch that supports the target most."""
        x, y = self.stage.evaluate(
            """canvas => {
                const { width, height } = canvas;
                const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
                let best = 0, place = 0;
                for (let i = 0; i < data.length; i += 4) {
                    const redness = data[i] - Math.max(data[i + 1], data[i + 2]);
                    if (redness > best) [best, place] = [redness, i / 4];
                }
                return [(place % width) / width, Math.floor(place / width) / height];
            }"""
        )
        box = self.stage.bounding_box()
        assert box is not None
        self.page.mouse.click(box["x"] + x * box["width"] + 3, box["y"] + y * box["height"] + 3)

    def press(self, slider: str, key: str, times: int = 1) -> None:
        """Press a key on the slider with this label."""
        row = self.page.locator(".widget-slider", has_text=re.compile(re.escape(slider)))
        for _ in range(times):
            row.get_by_role("slider").press(key)

    def choose(self, menu: str, option: str) -> None:
        self.page.get_by_label(menu, exact=True).select_option(label=option)

    def told(self, text: str) -> None:
        """Wait until the map on the page was computed with this."""
        expect(self.facts).to_contain_text(text, timeout=SOON_MS)


BARS = (
    "[...document.querySelectorAll('.pdcr-layers rect.bar')]"
    ".map(bar => Math.round(bar.getBoundingClientRect().width)).join()"
)


def draw_and_change(page: Page) -> Watch:
    """Draw a region, change patch size and baseline value, stop: everything follows."""
    watch = Watch(page).settle()
    watch.wait_bars(50)
    base = watch.facts.locator("b").inner_text()
    bars, before = watch.drawn_bars(), watch.painted()
    watch.draw_box(0.36, 0.58, 0.47, 0.68)
    watch.wait_painted_anew(before)
    expect(watch.facts.locator("b")).not_to_have_text(base, timeout=SOON_MS)
    watch.wait_bars_anew(bars)

    before = watch.painted()
    watch.press("Patch, px", "ArrowRight", times=8)
    watch.told("16 × 16 px")
    watch.wait_painted_anew(before)

    watch.choose("Baseline", "Constant value")
    watch.told("constant value 0 ")
    before = watch.painted()
    watch.press("Value", "End")
    watch.told("constant value 0.9")
    watch.wait_painted_anew(before)
    return watch
