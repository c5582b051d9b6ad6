"""Maps as grids: over pixels for xarray, in millimetres for NIfTI."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from pdcr_widgets.causal import ATEMap
from pdcr_widgets.causal.needs import needs
from pdcr_widgets.images import OpenedImage, save_nifti

VALUES = ("effect", "stderr", "samples", "significant")


def write_netcdf(ate: ATEMap, path: Path) -> None:
    """Write a map's grids with the recipe as NetCDF 3, which every reader knows."""
    _check(ate, ".nc")
    needs("scipy.io", "export")
    data = ate.to_xarray().assign_attrs(recipe=json.dumps(dict(ate.recipe)), reason=ate.reason)
    data["samples"] = data["samples"].astype("int32")
    data["region"] = (("row", "column", "plane")[: ate.region.ndim], ate.region.astype("int8"))
    data.to_netcdf(path, engine="scipy")


def write_nifti(
    ate: ATEMap,
    path: Path,
    *,
    affine: Any = None,
    like: OpenedImage | None = None,
    values: str = "effect",
) -> None:
    """Write a map per pixel on the grid of its image.

    Parameters
    ----------
    ate
        Of a slice or a volume.
    path
        Where to.
    affine
        ``(4, 4)`` from index (slice, row, column) to millimetres, as ``OpenedImage.affine``.
    like
        The opened slice or volume itself, instead of an affine.
    values
        ``"effect"`` (points, NaN on the region), ``"stderr"``, ``"samples"`` or ``"significant"``.

    Raises
    ------
    ValueError
        Neither or both of affine and like, a bad affine, or unknown values.
    """
    _check(ate, ".nii")
    if values not in VALUES:
        raise ValueError(f"values must be one of {VALUES}, got {values!r}")
    if (affine is None) == (like is None):
        raise ValueError(
            "say where the pixels are: like=opened_image, or affine= as (4, 4) from index "
            "(slice, row, column) to millimetres; one of the two"
        )
    if like is None:
        matrix = np.asarray(affine, dtype=float)
        if matrix.shape != (4, 4) or not np.isfinite(matrix).all():
            raise ValueError(f"affine must be a finite (4, 4) matrix, got shape {matrix.shape}")
        blank = np.zeros((1, *ate.spatial), dtype=np.float32)
        like = OpenedImage(blank, (0.0, 1.0), matrix, oriented=True)
    grid = getattr(ate, values).astype(np.float32)
    if values in ("samples", "significant"):
        grid[np.isnan(ate.effect)] = np.nan
    save_nifti(ate.to_image(grid), like, path)


def _check(ate: Any, suffix: str) -> None:
    if not isinstance(ate, ATEMap):
        raise ValueError(f"a {suffix} file holds a map; save layer effects as .csv or .json")
