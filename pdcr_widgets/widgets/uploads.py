"""Files that a page sends, in parts, into a folder of their own."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

MOST_FILES = 4096
LONGEST_NAME = 200


class Upload:
    """Files that are sent together.

    Parameters
    ----------
    folder
        Where they are put; it exists and is empty.
    files
        Name and size in bytes of each.
    limit
        Bytes that all of them may have.

    Raises
    ------
    ValueError
        No files, too many, too large, or names that are none.
    """

    def __init__(self, folder: Path, files: Sequence[tuple[str, int]], limit: int) -> None:
        if not files or len(files) > MOST_FILES:
            raise ValueError(f"send 1 to {MOST_FILES} files at once, not {len(files)}")
        total = sum(size for _, size in files)
        if any(size < 0 for _, size in files) or total > limit:
            raise ValueError(
                f"{in_bytes(total)} are more than the {in_bytes(limit)} that may be sent at once"
            )
        self._sizes = [size for _, size in files]
        self.paths = [folder / name for name in _apart([name for name, _ in files])]
        self._got = [0] * len(files)
        for path in self.paths:
            path.touch()

    @property
    def done(self) -> bool:
        """Whether everything has arrived."""
        return self._got == self._sizes

    def take(self, number: int, start: int, data: bytes) -> None:
        """Write the next part of a file.

        Raises
        ------
        ValueError
            A part that is not the next one, or more than was announced.
        """
        if not 0 <= number < len(self.paths) or start != self._got[number]:
            raise ValueError("a part of a file came out of order; send it again")
        if start + len(data) > self._sizes[number]:
            raise ValueError(f"{self.paths[number].name} is larger than was announced")
        with self.paths[number].open("ab") as file:
            file.write(data)
        self._got[number] += len(data)


class Inbox:
    """A temporary folder for uploads; only the newest upload is kept.

    Parameters
    ----------
    limit
        Bytes per upload.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._folder: Any = None
        self.upload: Upload | None = None

    def begin(self, files: Sequence[tuple[str, int]]) -> Upload:
        """Make room for files; those sent before are deleted."""
        self.close()
        self._folder = tempfile.TemporaryDirectory(prefix="pdcr-upload-")
        try:
            self.upload = Upload(Path(self._folder.name), files, self.limit)
        except ValueError:
            self.close()
            raise
        return self.upload

    def close(self) -> None:
        """Delete what was sent."""
        self.upload = None
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None


def in_bytes(size: float) -> str:
    """Write a number of bytes as people read it."""
    for unit in ("bytes", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.4g} {unit}"
        size /= 1024
    return f"{size:.4g} GiB"


def _apart(names: Sequence[str]) -> list[str]:
    """Names without folders; files of one name from several folders get a number."""
    found: list[str] = []
    for name in names:
        bare = name.replace("\\", "/").rpartition("/")[2]
        plain = "".join(c for c in bare if c.isprintable()).lstrip(".")[-LONGEST_NAME:]
        if not plain:
            raise ValueError(f"{name!r} is no name of a file")
        place = len(found)
        found.append(plain if plain not in found else f"{place}-{plain}")
    return found
