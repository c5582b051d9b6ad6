"""Results as tables: a row per patch outside the region, or per layer and intervention."""

from __future__ import annotations

import csv
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from pdcr_widgets.causal import ATEMap
from pdcr_widgets.causal.components import LayerEffects
from pdcr_widgets.causal.needs import needs
from pdcr_widgets.evaluate import Comparison


def write_csv(result: ATEMap | LayerEffects | Comparison, path: Path) -> None:
    """Write the table as CSV; needs no further library."""
    rows = _rows(result)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]) if rows else [])
        writer.writeheader()
        writer.writerows(rows)


def write_parquet(result: ATEMap | LayerEffects | Comparison, path: Path) -> None:
    """Write the table as Parquet, with the recipe in the attributes of the frame."""
    needs("pyarrow", "export")
    frame = needs("pandas", "export").DataFrame(_rows(result))
    frame.attrs = {"base": result.base, "recipe": json.dumps(dict(result.recipe))}
    frame.to_parquet(path, engine="pyarrow", index=False)


def _rows(result: ATEMap | LayerEffects | Comparison) -> list[dict[str, Any]]:
    if isinstance(result, Comparison):
        return [asdict(row) for row in result.rows]
    if isinstance(result, LayerEffects):
        shaped = [asdict(row) for row in result]
        return [{**row, "shape": " x ".join(map(str, row["shape"]))} for row in shaped]
    names = ("z", "top", "left")[-result.effect.ndim :]
    significant = result.significant
    rows = []
    for place in np.argwhere(np.isfinite(result.effect)).tolist():
        at = tuple(place)
        where = {n: i * result.patch_size for n, i in zip(names, place, strict=True)}
        numbers = {
            "effect": float(result.effect[at]),
            "stderr": float(result.stderr[at]),
            "samples": int(result.samples[at]),
            "significant": bool(significant[at]),
        }
        rows.append({**where, **numbers})
    return rows
