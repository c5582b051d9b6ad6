"""The pages of a TIFF file, counted before its reader lays them out."""

from __future__ import annotations

from pathlib import Path

from pdcr_widgets.images.tiff_walk import Page, pages_of

MOST_PAGES = 2_048
MOST_KINDS = 256
MOST_TAGS = 60_000
MOST_PIECES = 100_000  # besides one for each 256 pixels
MOST_WORDS = 2**23  # bytes of descriptions
MOST_MARKS = 200_000  # elements or lines of descriptions

WIDTH, LENGTH, DESCRIPTION = 256, 257, 270
PIECES = (273, 324)  # strips, tiles
OF_KIND = (WIDTH, LENGTH, 258, 259, 262, 277, 284, 317, 322, 323, 338, 339)
MARKS = (b"<", b"\n", b"\r", b"|", b"[")


class PageCount:
    """What the pages of a file, or of the files of one set together, ask of their reader."""

    def __init__(self) -> None:
        self._pages = self._tags = self._pieces = self._words = self._marks = 0
        self._kinds: set[bytes] = set()

    def add(self, path: Path) -> None:
        """Walk the pages of a file.

        Raises
        ------
        ValueError
            Laying them out could take minutes, alone or with those of the files before.
        """
        with path.open("rb") as file:
            for page in pages_of(file, path.name, path.stat().st_size, MOST_PAGES + 1):
                self._count(page)
                self._check(path.name)

    def _count(self, page: Page) -> None:
        self._pages += 1
        self._tags += len(page.entries)
        self._kinds.add(b";".join(page.short(tag) for tag in OF_KIND))
        pieces = sum(page.length(tag) for tag in PIECES)
        self._pieces += max(0, pieces - page.number(WIDTH) * page.number(LENGTH) // 256)
        self._words += page.length(DESCRIPTION)
        if self._words <= MOST_WORDS:
            text = page.content(DESCRIPTION)
            self._marks += sum(text.count(mark) for mark in MARKS)

    def _check(self, where: str) -> None:
        limits = {
            "pages": (self._pages, MOST_PAGES),
            "kinds of pages": (len(self._kinds), MOST_KINDS),
            "tags": (self._tags, MOST_TAGS),
            "strips or tiles, besides one for each 256 pixels": (self._pieces, MOST_PIECES),
            "bytes of description": (self._words, MOST_WORDS),
            "lines or elements of description": (self._marks, MOST_MARKS),
        }
        for what, (count, most) in limits.items():
            if count > most:
                raise ValueError(
                    f"{where} has over {most} {what}: laying them out would take too long. Read "
                    "the pages that you need with tifffile.imread(file, key=...), and give the "
                    "array or a file of it"
                )
