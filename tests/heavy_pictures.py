"""Pictures of any size in a few bytes, and such as take minutes to draw."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image


def encoded(kind: str, side: int, **options: Any) -> bytes:
    """Black square picture."""
    buffer = io.BytesIO()
    Image.new("L", (side, side)).save(buffer, kind, **options)
    return buffer.getvalue()


def endless_passes(side: int = 3000, passes: int = 400) -> bytes:
    """JPEG whose last pass is repeated."""
    content = encoded("JPEG", side, progressive=True)
    last = content[content.rindex(b"\xff\xda") : -2]
    return content[:-2] + last * passes + content[-2:]
