"""The pages of a TIFF file: their chain, walked before its reader does, and a limit on reading."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

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
            width = struct.calcsize(offset)
            # like tifffile: where the file ends too early, the last bytes of the tags lead on
            place = _number(file.read(tags * entry + width)[-width:], order + offset)


class MeteredFile(io.BufferedReader):
    """A file whose pages can be read only a few times over, until `lift_limit`.

    Whatever way pages lead to each other, a small file cannot keep its reader busy for long.

    Parameters
    ----------
    path
        A file.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(io.FileIO(str(path)))
        size = path.stat().st_size
        self._reads_left: float = 10_000 + size // 8
        self._bytes_left: float = 2**20 + 8 * size
        self._refusal = f"its pages take more reading than {size} bytes of TIFF explain"

    def read(self, size: int | None = -1, /) -> bytes:
        """Read, and pay for it."""
        self.check_paid()
        content = super().read(size)
        self._pay(len(content))
        return content

    def readinto(self, buffer: Any, /) -> int:
        """Read into memory, and pay for it."""
        self.check_paid()
        length = super().readinto(buffer)
        self._pay(length)
        return length

    def check_paid(self) -> None:
        """Refuse a file that took too much reading, also where its reader went on regardless.

        Raises
        ------
        ValueError
            The limit is passed.
        """
        if self._reads_left < 0 or self._bytes_left < 0:
            raise ValueError(self._refusal)

    def lift_limit(self) -> None:
        """Let what follows, the values of an image of known size, be read without limit."""
        self.check_paid()
        self._reads_left = self._bytes_left = float("inf")

    def _pay(self, length: int) -> None:
        self._reads_left -= 1
        self._bytes_left -= length


def _number(data: bytes, kind: str) -> int:
    """A number of the header; 0 where the file ends before it."""
    return int(struct.unpack(kind, data)[0]) if len(data) == struct.calcsize(kind) else 0
