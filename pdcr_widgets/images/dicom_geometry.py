"""Where DICOM slices lie: affines from their position, orientation and spacing tags."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pdcr_widgets.images.grid import FloatArray, affine_of
from pdcr_widgets.images.request import decoding

LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0])
UNEVEN = 0.02


def frame_affine(dataset: Any, where: str) -> FloatArray | None:
    """Affine of a single slice; directions only where the file has them."""
    with decoding(where, "DICOM"):
        spacing = dataset.get("PixelSpacing") or dataset.get("ImagerPixelSpacing")
        if not spacing or len(spacing) != 2:
            return None
        lengths = (_between(dataset), float(spacing[0]), float(spacing[1]))
        orientation = _numbers(dataset.get("ImageOrientationPatient"), 6)
        position = _numbers(dataset.get("ImagePositionPatient"), 3)
    if orientation is None or position is None:
        return affine_of(lengths)
    return affine_of(lengths, _directions(orientation), (LPS_TO_RAS @ position).tolist())


def functional_groups(dataset: Any, name: str) -> list[Any] | None:
    """Give one functional group of every frame of an enhanced file, or None."""
    frames = list(dataset.get("PerFrameFunctionalGroupsSequence") or ())
    shared = list(dataset.get("SharedFunctionalGroupsSequence") or ())
    common = shared[0].get(name) if shared else None
    found = [frame.get(name) or common for frame in frames]
    whole = [group[0] for group in found if group]
    return whole if whole and len(whole) == len(found) else None


def frames_affine(dataset: Any, where: str) -> FloatArray | None:
    """Affine of an enhanced file, whose frames each say where they are."""
    with decoding(where, "DICOM"):
        measures = functional_groups(dataset, "PixelMeasuresSequence")
        planes = functional_groups(dataset, "PlaneOrientationSequence")
        places = functional_groups(dataset, "PlanePositionSequence")
        if not measures or not planes or not places:
            return None
        spacing = [float(step) for step in measures[0].PixelSpacing]
        thickness = float(measures[0].get("SliceThickness") or 1.0)
        orientation = _numbers(planes[0].ImageOrientationPatient, 6)
        positions = [_numbers(place.ImagePositionPatient, 3) for place in places]
    if orientation is None or any(position is None for position in positions):
        return None
    along = heights(orientation, [p for p in positions if p is not None])
    step = slice_step(along, thickness, where)[0]
    if not (np.diff(along) * np.sign(step) > 0).all():
        raise ValueError(
            f"the frames of {where} are not one stack of slices (positions repeat or go back and "
            "forth): choose some with pydicom and give the array"
        )
    directions = _directions(orientation) * (np.sign(step) or 1.0, 1.0, 1.0)
    origin = (LPS_TO_RAS @ positions[0]).tolist()
    return affine_of((abs(step), *spacing), directions, origin)


def _between(dataset: Any) -> float:
    """Distance of the frames of a plain multi-frame file, or the thickness of its slice."""
    offsets = np.array(dataset.get("GridFrameOffsetVector") or (), dtype=float)
    if offsets.size > 1:
        return float(np.median(np.diff(offsets)))
    return float(dataset.get("SpacingBetweenSlices") or dataset.get("SliceThickness") or 1.0)


def heights(orientation: np.ndarray, positions: Sequence[np.ndarray]) -> np.ndarray:
    """Millimetres of each slice along the normal of their plane."""
    return np.array(positions) @ np.cross(orientation[:3], orientation[3:])


def slice_step(along: np.ndarray, thickness: float, where: str) -> tuple[float, list[str]]:
    """Signed distance of neighbouring slices, and a note when it varies."""
    if len(along) < 2:
        return thickness, []
    steps = np.diff(along)
    step = float(np.median(steps))
    if np.abs(steps - step).max() <= UNEVEN * abs(step):
        return float(steps.mean()), []
    low, high = np.abs(steps).min(), np.abs(steps).max()
    return step, [f"slices of {where} are {low:.3g} to {high:.3g} mm apart: some may be missing"]


def _directions(orientation: np.ndarray) -> np.ndarray:
    """Unit vectors of (slice, row, column) in RAS: down a column is the row axis."""
    along_row, down_column = orientation[:3], orientation[3:]
    normal = np.cross(along_row, down_column)
    columns = np.stack([normal, down_column, along_row], axis=1)
    lengths = np.linalg.norm(columns, axis=0)
    return np.asarray(LPS_TO_RAS @ (columns / np.where(lengths > 0, lengths, 1.0)))


def _numbers(values: Any, count: int) -> np.ndarray | None:
    if values is None or len(values) != count:
        return None
    return np.array([float(value) for value in values])
