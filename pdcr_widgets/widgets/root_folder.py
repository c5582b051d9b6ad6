"""A folder that visitors may look into, and nothing outside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

MOST_ENTRIES = 2000


@dataclass(frozen=True)
class Entry:
    """A file or folder that may be seen.

    Parameters
    ----------
    name
        Without its folders.
    is_folder
        Whether it can be gone into.
    size
        Bytes; 0 for folders.
    """

    name: str
    is_folder: bool
    size: int


class RootFolder:
    """Looks into one folder and those below it.

    Places are lists of names below the root. What begins with a dot is hidden, and a link is
    followed only if it leads to a place inside the root.

    Parameters
    ----------
    path
        The folder.

    Raises
    ------
    ValueError
        There is no such folder.
    """

    def __init__(self, path: str | Path) -> None:
        if not Path(path).is_dir():
            raise ValueError(f"there is no folder at {str(path)!r}")
        self.path = Path(path).resolve(strict=True)

    def find(self, place: Sequence[str]) -> Path:
        """Path of a file or folder that may be seen.

        Raises
        ------
        ValueError
            Names that are none, hidden ones, places outside the root, or nothing there. The message
            does not tell which, nor where the root is.
        """
        shown = "/".join(str(name) for name in place)
        refusal = ValueError(f"there is nothing to open at {shown!r}")
        if not all(isinstance(name, str) and _is_plain(name) for name in place):
            raise refusal
        try:
            found = self.path.joinpath(*place).resolve(strict=True)
        except (OSError, RuntimeError, ValueError):
            raise refusal from None
        inside = found == self.path or self.path in found.parents
        hidden = inside and any(part.startswith(".") for part in found.relative_to(self.path).parts)
        if not inside or hidden or not (found.is_dir() or found.is_file()):
            raise refusal
        return found

    def entries(self, place: Sequence[str]) -> tuple[list[Entry], bool]:
        """Folders and then files of a folder by their names, and whether there are more.

        Raises
        ------
        ValueError
            As `find`, and for a file.
        """
        folder = self.find(place)
        if not folder.is_dir():
            raise ValueError(f"{place[-1]!r} is no folder")
        found: list[Entry] = []
        try:
            names = sorted(path.name for path in folder.iterdir() if _is_plain(path.name))
        except OSError:
            raise ValueError(f"{'/'.join(place)!r} may not be read") from None
        for name in names[:MOST_ENTRIES]:
            try:
                path = self.find([*place, name])
            except ValueError:
                continue
            is_folder = path.is_dir()
            found.append(Entry(name, is_folder, 0 if is_folder else path.stat().st_size))
        found.sort(key=lambda entry: (not entry.is_folder, entry.name.casefold()))
        return found, len(names) > MOST_ENTRIES


def _is_plain(name: str) -> bool:
    """Whether a name is that of one file or folder, and not hidden."""
    return bool(name) and not name.startswith(".") and not set(name) & {"/", "\\", "\0"}
