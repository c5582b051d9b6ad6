"""What stands in a widget's place where no widgets run: a picture and a text, both true."""

from __future__ import annotations

import base64
import io
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import ipywidgets as w
from PIL import Image, ImageDraw, ImageFont

from pdcr_widgets.widgets.text import shorten, spoken

SIZE, MARGIN, LINE = 15, 12, 21  # pixels
COLUMNS, MOST_LINES = 84, 24
LONGEST = 160
INK, PAPER = (27, 27, 27), (255, 255, 255)
PLAIN = str.maketrans({"−": "-", "×": "x", "→": ">", "…": "...", "\u202f": " ", "±": "+/-"})
"""Signs that the built-in font does not have."""


class Stilled:
    """A widget that leaves a PNG and a text where it is displayed.

    The picture is the widget's own, or a card with the words on its face.
    """

    def still(self) -> bytes | None:
        """Give the widget's own picture as PNG; None where there is nothing to see."""
        return None

    def said(self) -> Iterator[str]:
        """Give the lines of words that the widget shows."""
        yield from said(getattr(self, "children", ()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({shorten('; '.join(self.said()), LONGEST)})"

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle: Any = super()._repr_mimebundle_(**kwargs)  # type: ignore[misc]
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        if data is not None:
            picture = self.still() or card([type(self).__name__, *self.said()])
            data["text/plain"] = repr(self)
            data["image/png"] = base64.b64encode(picture).decode("ascii")
        return bundle


def pictured(widgets: Sequence[w.Widget]) -> Iterator[Any]:
    """Give the widgets among these, and inside of boxes, that have a picture of their own."""
    for each in widgets:
        if isinstance(each, Stilled) and type(each).still is not Stilled.still:
            yield each
        elif isinstance(each, w.Box):
            yield from pictured(each.children)


def said(widgets: Sequence[w.Widget]) -> Iterator[str]:
    """Give the words that widgets show, hidden ones and stylesheets left out."""
    for each in widgets:
        layout = getattr(each, "layout", None)
        if layout is not None and layout.display == "none":
            continue
        if isinstance(each, Stilled):
            yield from each.said()
        elif isinstance(each, w.Box):
            yield from said(each.children)
        elif told := _told(each):
            yield told


def _told(control: w.Widget) -> str:
    """Give what one control of ipywidgets says."""
    if isinstance(control, w.HTML | w.HTMLMath | w.Label):
        return " ".join(spoken(control.value.replace("<", " <")).split())
    if isinstance(control, w.Button | w.ToggleButton):
        return f"[{control.description}]"
    name = getattr(control, "description", "")
    chosen = getattr(control, "label", None)
    value = chosen if chosen is not None else getattr(control, "value", None)
    return ": ".join(str(part) for part in (name, value) if part not in (None, ""))


def card(lines: Sequence[str]) -> bytes:
    """Write lines on a sheet of paper, the first one as its heading; a PNG file."""
    font, known = _font()
    wrapped = [part for line in lines for part in textwrap.wrap(line, COLUMNS)]
    if len(wrapped) > MOST_LINES:
        wrapped = [*wrapped[: MOST_LINES - 1], f"and {len(wrapped) - MOST_LINES + 1} lines more"]
    wrapped = [line if known else line.translate(PLAIN) for line in wrapped]
    width = round(max(font.getlength(line) for line in wrapped)) + 2 * MARGIN
    sheet = Image.new("RGB", (width, LINE * len(wrapped) + 2 * MARGIN), PAPER)
    pen = ImageDraw.Draw(sheet)
    for number, line in enumerate(wrapped):
        at = (MARGIN, MARGIN + LINE * number)
        pen.text(at, line, INK, font=font, stroke_width=0.4 if number == 0 else 0)
    return _png(sheet)


def beside(pictures: Sequence[bytes]) -> bytes:
    """Put PNG files side by side."""
    opened = [Image.open(io.BytesIO(picture)).convert("RGB") for picture in pictures]
    width = sum(each.width for each in opened) + MARGIN * (len(opened) - 1)
    sheet = Image.new("RGB", (width, max(each.height for each in opened)), PAPER)
    left = 0
    for each in opened:
        sheet.paste(each, (left, 0))
        left += each.width + MARGIN
    return _png(sheet)


def _font() -> tuple[Any, bool]:
    """A font, and whether it has all signs: that of matplotlib, where it is installed."""
    try:
        import matplotlib as mpl
    except ImportError:
        return ImageFont.load_default(SIZE), False
    return ImageFont.truetype(Path(mpl.get_data_path()) / "fonts/ttf/DejaVuSans.ttf", SIZE), True


def _png(sheet: Image.Image) -> bytes:
    file = io.BytesIO()
    sheet.save(file, "PNG")
    return file.getvalue()
