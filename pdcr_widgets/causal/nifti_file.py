"""NIfTI files of one volume, through nibabel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from pdcr_widgets.causal.files import whole_file
from pdcr_widgets.causal.needs import needs


def write_volume(
    array: np.ndarray, affine: np.ndarray | None, path: str | Path, oriented: bool = True
) -> None:
    """Write float32 values, whole or not at all.

    Parameters
    ----------
    array
        ``(rows, columns)`` or ``(slices, rows, columns)``.
    affine
        ``(4, 4)`` from index (slice, row, column) to millimetres; None where nothing is known.
    path
        A name that ends in ``.nii`` or ``.nii.gz``.
    oriented
        Whether the directions of the affine are the patient's.

    Raises
    ------
    ValueError
        The name is no NIfTI name.
    """
    nibabel: Any = needs("nibabel", "images")
    if not str(path).endswith((".nii", ".nii.gz")):
        raise ValueError(f"a NIfTI file ends in .nii or .nii.gz, got {str(path)!r}")
    matrix = np.eye(4) if affine is None else np.asarray(affine, dtype=np.float64)
    volume = np.asarray(array, dtype=np.float32).reshape((1, *array.shape)[-3:]).transpose(2, 1, 0)
    image = nibabel.Nifti1Image(np.ascontiguousarray(volume), matrix[:, [2, 1, 0, 3]])
    image.header.set_xyzt_units("mm")
    if affine is None or not oriented:
        image.set_sform(image.affine, code=0)
        image.set_qform(image.affine, code=0)
    with whole_file(path) as part:
        nibabel.save(image, part)
