"""Settings in JSON files of other programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def read_object(path: Path) -> dict[str, Any]:
    """Read settings by name.

    Raises
    ------
    ValueError
        The file is no JSON, or holds something else.
    """
    where = f"{path.name} of {path.parent.name}"
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{where} is no JSON: {error}") from error
    if not isinstance(held, dict):
        raise ValueError(f"{where} holds no settings by name")
    return held
