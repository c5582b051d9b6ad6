"""A walk along the pages of a TIFF file that reads little and knows what its tags say."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

MOST_TAGS = 1_000  # of one page; real files have a few dozen
SUB_PAGES = 330
SIZES = {3: 2, 4: 4, 5: 8, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}


@dataclass(frozen=True)
class Dialect:
    """How numbers are stored.

    Parameters
    ----------
    order
        ``"<"`` or ``">"``.
    count
        Kind of number that counts tags.
    offset
        Kind of number of places in the file.
    """

    order: str
    count: str
    offset: str

    def number(self, data: bytes, kind: str) -> int:
        """A number; 0 where the file ends before it."""
        told = self.order + kind
        return int(struct.unpack(told, data)[0]) if len(data) == struct.calcsize(told) else 0

    def whole(self, data: bytes) -> int:
        """A number of any length."""
        return int.from_bytes(data, "little" if self.order == "<" else "big")

    def read(self, file: BinaryIO, kind: str) -> int:
        """The number where the file stands."""
        return self.number(file.read(struct.calcsize(self.order + kind)), kind)


@dataclass(frozen=True)
class Page:
    """Tags of one page: kind of number, how many, and the number or the place where they are."""

    file: BinaryIO
    dialect: Dialect
    entries: dict[int, tuple[int, int, bytes]]

    def length(self, tag: int) -> int:
        """How many numbers or letters a tag has."""
        return self.entries.get(tag, (0, 0, b""))[1]

    def short(self, tag: int) -> bytes:
        """What a tag says, where it fits into its entry."""
        kind, count, value = self.entries.get(tag, (0, 0, b""))
        return value if count * SIZES.get(kind, 1) <= len(value) else b"+"

    def number(self, tag: int) -> int:
        """The number that a tag is."""
        kind, _, value = self.entries.get(tag, (0, 0, b""))
        return self.dialect.whole(value[: SIZES.get(kind, 1)])

    def content(self, tag: int, most: int | None = None) -> bytes:
        """Bytes that a tag leads to."""
        kind, count, value = self.entries.get(tag, (0, 0, b""))
        length = SIZES.get(kind, 1) * min(count, count if most is None else most)
        if length <= len(value):
            return value[:length]
        self.file.seek(self.dialect.number(value, self.dialect.offset))
        return self.file.read(length)

    def inner(self, most: int) -> list[int]:
        """Places of the pages inside this one, at most so many."""
        step = SIZES.get(self.entries.get(SUB_PAGES, (4, 0, b""))[0], 4)
        content = self.content(SUB_PAGES, most)
        return [self.dialect.whole(content[at : at + step]) for at in range(0, len(content), step)]


def pages_of(file: BinaryIO, where: str, size: int, most: int) -> Iterator[Page]:
    """Pages of a file, and the pages inside them; of these at most so many for each.

    Raises
    ------
    ValueError
        They lead in a circle, or one claims thousands of tags.
    """
    head = file.read(8)
    order = "<" if head[:2] == b"II" else ">"
    big = head[2:4] in (b"+\0", b"\0+")
    dialect = Dialect(order, *(("Q", "Q") if big else ("H", "I")))
    place = dialect.read(file, "Q") if big else dialect.number(head[4:], "I")
    seen: set[int] = set()
    while 0 < place < size:
        if place in seen:
            raise ValueError(f"the pages of {where} lead in a circle")
        seen.add(place)
        page, place = _page(file, dialect, place, where)
        yield page
        for inner in page.inner(most):
            if 0 < inner < size:
                yield _page(file, dialect, inner, where)[0]


def _page(file: BinaryIO, dialect: Dialect, place: int, where: str) -> tuple[Page, int]:
    """One page, and the place of the next one; 0 after the last."""
    file.seek(place)
    count = dialect.read(file, dialect.count)
    if count > MOST_TAGS:
        raise ValueError(f"a page of {where} claims {count} tags, more than {MOST_TAGS}")
    width = struct.calcsize(dialect.order + dialect.offset)
    entry = f"{dialect.order}HH{dialect.offset}{width}s"
    length = struct.calcsize(entry)
    # like tifffile: where the file ends too early, the last bytes of the tags lead on
    block = file.read(count * length + width)
    whole = block[: min(count, len(block) // length) * length]
    entries = {
        tag: (kind, many, value) for tag, kind, many, value in struct.iter_unpack(entry, whole)
    }
    return Page(file, dialect, entries), dialect.number(block[-width:], dialect.offset)
