"""Pictures: PNG, JPEG, BMP and GIF through Pillow, TIFF through tifffile."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from pdcr_widgets.causal.needs import needs
from pdcr_widgets.images.jpeg_stream import Streams
from pdcr_widgets.images.metered import MOST_READS, MeteredFile
from pdcr_widgets.images.opened import OpenedImage, finished
from pdcr_widgets.images.request import Request, decoding
from pdcr_widgets.images.tiff_ome import check_description
from pdcr_widgets.images.tiff_pages import PageCount
from pdcr_widgets.images.tiff_pieces import check_pieces

# Of these layouts the pages themselves are read: their own descriptions are long, rare, or lead to
# other files.
AS_PAGES = (
    *("is_avs", "is_bif", "is_eer", "is_fluoview", "is_mmstack", "is_ndpi", "is_ndtiff", "is_nih"),
    *("is_philips", "is_qpi", "is_scanimage", "is_scn", "is_sis"),
)
FORMATS = ("PNG", "JPEG", "BMP", "GIF")
LONGEST_START = 2**23  # bytes before the pixels of a picture
PLAIN = {
    "1": "L",
    "P": "RGB",
    "PA": "RGBA",
    "CMYK": "RGB",
    "YCbCr": "RGB",
    "LAB": "RGB",
    "HSV": "RGB",
}


def read_picture(path: Path, request: Request) -> OpenedImage:
    """Read one picture; a rotation noted by the camera is applied, an opaque alpha is dropped."""
    pillow = needs("PIL.Image", "images")
    Streams(path.name).add(path.read_bytes())
    with MeteredFile(path, length=LONGEST_START) as file:
        with decoding(path.name, "a picture") as said:
            picture = pillow.open(file, formats=FORMATS)
            size, bands = picture.size[::-1], pillow.getmodebands(_mode(picture))
            file.lift_length()
        request.check_size((bands, *size), path.name)
        with decoding(path.name, "a picture") as more:
            values = _values(picture)
            several = bool(getattr(picture, "is_animated", False))
    array, notes = without_alpha(np.moveaxis(values, -1, 0) if values.ndim == 3 else values[None])
    if several:
        notes.append("the first of several frames")
    facts = {"format": picture.format, "shape": size}
    return finished(
        array, path.name, request.spacing, provenance=facts, notes=(*said, *more, *notes)
    )


def _mode(picture: Any) -> str:
    """Kind of values that a picture is read as."""
    mode = PLAIN.get(picture.mode, picture.mode)
    return "RGBA" if mode == "RGB" and "transparency" in picture.info else str(mode)


def _values(picture: Any) -> np.ndarray:
    """Decode to grey or colour values; a palette of greys is grey."""
    upright = needs("PIL.ImageOps", "images").exif_transpose(picture)
    mode = _mode(upright)
    values = np.asarray(upright.convert(mode) if mode != upright.mode else upright)
    if upright.mode == "P" and mode == "RGB" and (values == values[..., :1]).all():
        return values[..., 0]
    return values


def without_alpha(array: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Drop the alpha channel of a grey or colour picture, and say so when it was not opaque."""
    if array.shape[0] not in (2, 4) or array.dtype.kind not in "ub":
        return array, []
    opaque = bool((array[-1] == np.iinfo(array.dtype).max).all())
    return array[:-1], [] if opaque else ["transparency was dropped"]


def read_tiff(path: Path, request: Request) -> OpenedImage:
    """Read the first series of a TIFF file: one page, a stack of pages, or a volume."""
    tifffile = needs("tifffile", "images")
    flags = {name: False for name in AS_PAGES if name[3:] in tifffile.TIFF.FILE_FLAGS}
    count = PageCount()
    count.add(path)
    size = path.stat().st_size
    reads, length = min(10_000 + size // 8, MOST_READS), 2**20 + 8 * size
    with _complaints(tifffile.logger()) as logged, MeteredFile(path, reads, length) as file:
        with decoding(path.name, "TIFF") as said:
            opened = tifffile.TiffFile(file, **flags)
            check_description(opened, path, count)
            many, series = len(opened.series), opened.series[0]
            shape, axes = tuple(series.shape), str(series.axes)
            alpha = bool(getattr(series.keyframe, "extrasamples", ()))
            file.lift_limit()
        request.check_size(shape, path.name)
        with decoding(path.name, "TIFF") as more:
            check_pieces(series, path)
            values = series.asarray()
            if lost := [line for line in logged if "TiffPages" in line]:
                raise ValueError(f"pages are missing or damaged: {lost[0]}")
    array = _by_axes(values, axes, path.name)
    array, notes = without_alpha(array) if alpha else (array, [])
    if many > 1:
        notes.append(f"the first of {many} series")
    facts = {"format": "TIFF", "shape": shape, "axes": axes}
    notes = [*said, *more, *logged, *notes]
    return finished(array, path.name, request.spacing, provenance=facts, notes=tuple(notes))


@contextmanager
def _complaints(logger: logging.Logger) -> Iterator[list[str]]:
    """Collect what a library logs instead of raising."""
    heard: list[str] = []

    def listen(record: logging.LogRecord) -> bool:
        heard.append(record.getMessage())
        return False

    logger.addFilter(listen)
    try:
        yield heard
    finally:
        logger.removeFilter(listen)


def _by_axes(values: np.ndarray, axes: str, where: str) -> np.ndarray:
    """Order TIFF axes as (channels, slices, rows, columns); whatever counts pages is slices."""
    kinds = ["channel" if axis in "SC" else axis if axis in "YX" else "page" for axis in axes]
    if values.dtype.kind not in "biuf":
        raise ValueError(f"{where} holds {values.dtype} values; an image holds real numbers")
    if len(axes) != values.ndim:
        raise ValueError(f"{where} says that its axes are {axes}, and holds {values.shape} values")
    wide = [axis for axis, side in enumerate(values.shape) if side > 1 or kinds[axis] in "YX"]
    for kind in ("channel", "page"):
        if sum(kinds[axis] == kind for axis in wide) > 1 or "Y" not in kinds or "X" not in kinds:
            raise ValueError(
                f"{where} has the axes {axes} with shape {values.shape}; an image has rows, "
                "columns and at most channels and slices: give one part of it as an array"
            )
    kept = values.reshape([values.shape[axis] for axis in wide])
    names = [kinds[axis] for axis in wide]
    for kind in ("page", "channel"):
        if kind not in names:
            kept, names = kept[None], [kind, *names]
    return kept.transpose([names.index(kind) for kind in ("channel", "page", "Y", "X")])
