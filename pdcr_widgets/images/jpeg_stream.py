"""What a compressed picture in a file will cost, by its own header, before it is decoded."""

from __future__ import annotations

import struct

MOST_SCANNED = 2**31  # pixels, times the passes of a progressive JPEG over them
FRAMES = (*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0), 0xF7)
START_OF_SCAN = 0xDA
SMALL = 2**16  # pixels that cost nothing
JPEG, J2K, JP2 = b"\xff\xd8", b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP  "


class Streams:
    """JPEG and JPEG 2000 streams of one file, refused where they cost more than was promised.

    Parameters
    ----------
    where
        Name of the file, for messages.
    size
        Rows and columns that each was promised to have; None where its own header is the only one.
    """

    def __init__(self, where: str, size: tuple[int, int] | None = None) -> None:
        self._where, self._promised, self._scanned = where, size, 0

    def add(self, content: bytes) -> None:
        """Look at one of them; what is of neither kind is let through.

        Raises
        ------
        ValueError
            It decodes to another size, or all of them in too many passes.
        """
        found, promised = _size(content), self._promised
        if found is None:
            return
        if promised is not None and found[0] * found[1] > 2 * promised[0] * promised[1] + SMALL:
            raise ValueError(
                f"{self._where} promises {promised[0]} x {promised[1]} pixels and holds a "
                f"compressed picture of {found[0]} x {found[1]}"
            )
        if content.startswith(JPEG):
            self._scanned += content.count(b"\xff\xda") * found[0] * found[1]
        if self._scanned > MOST_SCANNED:
            raise ValueError(
                f"{self._where} draws its pixels in so many passes that it would take minutes; "
                "save it anew as a JPEG of fewer passes"
            )


def starts_stream(content: bytes) -> bool:
    """Whether this is how a JPEG or JPEG 2000 starts."""
    return content.startswith((JPEG, J2K, JP2))


def _size(content: bytes) -> tuple[int, int] | None:
    """Rows and columns of a JPEG or JPEG 2000; None for anything else."""
    if content.startswith((J2K, JP2)):
        start = content.find(J2K) + 8
        sides = content[start : start + 16]
        if start < 8 or len(sides) < 16:
            return None
        right, bottom, left, top = struct.unpack(">4I", sides)
        return max(0, bottom - top), max(0, right - left)
    return _jpeg_size(content) if content.startswith(JPEG) else None


def _jpeg_size(content: bytes) -> tuple[int, int] | None:
    """Rows and columns in the first frame header of a JPEG or JPEG-LS."""
    place = 2
    while place + 9 <= len(content):
        if content[place] != 0xFF:
            place += 1
            continue
        marker = content[place + 1]
        if marker in FRAMES:
            rows, columns = struct.unpack(">HH", content[place + 5 : place + 9])
            return rows, columns
        if marker == START_OF_SCAN:
            return None
        alone = marker in (0x00, 0x01, 0xFF) or 0xD0 <= marker <= 0xD8
        length = int.from_bytes(content[place + 2 : place + 4], "big")
        place += (1 if marker == 0xFF else 2) if alone else 2 + max(2, length)
    return None
