"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Give a place to write to, which becomes ``path`` once it was written.

    Until then, and after an error or a kill, an older file at ``path`` stays as it was.

    Parameters
    ----------
    path
        Where the file shall be; its folder exists.

    Yields
    ------
    Path
        A place in the same folder with the same suffixes.
    """
    path = Path(path)
    part = path.with_name(f"{secrets.token_hex(4)}.part-{path.name}")
    try:
        yield part
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
