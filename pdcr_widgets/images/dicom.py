"""DICOM files of one or many frames, through pydicom and its decoder plugins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from pdcr_widgets.causal.needs import needs
from pdcr_widgets.images.dicom_geometry import frame_affine, frames_affine, functional_groups
from pdcr_widgets.images.dicom_limits import DicomFile, check_elements, check_pixels
from pdcr_widgets.images.opened import OpenedImage, finished
from pdcr_widgets.images.request import Request, decoding

USED = (
    "SOPClassUID",
    "Modality",
    "SeriesInstanceUID",
    "Rows",
    "Columns",
    "NumberOfFrames",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "InstanceNumber",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "SliceThickness",
)


def read_dicom(path: Path, request: Request) -> OpenedImage:
    """Read a file: values rescaled as it says, MONOCHROME1 turned so that more is brighter."""
    dataset, said = read_header(path, pixels=True)
    check_is_image(dataset, path.name)
    request.check_size(pixel_shape(dataset, path.name), path.name)
    array, window, more = pixels(dataset, path.name)
    affine = frames_affine(dataset, path.name)
    oriented = affine is not None
    if affine is None:
        affine = frame_affine(dataset, path.name)
        oriented = affine is not None and "ImagePositionPatient" in dataset
    if array.shape[1] > 1 and "NumberOfFrames" in dataset and not oriented:
        more = [*more, "the frames have no positions: they may be moments, not places"]
    return finished(
        array,
        path.name,
        request.spacing,
        affine,
        window,
        oriented,
        modality=str(dataset.get("Modality", "")),
        provenance=facts(dataset),
        notes=(*said, *more),
    )


def read_header(path: Path, pixels: bool = False) -> tuple[Any, list[str]]:
    """Parse a file, with or without its pixels; what is used of it is decoded here."""
    pydicom = needs("pydicom", "images")
    with decoding(path.name, "DICOM") as said, DicomFile(path) as file:
        try:
            dataset = pydicom.dcmread(file, force=True, stop_before_pixels=not pixels)
        finally:
            file.check_paid()  # pydicom takes a refusal for the end of the file
        if not len(dataset):
            raise ValueError("it holds no DICOM elements")
        check_elements(dataset)
        for name in USED:
            dataset.get(name)
    return dataset, said


def check_is_image(dataset: Any, where: str) -> None:
    """Refuse reports, plans and other files without pixels."""
    missing = [name for name in ("Rows", "Columns", "PixelData") if name not in dataset]
    if "FloatPixelData" in dataset or "DoubleFloatPixelData" in dataset:
        missing = [name for name in missing if name != "PixelData"]
    if missing:
        kind = getattr(dataset.get("SOPClassUID"), "name", "") or "of unknown kind"
        raise ValueError(f"{where} is a DICOM file without an image ({kind}): no {missing[0]}")


def pixel_shape(dataset: Any, where: str) -> tuple[int, int, int, int]:
    """Frames, rows, columns and samples that a header promises."""
    with decoding(where, "DICOM"):
        frames = int(dataset.get("NumberOfFrames") or 1)
        samples = int(dataset.get("SamplesPerPixel") or 1)
        return frames, int(dataset.Rows), int(dataset.Columns), samples


def pixels(dataset: Any, where: str) -> tuple[np.ndarray, tuple[float, float] | None, list[str]]:
    """Give (channels, frames, rows, columns) in real units, the display window, and notes."""
    decode = needs("pydicom.pixels", "images")
    shape = pixel_shape(dataset, where)
    frames, rows, columns, _ = shape
    with decoding(where, "DICOM pixels") as said:
        check_pixels(dataset, where, shape)
        kind = str(dataset.get("PhotometricInterpretation", "MONOCHROME2"))
        values = decode.pixel_array(dataset)
        if kind == "PALETTE COLOR":
            values = decode.apply_color_lut(values, dataset)
        values = values.reshape(frames, rows, columns, -1)
    if values.shape[-1] > 1:
        return np.moveaxis(values[..., :3], -1, 0), None, said
    with decoding(where, "DICOM values") as more:
        grey = _rescaled(values[..., 0], dataset, decode)
        window = _window(dataset)
        if kind == "MONOCHROME1":
            ends = np.array([[_extremes(dataset)]])
            total = float(_rescaled(ends, dataset, decode)[0].sum())
            grey, window = total - grey, window and (total - window[1], total - window[0])
            more.append("MONOCHROME1: values were mirrored, so that more is brighter")
    return grey[None], window, [*said, *more]


def _extremes(dataset: Any) -> tuple[int, int]:
    """Lowest and highest value that can be stored."""
    bits, signed = int(dataset.BitsStored), int(dataset.get("PixelRepresentation") or 0)
    return (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)


def _rescaled(values: np.ndarray, dataset: Any, decode: Any) -> np.ndarray:
    """Apply the slope and intercept of the file, or of each frame."""
    per_frame = functional_groups(dataset, "PixelValueTransformationSequence")
    if per_frame is None:
        return np.asarray(decode.apply_modality_lut(values, dataset))
    slopes = np.array([float(group.RescaleSlope) for group in per_frame])
    intercepts = np.array([float(group.RescaleIntercept) for group in per_frame])
    return values * slopes[:, None, None] + intercepts[:, None, None]


def _window(dataset: Any) -> tuple[float, float] | None:
    """First window of the file, in rescaled units."""
    source = dataset
    groups = functional_groups(dataset, "FrameVOILUTSequence")
    if groups:
        source = groups[0]
    centre, width = source.get("WindowCenter"), source.get("WindowWidth")
    if centre is None or width is None:
        return None
    middle, size = (float(np.ravel(np.array(value, dtype=float))[0]) for value in (centre, width))
    if not np.isfinite([middle, size]).all() or size <= 0:
        return None
    return middle - size / 2, middle + size / 2


def facts(dataset: Any) -> dict[str, Any]:
    """Give what may be kept of where an image came from: nothing that names a patient."""
    syntax = getattr(getattr(dataset, "file_meta", None), "TransferSyntaxUID", None)
    return {
        "format": "DICOM",
        "transfer_syntax": getattr(syntax, "name", "unknown"),
        "photometric": str(dataset.get("PhotometricInterpretation", "")),
        "series": str(dataset.get("SeriesInstanceUID", "")),
    }
