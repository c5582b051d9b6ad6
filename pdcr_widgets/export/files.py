"""Which file a result becomes, and which result a file is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from pdcr_widgets.causal import ATEMap, Sweep
from pdcr_widgets.causal.archive import UNREADABLE
from pdcr_widgets.causal.components import LayerEffects
from pdcr_widgets.causal.files import whole_file
from pdcr_widgets.evaluate import Comparison
from pdcr_widgets.export import dicom, document, grids, pictures, tables

Result = ATEMap | LayerEffects | Sweep | Comparison
Writer = Callable[..., None]

PICTURES = (".png", ".svg", ".pdf")
FORMATS: dict[str, Writer] = {
    ".npz": lambda result, path, **options: result.save(path, **options),
    ".json": document.write_json,
    ".csv": tables.write_csv,
    ".parquet": tables.write_parquet,
    ".nc": grids.write_netcdf,
    ".nii": grids.write_nifti,
    ".nii.gz": grids.write_nifti,
    ".dcm": dicom.write_dicom,
    ".png": pictures.write_picture,
    ".svg": pictures.write_picture,
    ".pdf": pictures.write_picture,
}


COMPARED = (".npz", ".csv", ".parquet", *PICTURES)


def save(result: Result, path: str | Path, **options: Any) -> None:
    """Write a result to a file, whole or not at all.

    ``.npz`` and ``.json`` hold everything with the recipe, and `load` brings it back. ``.csv`` and
    ``.parquet`` have one row per patch, or per layer and intervention. ``.nc`` holds a map's grids
    over pixels, ``.nii`` and ``.nii.gz`` the map per pixel on its image's grid, ``.dcm`` a picture
    of it as a DICOM secondary capture. ``.png``, ``.svg`` and ``.pdf`` are the figure that ``plot``
    draws.

    Parameters
    ----------
    result
        `ATEMap` or `LayerEffects`; a `Sweep` as ``.npz`` only; a `Comparison` as ``.npz``,
        ``.csv``, ``.parquet`` or a figure.
    path
        Its suffix chooses the format. An older file there stays until the new one is complete.
    **options
        For a map's ``.npz`` the ``bank=`` it was made with; for NIfTI ``values=``, and ``affine=``
        or ``like=`` (an opened image) where the map does not know its place; for DICOM those of
        `export.dicom.write_dicom`; for figures those of ``plot``.

    Raises
    ------
    ValueError
        An unknown suffix, or a format that cannot hold such a result.
    ImportError
        A library is missing; the message says which extra brings it.
    """
    name = Path(path).name.lower()
    suffix = next((s for s in sorted(FORMATS, key=len, reverse=True) if name.endswith(s)), None)
    if suffix is None:
        raise ValueError(f"{Path(path).name!r} must end in one of {list(FORMATS)}")
    if isinstance(result, Sweep) and suffix != ".npz":
        raise ValueError(f"a sweep is saved as .npz, got {suffix!r}; export a map read off it")
    if isinstance(result, Comparison) and suffix not in COMPARED:
        raise ValueError(f"a comparison is saved as one of {COMPARED}, got {suffix!r}")
    with whole_file(path) as part:
        FORMATS[suffix](result, part, **options)


def load(path: str | Path) -> Result:
    """Read a result that `save` wrote as ``.npz`` or ``.json``.

    Raises
    ------
    ValueError
        No such file, a damaged one, or one of a later version.
    """
    path = Path(path)
    if path.suffix.lower() == ".json":
        return document.read_json(path)
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            names = set(file.keys())
            head = json.loads(file["head"].tobytes()) if "head" in names else {}
    except FileNotFoundError:
        raise
    except UNREADABLE as error:
        raise ValueError(f"{path.name!r} is not a saved result: {error}") from error
    marks: dict[str, Any] = {"effect": ATEMap, "probability": Sweep, "verdicts": Comparison}
    kind = next((k for mark, k in marks.items() if mark in names or mark in head), LayerEffects)
    return kind.load(path)
