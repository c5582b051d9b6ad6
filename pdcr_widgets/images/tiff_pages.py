"""The chain of pages in a TIFF file, followed before its reader does."""

from __future__ import annotations

import struct
from pathlib import Path

MOST_PAGES = 20_000
MOST_TAGS = 1_000  # of one page; real files have a few dozen


def check_pages(path: Path) -> None:
    """Refuse pages that lead in a circle, are too many, or claim thousands of tags.

    Raises
    ------
    ValueError
        Reading such a file could take minutes.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(16)
        order = "<" if head[:2] == b"II" else ">"
        big = head[2:4] in (b"+\0", b"\0+")
        count, entry, offset = ("Q", 20, "Q") if big else ("H", 12, "I")
        start = 8 if big else 4
        place = _number(head[start : start + struct.calcsize(offset)], order + offset)
        seen: set[int] = set()
        while 0 < place < size:
            if place in seen or len(seen) >= MOST_PAGES:
                raise ValueError(
                    f"the pages of {path.name} lead in a circle, or are over {MOST_PAGES}"
                )
            seen.add(place)
            file.seek(place)
            tags = _number(file.read(struct.calcsize(count)), order + count)
            if tags > MOST_TAGS:
                raise ValueError(f"a page of {path.name} claims {tags} tags, more than {MOST_TAGS}")
            file.seek(place + struct.calcsize(count) + tags * entry)
            place = _number(file.read(struct.calcsize(offset)), order + offset)


def _number(data: bytes, kind: str) -> int:
    """A number of the header; 0 where the file ends before it."""
    return int(struct.unpack(kind, data)[0]) if len(data) == struct.calcsize(kind) else 0
