"""NIfTI volumes, through nibabel."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from pdcr_widgets.causal.needs import needs
from pdcr_widgets.causal.nifti_file import write_volume
from pdcr_widgets.images.grid import is_usable, orientation_of, reorient
from pdcr_widgets.images.metered import MeteredFile
from pdcr_widgets.images.opened import OpenedImage, finished
from pdcr_widgets.images.request import ChoiceNeeded, Request, beside, decoding

MOST_GZIP = 1100
NIFTI2 = 540  # bytes of its header, which the first four say
PAIRS = (b"ni1", b"ni2")
LONGEST_HEADER = 2**21  # bytes with all extensions


def read_nifti(path: Path, request: Request) -> OpenedImage:
    """Read a volume or slice, turned so that slices are seen as radiologists see them."""
    with _stream(path) as file:
        with decoding(path.name, "NIfTI") as said:
            image = _load(path, file)
            header, shape = image.header, tuple(int(side) for side in image.shape)
            dtype = image.get_data_dtype()
            affine = np.asarray(image.affine, dtype=np.float64)
        request.check_size(shape, path.name)
        _check_length(path, header, shape, dtype.itemsize)
        chosen = _choose_volume(shape, request.volume, path.name)
        with decoding(path.name, "NIfTI") as more:
            stored = np.array(image.dataobj[(..., *chosen)])
    axes = orientation_of(affine) if is_usable(affine) else None
    array, affine, oriented = from_xyz(stored, affine)
    codes = int(header["sform_code"]) or int(header["qform_code"])
    facts = {"format": "NIfTI", "shape": shape, "volume": request.volume, "axes": axes}
    return finished(
        array,
        path.name,
        request.spacing,
        affine,
        oriented=oriented and codes > 0,
        provenance=facts,
        notes=(*said, *more),
    )


@contextmanager
def _stream(path: Path) -> Iterator[Any]:
    """The file, unpacked while it is read."""
    with MeteredFile(path) as file:
        if not _is_gzip(path):
            yield file
        else:
            with gzip.GzipFile(fileobj=file) as unpacked:
                yield unpacked


def _load(path: Path, file: Any) -> Any:
    """Parse the header; the name counts only for a pair of .hdr and .img."""
    nibabel = needs("nibabel", "images")
    head = file.read(NIFTI2)
    file.seek(0)
    second = NIFTI2 in (int.from_bytes(head[:4], order) for order in ("little", "big"))
    kind = nibabel.Nifti2Image if second else nibabel.Nifti1Image
    header = kind.header_class(head[: kind.header_class.sizeof_hdr], check=False)
    start = float(header["vox_offset"])
    if not start <= LONGEST_HEADER:
        raise ValueError(f"its header claims {start:.0f} bytes, more than {LONGEST_HEADER}")
    if path.suffix in (".hdr", ".img") and header["magic"].tobytes()[:3] in PAIRS:
        beside(path, path.with_suffix(".img").name)
        return nibabel.load(path)
    holder = nibabel.FileHolder(fileobj=file)
    return kind.from_file_map({"image": holder, "header": holder})


def from_xyz(stored: np.ndarray, affine: np.ndarray) -> tuple[np.ndarray, np.ndarray, bool]:
    """Bring ``(x, y)``, ``(x, y, z)`` or colour values with their affine to our axes."""
    if stored.dtype.names:
        colours = [stored[name] for name in stored.dtype.names if name in "RGB"]
        array = np.stack(colours)
    else:
        array = stored[None]
    array = array.reshape(*array.shape, *(1,) * (4 - array.ndim)).transpose(0, 3, 2, 1)
    affine = affine[:, [2, 1, 0, 3]]
    usable = is_usable(affine)
    if usable and array.shape[1] > 1:
        array, affine = reorient(array, affine)
    return array, affine, usable


def _choose_volume(shape: Sequence[int], volume: int | None, where: str) -> tuple[int, ...]:
    """Give the indices after the third axis that leave one volume."""
    rest = shape[3:]
    many = [side for side in rest if side > 1]
    if len(shape) < 2 or len(many) > 1:
        raise ValueError(f"{where} has the shape {tuple(shape)}; an image has 2 or 3 axes")
    if not many:
        return (0,) * len(rest)
    if volume is None or not 0 <= volume < many[0]:
        raise ChoiceNeeded(
            f"{where} holds {many[0]} volumes (shape {tuple(shape)}); choose one with "
            f"volume=0 to {many[0] - 1}, got {volume}",
            "volume",
            {number: f"volume {number}" for number in range(many[0])},
        )
    return tuple(volume if side > 1 else 0 for side in rest)


def _check_length(path: Path, header: Any, shape: Sequence[int], itemsize: int) -> None:
    """Compare what the header promises with the file's length, before memory is taken."""
    promised = int(np.prod([int(side) for side in shape], dtype=object)) * itemsize
    data = path.with_suffix(".img") if path.suffix == ".hdr" else path
    held = data.stat().st_size if data.is_file() else 0
    if _is_gzip(data):
        held *= MOST_GZIP
    if promised > held:
        raise ValueError(
            f"{path.name} promises {promised} bytes of pixels for its shape {tuple(shape)} and can "
            "hold fewer: it is cut short, or its header lies"
        )


def _is_gzip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == gzip.compress(b"")[:2]


def save_nifti(values: Any, like: OpenedImage, path: str | Path) -> None:
    """Write a map on the grid of the image it belongs to.

    Parameters
    ----------
    values
        ``ATEMap``, or an array of the spatial shape of ``like``, in points or other units; NaN
        stays NaN.
    like
        Opened image or slice that the values belong to.
    path
        Where to write: a name that ends in ``.nii`` or ``.nii.gz``.

    Raises
    ------
    ValueError
        When the shapes differ or the name is no NIfTI name.
    """
    pixels = values.to_image() if hasattr(values, "to_image") else values
    array = np.asarray(pixels, dtype=np.float32)
    if array.shape != like.spatial:
        raise ValueError(f"the values have shape {array.shape}, the image {like.spatial}")
    write_volume(array, like.affine, path, like.oriented)
