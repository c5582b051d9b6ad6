"""Folders and lists of files: a DICOM series, or a stack of pictures of one size."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pdcr_widgets.images.dicom import check_is_image, facts, pixel_shape, pixels, read_header
from pdcr_widgets.images.dicom_geometry import frame_affine, heights, slice_step
from pdcr_widgets.images.opened import OpenedImage, finished
from pdcr_widgets.images.request import ChoiceNeeded, Request

MOST_FILES = 20_000


@dataclass(frozen=True)
class Member:
    """One file of a series and its header, without pixels."""

    path: Path
    header: Any

    @property
    def series(self) -> str:
        """Identifier of the series it says it belongs to."""
        return str(self.header.get("SeriesInstanceUID", ""))


def files_of(folder: Path) -> list[Path]:
    """Regular files in a folder and below, in order of their names; links are not followed."""
    found: list[Path] = []
    folders, seen = [folder], 0
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                seen += 1
                if seen > MOST_FILES:
                    raise ValueError(
                        f"{folder.name} holds over {MOST_FILES} files and folders; give the "
                        "folder of one series"
                    )
                if entry.is_dir(follow_symlinks=False):
                    folders.append(Path(entry.path))
                elif entry.is_file(follow_symlinks=False):
                    found.append(Path(entry.path))
    return sorted(found)


def read_series(paths: Sequence[Path], request: Request, where: str) -> OpenedImage:
    """Read the slices of one DICOM series, sorted by where they lie."""
    members = [Member(path, read_header(path)[0]) for path in paths]
    members = _one_series([m for m in members if "Rows" in m.header], request.series, where)
    shapes = {pixel_shape(member.header, member.path.name) for member in members}
    if len(shapes) > 1 or next(iter(shapes))[0] > 1:
        raise ValueError(
            f"the slices of {where} have different shapes (frames, rows, columns, samples): "
            f"{sorted(shapes)}; open the files of one shape, or a multi-frame file by itself"
        )
    request.check_size((len(members), *next(iter(shapes))), where)
    members, affine, notes = _sorted(members, where)
    slices, window, more = _stacked(members)
    first = members[0].header
    return finished(
        slices,
        where,
        request.spacing,
        affine,
        window,
        "ImagePositionPatient" in first,
        modality=str(first.get("Modality", "")),
        provenance={**facts(first), "files": len(members)},
        notes=(*notes, *more),
    )


def _one_series(members: list[Member], wanted: str | None, where: str) -> list[Member]:
    counts: dict[str, int] = {}
    for member in members:
        counts[member.series] = counts.get(member.series, 0) + 1
    if not members:
        raise ValueError(f"{where} holds no DICOM images")
    if wanted is None and len(counts) > 1:
        listed = ", ".join(f"{series} ({count})" for series, count in list(counts.items())[:8])
        raise ChoiceNeeded(
            f"{where} holds {len(counts)} series; choose one with series=: {listed}",
            "series",
            {name: f"{_described(members, name)}, {n} files" for name, n in counts.items()},
        )
    series = next(iter(counts)) if wanted is None else wanted
    if series not in counts:
        raise ValueError(f"{where} holds no series {series!r}; it holds {list(counts)[:8]}")
    return [member for member in members if member.series == series]


def _described(members: list[Member], series: str) -> str:
    """Modality and number of a series, which name nobody."""
    header = next(member.header for member in members if member.series == series)
    return (
        f"{header.get('Modality', '')} series {header.get('SeriesNumber') or series[-8:]}".strip()
    )


def _sorted(members: list[Member], where: str) -> tuple[list[Member], Any, list[str]]:
    """Order slices along their normal, or by number where they have no place."""
    headers = [member.header for member in members]
    if not all(h.get("ImagePositionPatient") and h.get("ImageOrientationPatient") for h in headers):
        members = sorted(members, key=lambda member: int(member.header.get("InstanceNumber") or 0))
        return members, frame_affine(members[0].header, where), ["sorted by number: no positions"]
    orientations = np.array([h.ImageOrientationPatient for h in headers], dtype=float)
    if np.abs(orientations - orientations[0]).max() > 1e-3:
        raise ValueError(f"the slices of {where} are not parallel; they are not one volume")
    along = heights(orientations[0], [np.array(h.ImagePositionPatient, float) for h in headers])
    order = np.argsort(along, kind="stable")
    if len(along) > 1 and np.diff(along[order]).min() < 1e-4:
        raise ValueError(
            f"{where} holds several slices at one position (moments or echoes, 4-D where 3-D is "
            "meant); give a list of the files of one volume"
        )
    members = [members[i] for i in order]
    thickness = float(members[0].header.get("SliceThickness") or 1.0)
    step, notes = slice_step(along[order], thickness, where)
    affine = frame_affine(members[0].header, where)
    if affine is not None and len(members) > 1:
        affine[:3, 0] *= step / np.linalg.norm(affine[:3, 0])
    return members, affine, notes


def _stacked(members: list[Member]) -> tuple[np.ndarray, Any, list[str]]:
    """Decode one slice at a time into (channels, slices, rows, columns)."""
    slices, notes, window = [], [], None
    for member in members:
        dataset, said = read_header(member.path, pixels=True)
        check_is_image(dataset, member.path.name)
        array, found, more = pixels(dataset, member.path.name)
        slices.append(array[:, 0])
        window = window or found
        notes += [*said, *more]
    return np.stack(slices, axis=1), window, list(dict.fromkeys(notes))


def stack(images: Sequence[OpenedImage], where: str, request: Request) -> OpenedImage:
    """Put two-dimensional images of one size on top of each other, in the order given."""
    shapes = {image.array.shape for image in images}
    if len(shapes) > 1 or len(next(iter(shapes))) != 3:
        raise ValueError(f"{where}: only slices of one shape make a volume, got {sorted(shapes)}")
    request.check_size((len(images), *next(iter(shapes))), where)
    low = min(image.window[0] for image in images)
    high = max(image.window[1] for image in images)
    names = [image.provenance["file"] for image in images]
    return finished(
        np.stack([image.array for image in images], axis=1),
        where,
        request.spacing,
        window=(low, high),
        provenance={"format": "stack", "files": names},
        notes=tuple(dict.fromkeys(note for image in images for note in image.notes)),
    )
