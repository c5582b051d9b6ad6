"""Files that can be read only so often: a small file cannot keep its reader busy for long."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

MOST_READS = 200_000


class MeteredFile(io.BufferedReader):
    """A file that refuses to be read on, once it took more reading than files of its kind need.

    Parameters
    ----------
    path
        A file.
    reads
        How often it may be read. Libraries read each part of a header by itself, and spend a few
        microseconds on it.
    length
        How many bytes may be read in all; None: as many as there are.

    Raises
    ------
    ValueError
        On reading, when the limit is passed.
    """

    def __init__(self, path: Path, reads: int = MOST_READS, length: int | None = None) -> None:
        super().__init__(io.FileIO(str(path)))
        self._reads_left: float = reads
        self._bytes_left: float = float("inf") if length is None else length
        size = path.stat().st_size
        self._refusal = (
            f"its parts are too many or too large, or lead in a circle: they take more reading "
            f"than {size} bytes explain. Save it anew with another program if it is a true image"
        )

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

    def lift_length(self) -> None:
        """Let any number of bytes be read from here on; how often still counts."""
        self.check_paid()
        self._bytes_left = float("inf")

    def lift_limit(self) -> None:
        """Let what follows, the values of an image of known size, be read without limit."""
        self.check_paid()
        self._reads_left = self._bytes_left = float("inf")

    def _pay(self, length: int) -> None:
        self._reads_left -= 1
        self._bytes_left -= length
        self.check_paid()
