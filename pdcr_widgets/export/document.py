"""Results as JSON that people and other programs read."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np

from pdcr_widgets.causal import ATEMap
from pdcr_widgets.causal.components import LayerEffect, LayerEffects
from pdcr_widgets.causal.ingredients import mask_from_runs, mask_to_runs

FORMAT = 1
GRIDS = {"effect": np.float32, "stderr": np.float32, "samples": np.int64}


def write_json(result: ATEMap | LayerEffects, path: Path) -> None:
    """Write a map or layer effects: numbers that are none are null, infinite ones "inf"."""
    text = json.dumps(to_document(result), ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def read_json(path: Path) -> ATEMap | LayerEffects:
    """Read what `write_json` wrote.

    Raises
    ------
    ValueError
        Something else, or a later version.
    """
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path.name!r} is not a saved result: {error}") from error
    return from_document(held, path.name)


def to_document(result: ATEMap | LayerEffects) -> dict[str, Any]:
    """Describe a map or layer effects as plain values that JSON can hold."""
    described = _map(result) if isinstance(result, ATEMap) else _layers(result)
    return {"format": FORMAT, **described}


def from_document(held: Any, name: str = "document") -> ATEMap | LayerEffects:
    """Read what `to_document` gave.

    Raises
    ------
    ValueError
        Something else, or a later version.
    """
    try:
        rest = dict(held)
        version, kind = int(rest.pop("format")), rest.pop("kind")
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{name!r} is not a saved result: {error}") from error
    if version > FORMAT:
        raise ValueError(f"{name!r} was written by a later version; upgrade pdcr_widgets")
    try:
        return _as_map(rest) if kind == "map" else _as_layers(rest)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{name!r} is not a saved result: {error}") from error


def _map(ate: ATEMap) -> dict[str, Any]:
    plain = ("base", "evaluations", "patch_size", "engine", "reason")
    return {
        "kind": "map",
        "units": "points; negative effects support the target",
        **{name: getattr(ate, name) for name in plain},
        "shape": list(ate.effect.shape),
        **{name: _numbers(getattr(ate, name)) for name in GRIDS},
        "region": mask_to_runs(ate.region),
        "recipe": dict(ate.recipe),
    }


def _as_map(held: dict[str, Any]) -> ATEMap:
    shape = held.pop("shape")
    held.pop("units")
    grids = {
        name: np.array(_values(held.pop(name)), dtype=dtype).reshape(shape)
        for name, dtype in GRIDS.items()
    }
    fields: dict[str, Any] = {**held, **grids, "region": mask_from_runs(held["region"])}
    return ATEMap(**fields)


def _layers(effects: LayerEffects) -> dict[str, Any]:
    rows = [{name: _number(value) for name, value in asdict(row).items()} for row in effects]
    plain = [field.name for field in fields(effects) if field.name not in ("rows", "recipe")]
    return {
        "kind": "layers",
        "units": "points; negative effects support the target",
        **{name: getattr(effects, name) for name in plain},
        "rows": rows,
        "recipe": dict(effects.recipe),
    }


def _as_layers(held: dict[str, Any]) -> LayerEffects:
    held.pop("units")
    numbers = ("effect", "stderr", "elsewhere", "elsewhere_stderr")
    rows = []
    for row in held.pop("rows"):
        read = {name: _values([row[name]])[0] for name in numbers}
        rows.append(LayerEffect(**{**row, **read, "shape": tuple(row["shape"])}))
    return LayerEffects(rows=tuple(rows), **held)


def _numbers(grid: np.ndarray) -> list[Any]:
    return [_number(value) for value in grid.reshape(-1).tolist()]


def _number(value: Any) -> Any:
    if not isinstance(value, float) or math.isfinite(value):
        return value
    return None if math.isnan(value) else "inf"


def _values(numbers: list[Any]) -> list[float]:
    return [math.nan if n is None else math.inf if n == "inf" else n for n in numbers]
