"""NRRD and MetaImage volumes, through SimpleITK."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from pdcr_widgets.causal.needs import needs
from pdcr_widgets.images.grid import affine_of, is_usable, reorient
from pdcr_widgets.images.opened import OpenedImage, finished
from pdcr_widgets.images.request import Request, beside, decoding

LARGEST_HEADER = 65_536
LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0])
MOST_SKIPPED = 2**24
AXES = re.compile(rb"^[ \t]*N[ \t]*Dims[ \t]*[=:][ \t]*([^\r\n]*)", re.I | re.M)
DIMENSION = re.compile(rb"^[ \t]*dimension[ \t]*:=?[ \t]*([^\r\n]*)", re.I | re.M)
SKIP = re.compile(rb"^[ \t]*(?:byte|line)[ \t]*skip[ \t]*:[ \t]*\+?(\d+)", re.I | re.M)
DATA_FILE = re.compile(
    rb"^[ \t]*(?:Element[ \t]*Data[ \t]*File|data[ \t]*file)[ \t]*[=:]+[ \t]*(\S[^\r\n]*)",
    re.I | re.M,
)
END_OF_NRRD = re.compile(rb"\n\r?\n")
END_OF_META = re.compile(rb"^ElementDataFile[ \t]*=[^\r\n]*[\r\n]", re.M)
VECTORS = re.compile(
    rb"^[ \t]*(?:DimSize|ElementSpacing|ElementSize|Offset|Position|Origin|CenterOfRotation)"
    rb"[ \t]*[=:]([^\r\n]*)",
    re.I | re.M,
)
MATRICES = re.compile(
    rb"^[ \t]*(?:TransformMatrix|Rotation|Orientation)[ \t]*[=:]([^\r\n]*)", re.I | re.M
)


def read_itk(path: Path, request: Request) -> OpenedImage:
    """Read NRRD, NHDR, MHA or MHD, turned so that slices are seen as usual."""
    itk = needs("SimpleITK", "images")
    _check_header(path)
    reader = itk.ImageFileReader()
    reader.SetFileName(str(path))
    with decoding(path.name, "NRRD or MetaImage"):
        reader.ReadImageInformation()
        size = [int(side) for side in reader.GetSize()]
        channels = int(reader.GetNumberOfComponents())
    request.check_size([channels, *size], path.name)
    if len(size) not in (2, 3):
        raise ValueError(f"{path.name} has {len(size)} axes ({size}); an image has 2 or 3")
    with decoding(path.name, "NRRD or MetaImage") as said:
        image = reader.Execute()
        values = itk.GetArrayFromImage(image)
    array = np.moveaxis(values, -1, 0) if channels > 1 else values[None]
    if len(size) == 2:
        array = array[:, None]
    affine = _affine(image.GetSpacing(), image.GetDirection(), image.GetOrigin())
    usable = is_usable(affine)
    if usable and array.shape[1] > 1:
        array, affine = reorient(array, affine)
    facts = {"format": path.suffix.lstrip(".").upper(), "shape": tuple(size)}
    return finished(
        array,
        path.name,
        request.spacing,
        affine,
        oriented=usable and len(size) == 3,
        provenance=facts,
        notes=tuple(said),
    )


def _affine(
    spacing: tuple[float, ...], direction: tuple[float, ...], origin: tuple[float, ...]
) -> np.ndarray:
    """Affine of (slice, row, column) from ITK's (x, y, z) in LPS."""
    axes = len(spacing)
    directions = np.eye(3)
    directions[:axes, :axes] = np.reshape(direction, (axes, axes))
    missing = (1.0,) * (3 - axes)
    lengths = (*spacing, *missing)[::-1]
    place = LPS_TO_RAS @ np.array((*origin, *(0.0,) * (3 - axes)))
    return affine_of(lengths, (LPS_TO_RAS @ directions)[:, ::-1], place.tolist())


def _check_header(path: Path) -> None:
    """Refuse a header that would crash or stall its reader, or send it outside its own folder."""
    with path.open("rb") as file:
        start = file.read(LARGEST_HEADER)
        whole = not file.read(1)
    nrrd = start.startswith(b"NRRD")
    end = (END_OF_NRRD if nrrd else END_OF_META).search(start)
    if end is None and not whole:
        raise ValueError(f"the header of {path.name} is longer than {LARGEST_HEADER} bytes")
    header = start[: end.end()] if nrrd and end is not None else start
    axes = [match[1].strip() for match in (DIMENSION if nrrd else AXES).finditer(header)]
    if axes not in ([b"2"], [b"3"], [b"4"]):
        told = b", ".join(axes)[:40].decode("latin-1")
        raise ValueError(
            f"{path.name} must say once how many axes it has, 2 to 4; it says {told!r}"
        )
    if not nrrd:
        _check_lines(header, int(axes[0]), path.name)
    for match in SKIP.finditer(header):
        if int(match[1]) > MOST_SKIPPED:
            raise ValueError(f"{path.name} skips more than {MOST_SKIPPED} bytes or lines")
    for match in DATA_FILE.finditer(header):
        _check_data_file(path, match[1].decode("latin-1").strip())


def _check_lines(header: bytes, axes: int, where: str) -> None:
    """Refuse lines that are too short: MetaImage's reader would take the next one for their end."""
    for lines, count in ((VECTORS, axes), (MATRICES, axes * axes)):
        for match in lines.finditer(header):
            if len(match[1].split()) < count:
                told = match[0][:60].decode("latin-1")
                raise ValueError(f"{where} needs {count} numbers in one line: {told!r}")


def _check_data_file(path: Path, name: str) -> None:
    if name.upper() == "LOCAL":
        return
    if name.upper().startswith("LIST") or "%" in name:
        raise ValueError(
            f"{path.name} keeps its pixels in a list of files, which is not read; open it with "
            "SimpleITK and give the array"
        )
    if not beside(path, name).is_file():
        raise ValueError(f"{path.name} keeps its pixels in {name!r}, which is no file beside it")
