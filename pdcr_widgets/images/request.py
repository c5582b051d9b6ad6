"""What a user asks a reader for, and the limits all readers keep."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MAX_PIXELS = 2**28


class ChoiceNeeded(ValueError):
    """A file holds several of something, and it was not said which is meant.

    Parameters
    ----------
    message
        What there is and what to do.
    option
        The argument that says it: ``"series"``, ``"volume"``, ``"key"`` or ``"label"``.
    values
        What it may be, each with words for people.
    """

    def __init__(self, message: str, option: str, values: Mapping[Any, str]) -> None:
        super().__init__(message)
        self.option, self.values = option, dict(values)


@dataclass(frozen=True)
class Request:
    """Choices that a file may leave open. See `open_image`."""

    series: str | None = None
    volume: int | None = None
    key: str | None = None
    channels: str | None = None
    spacing: tuple[float, ...] | None = None
    max_pixels: int = MAX_PIXELS

    def check_size(self, shape: Sequence[int], where: str) -> None:
        """Refuse what would not fit before anything is allocated."""
        if any(side < 1 for side in shape):
            raise ValueError(f"{where} claims a shape of {tuple(shape)}: there are no pixels in it")
        if math.prod(int(side) for side in shape) > self.max_pixels:
            raise ValueError(
                f"{where} claims a shape of {tuple(shape)}, more than the limit of "
                f"{self.max_pixels} values; raise it with max_pixels= if the file is trusted"
            )


def beside(path: Path, name: str) -> Path:
    """Place of another file that a file names: in the same folder, or nowhere.

    Raises
    ------
    ValueError
        The name, or a link of that name, leads elsewhere.
    """
    other = path.parent / name
    plain = "\0" not in name and Path(name).name == name
    if not plain or other.resolve().parent != path.parent.resolve():
        raise ValueError(
            f"{path.name} keeps its pixels in {name!r}; only a file in the same folder is read"
        )
    return other


@contextmanager
def decoding(where: str, kind: str) -> Iterator[list[str]]:
    """Run a library's reader: any failure becomes one clear error, its warnings become notes."""
    said: list[str] = []
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        try:
            yield said
        except ImportError:
            raise
        except Exception as error:
            reason = str(error).strip().splitlines() or [type(error).__name__]
            raise ValueError(f"{where} cannot be read as {kind}: {reason[-1].strip()}") from error
    said.extend(dict.fromkeys(str(warning.message) for warning in heard))
