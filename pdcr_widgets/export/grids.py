"""Maps as grids: over pixels for xarray, in millimetres for NIfTI."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from pdcr_widgets.causal import ATEMap
from pdcr_widgets.causal.arrays import grid_of
from pdcr_widgets.causal.needs import needs
from pdcr_widgets.images import OpenedImage


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
        The opened slice or volume itself, instead of an affine. Neither is needed for a map of an
        opened image.
    values
        ``"effect"`` (points, NaN on the region), ``"stderr"``, ``"samples"`` or ``"significant"``.

    Raises
    ------
    ValueError
        Both of affine and like, neither for a map of a plain array, a bad affine, unknown values.
    """
    _check(ate, ".nii")
    if affine is not None and like is not None:
        raise ValueError("say where the pixels are by like= or by affine=, not by both")
    if affine is not None:
        matrix = np.asarray(affine, dtype=float)
        if matrix.shape != (4, 4) or not np.isfinite(matrix).all():
            raise ValueError(f"affine must be a finite (4, 4) matrix, got shape {matrix.shape}")
        ate.to_nifti(path, values, {"affine": matrix, "oriented": True})
    elif like is None:
        ate.to_nifti(path, values)
    elif ate.spatial != like.spatial:
        raise ValueError(f"the map has shape {ate.spatial}, the image {like.spatial}")
    else:
        ate.to_nifti(path, values, grid_of(like) or {"affine": np.eye(4), "oriented": False})


def _check(ate: Any, suffix: str) -> None:
    if not isinstance(ate, ATEMap):
        raise ValueError(f"a {suffix} file holds a map; save layer effects as .csv or .json")
