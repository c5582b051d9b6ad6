"""`open_image`: recognise what something is by its content and hand it to the right reader."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pdcr_widgets.images.arrays import from_array, read_npy, read_npz
from pdcr_widgets.images.dicom import read_dicom
from pdcr_widgets.images.itk import read_itk
from pdcr_widgets.images.nifti import read_nifti
from pdcr_widgets.images.opened import OpenedImage
from pdcr_widgets.images.pictures import read_picture, read_tiff
from pdcr_widgets.images.request import MAX_PIXELS, Request
from pdcr_widgets.images.series import files_of, read_series, stack

READERS: dict[str, Callable[[Path, Request], OpenedImage]] = {
    "dicom": read_dicom,
    "itk": read_itk,
    "nifti": read_nifti,
    "npy": read_npy,
    "npz": read_npz,
    "picture": read_picture,
    "tiff": read_tiff,
}
SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (128, b"DICM", "dicom"),
    (344, b"n+1\0", "nifti"),
    (344, b"ni1\0", "nifti"),
    (4, b"n+2\0", "nifti"),
    (4, b"ni2\0", "nifti"),
    (0, b"\x1f\x8b", "nifti"),
    (0, b"NRRD", "itk"),
    (0, b"ObjectType", "itk"),
    (0, b"NDims", "itk"),
    (0, b"\x93NUMPY", "npy"),
    (0, b"PK\x03\x04", "npz"),
    (0, b"\x89PNG\r\n\x1a\n", "picture"),
    (0, b"\xff\xd8\xff", "picture"),
    (0, b"BM", "picture"),
    (0, b"GIF8", "picture"),
    (0, b"II*\0", "tiff"),
    (0, b"MM\0*", "tiff"),
    (0, b"II+\0", "tiff"),
    (0, b"MM\0+", "tiff"),
)
FIRST_GROUPS = (b"\x02\0", b"\x08\0", b"\0\x02", b"\0\x08")
WITHOUT_PREAMBLE = (".dcm", ".dicom", ".ima", "")


def open_image(
    source: Any,
    *,
    series: str | None = None,
    volume: int | None = None,
    key: str | None = None,
    channels: str | None = None,
    spacing: Sequence[float] | None = None,
    max_pixels: int = MAX_PIXELS,
) -> OpenedImage:
    """Open an image, whatever it is.

    A file is recognised by its content, not by its name. Nothing in it is executed.

    Parameters
    ----------
    source
        Path of a DICOM, NIfTI, NRRD, MetaImage, PNG, JPEG, BMP, GIF, TIFF, ``.npy`` or ``.npz``
        file; path of a folder with one DICOM series; a list of paths that make one volume; or a
        numpy array, torch tensor, ``xarray.DataArray`` or MONAI ``MetaTensor``.
    series
        SeriesInstanceUID to take from a folder that holds several.
    volume
        Which volume of a 4-D file, from 0.
    key
        Which array of a ``.npz`` file.
    channels
        ``"first"``, ``"last"`` or ``"none"``: where an array's channel axis is. By default it is
        guessed from the shape and the guess is told in ``notes``.
    spacing
        Millimetres per spatial axis, overriding the file.
    max_pixels
        Most values to read, over all channels; a header that promises more is refused.

    Returns
    -------
    OpenedImage
        Values in the units of the file, float32, with spacing, orientation, window and provenance.

    Raises
    ------
    ValueError
        The file is missing, empty, cut short, too large, of an unknown format, holds no image or
        more than one; the message says which and what to do.
    TypeError
        ``source`` is nothing that can be opened.
    ImportError
        The library that reads this format is not installed; the message says how to.
    """
    lengths = None if spacing is None else tuple(float(step) for step in spacing)
    request = Request(series, volume, key, channels, lengths, max_pixels)
    if isinstance(source, OpenedImage):
        return source
    if isinstance(source, str | os.PathLike):
        return _open_path(Path(source), request)
    listed = source if isinstance(source, list | tuple) else ()
    if listed and all(isinstance(item, str | os.PathLike) for item in listed):
        return _open_list([Path(item) for item in listed], request)
    if hasattr(source, "__array__"):
        return from_array(source, request)
    raise TypeError(
        f"open_image takes a path, a list of paths or an array, got {type(source).__name__}"
    )


def _open_path(path: Path, request: Request) -> OpenedImage:
    if not path.is_dir():
        return READERS[recognise(path)](path, request)
    files = [file for file in files_of(path) if _is_dicom(file)]
    if len(files) == 1:
        return read_dicom(files[0], request)
    return read_series(files, request, path.name)


def _open_list(paths: list[Path], request: Request) -> OpenedImage:
    where = f"the list of {len(paths)} files"
    if len(paths) == 1:
        return _open_path(paths[0], request)
    kinds = {recognise(path) for path in paths}
    if kinds == {"dicom"}:
        return read_series(paths, request, where)
    if "dicom" in kinds:
        raise ValueError(f"{where} mixes DICOM with other formats; open them one by one")
    alone = replace(request, spacing=None)
    return stack([_open_path(path, alone) for path in paths], where, request)


def recognise(path: Path) -> str:
    """Say which reader a file needs, by its first bytes.

    Raises
    ------
    ValueError
        The file is missing, no regular file, empty, or of no known format.
    """
    if not path.is_file():
        what = "is no regular file" if path.exists() else "does not exist"
        raise ValueError(f"{path} {what}")
    with path.open("rb") as file:
        head = file.read(352)
    if not head:
        raise ValueError(f"{path.name} is empty")
    for offset, signature, kind in SIGNATURES:
        if head[offset : offset + len(signature)] == signature:
            return kind
    if path.suffix.lower() in WITHOUT_PREAMBLE and head[:2] in FIRST_GROUPS:
        return "dicom"
    raise ValueError(
        f"{path.name} is of no format that can be opened: DICOM, NIfTI, NRRD, MetaImage, PNG, "
        "JPEG, BMP, GIF, TIFF, npy or npz"
    )


def _is_dicom(path: Path) -> bool:
    try:
        return recognise(path) == "dicom" and path.name.upper() != "DICOMDIR"
    except ValueError:
        return False
