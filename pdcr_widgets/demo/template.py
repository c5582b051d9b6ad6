"""The MNI152 template that ships inside the nilearn wheel, as axial slices.

ICBM 2009a nonlinear symmetric: the average of 152 adult heads aligned to each other, skull removed,
1 mm voxels. It is not a patient. Copyright (C) 1993-2009 Louis Collins, McConnell Brain Imaging
Centre, Montreal Neurological Institute, McGill University; see Fonov et al., NeuroImage 47 (2009),
S102.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from pdcr_widgets.demo.truth import Volume, lateral_ventricles

Value = TypeVar("Value", bound=np.generic)

ROWS, COLUMNS = 224, 192
Z_ORIGIN = 72


@dataclass(frozen=True, eq=False)
class AxialStack:
    """Axial slices as a radiologist looks at them: front up, the patient's right on the left.

    Attributes
    ----------
    images : ndarray (189, 224, 192) float32
        T1 divided by the volume's maximum, 0 to 1, one slice per mm from the bottom up. The height
        of slice ``i`` in MNI space is ``i - 72`` mm.
    truth : ndarray (189, 224, 192) bool
        The lateral ventricles, derived by `pdcr_widgets.demo.truth`.
    """

    images: NDArray[np.float32]
    truth: NDArray[np.bool_]


def axial_stack() -> AxialStack:
    """Read the template and derive the truth, in about a tenth of a second.

    Raises
    ------
    ModuleNotFoundError
        When nilearn or nibabel is not installed, with the command that installs them.
    """
    t1, grey, white = (_read(kind) for kind in ("t1", "gm", "wm"))
    return AxialStack(_as_slices(t1), _as_slices(lateral_ventricles(t1, grey, white)))


def _read(kind: str) -> Volume:
    try:
        import nibabel

        folder = resources.files("nilearn") / "datasets" / "data"
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"the brain case is read from files inside the nilearn package, and {error.name} is "
            'not installed; run: pip install "pdcr-widgets[demo]"',
            name=error.name,
        ) from error
    file = folder / f"mni_icbm152_{kind}_tal_nlin_sym_09a_converted.nii.gz"
    with resources.as_file(file) as path:
        voxels = np.asanyarray(nibabel.load(path).dataobj)  # type: ignore[attr-defined]
    return voxels.astype(np.float32) / 255


def _as_slices(volume: NDArray[Value]) -> NDArray[Value]:
    """Left-right, back-front, down-up -> slices, front up, patient's right on the left."""
    slices = volume[::-1, ::-1].transpose(2, 1, 0)
    top, left = (slices.shape[1] - ROWS) // 2, (slices.shape[2] - COLUMNS) // 2
    return np.ascontiguousarray(slices[:, top : top + ROWS, left : left + COLUMNS])
