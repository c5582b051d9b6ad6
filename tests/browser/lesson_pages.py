"""A class in the browser: its server, a tablet to look at it with, and fingers."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from pdcr_widgets.lessons import LESSONS

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
ROWS, COLUMNS = 224, 192  # pixels of the brain slice
OPENS_MS = 120_000


def classroom_command(port: int, notebooks: Path) -> list[str]:
    """The server of a class, whose kernels end a second after their page."""
    return [
        *(sys.executable, "-m", "pdcr_widgets.classroom"),
        str(notebooks),
        f"--port={port}",
        "--Voila.port_retries=0",
        "--patience=1",
    ]


@dataclass
class LessonPage:
    """One lesson, open in a browser. Places are (row, column) in pixels of the picture."""

    page: Page
    number: int

    def open(self, site: str, theme: str = "light") -> LessonPage:
        """Open it and wait for its first picture."""
        name = list(LESSONS)[self.number - 1]
        self.page.goto(f"{site}voila/render/{name}.ipynb?theme={theme}", timeout=OPENS_MS)
        expect(self.stage).to_be_visible(timeout=OPENS_MS)
        self.stage.scroll_into_view_if_needed()
        return self

    @property
    def stage(self) -> Locator:
        return self.page.locator("canvas.pdcr-lesson-stage").first

    @property
    def readout(self) -> Locator:
        return self.page.locator(".pdcr-readout-area").first

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def at(
        self, row: float, column: float, shape: tuple[int, int] = (ROWS, COLUMNS)
    ) -> list[float]:
        """Place on the screen."""
        box = self.stage.bounding_box()
        assert box is not None
        return [
            box["x"] + column / shape[1] * box["width"],
            box["y"] + row / shape[0] * box["height"],
        ]

    def touch_drag(self, *places: tuple[float, float]) -> None:
        """Put a finger down, move it through all places and lift it."""
        session = self.page.context.new_cdp_session(self.page)
        kinds = ["touchStart", *["touchMove"] * (len(places) - 1)]
        for kind, place in zip(kinds, places, strict=True):
            x, y = self.at(*place)
            session.send(
                "Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]}
            )
        session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        session.detach()

    def answer(self, text: str) -> Locator:
        """Give an answer; the feedback below it."""
        button = self.page.locator("button.pdcr-answer", has_text=re.compile(re.escape(text)))
        button.click()
        return self.page.locator(".pdcr-question", has=button).locator(".pdcr-feedback")
