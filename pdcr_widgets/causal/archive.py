"""Arrays with a JSON header in one .npz file."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from pdcr_widgets.causal.files import whole_file

UNREADABLE = (
    AttributeError, EOFError, KeyError, OSError, RuntimeError, TypeError, ValueError, BadZipFile,
    zlib.error,
)  # fmt: skip


def write_npz(path: str | Path, head: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays and a JSON header, whole or not at all."""
    text = np.frombuffer(json.dumps(head).encode(), dtype=np.uint8)
    with whole_file(path) as part, part.open("xb") as file:
        np.savez_compressed(file, **{**arrays, "head": text})  # type: ignore[arg-type]


def read_npz(
    path: str | Path, names: tuple[str, ...], newest: int
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Read what `write_npz` wrote; the header without its format number."""
    try:
        with Path(path).open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            head = json.loads(file["head"].tobytes().decode())
            arrays = {n: file[n] for n in names}
        version = int(head.pop("format"))
    except FileNotFoundError:
        raise
    except UNREADABLE as error:
        raise ValueError(f"{str(path)!r} is not a saved result: {error}") from error
    if version > newest:
        raise ValueError(f"{str(path)!r} was written by a later version; upgrade pdcr_widgets")
    return head, arrays


def read_arrays(path: str | Path, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Read those arrays of a file that are there."""
    try:
        with Path(path).open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            return {name: file[name] for name in names if name in file}
    except FileNotFoundError:
        raise
    except UNREADABLE as error:
        raise ValueError(f"{str(path)!r} is not a saved result: {error}") from error
