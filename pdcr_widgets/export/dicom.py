"""A map over its image as a DICOM secondary capture, for archives and viewers of a hospital."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pdcr_widgets.causal import ATEMap
from pdcr_widgets.causal.colors import COLORMAPS, REGION_COLOR, blend, border, color_effects
from pdcr_widgets.causal.needs import needs
from pdcr_widgets.images import OpenedImage

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
PATIENT = {
    "PatientName": "", "PatientID": "", "PatientBirthDate": "", "PatientSex": "",
    "StudyInstanceUID": None, "StudyDate": "", "StudyTime": "", "ReferringPhysicianName": "",
    "StudyID": "", "AccessionNumber": "",
}  # fmt: skip
"""What is taken from a source file, and what stands there without one."""


def write_dicom(
    ate: ATEMap,
    path: Path,
    *,
    image: Any = None,
    limit: float | None = None,
    spacing: Sequence[float] | None = None,
    source: str | Path | None = None,
    colormap: str = "red-blue",
    opacity: float = 0.85,
) -> None:
    """Write the map over its image as a colour secondary capture, one pixel per pixel.

    Parameters
    ----------
    ate
        Of a slice.
    path
        Where to.
    image
        ``(channels, H, W)`` or ``(H, W)`` numbers, or an opened image, drawn in grey under the map.
    limit
        Points at the ends of the colour scale; None takes the map's extreme. It is in the comment.
    spacing
        Millimetres per row and column; an opened image brings its own.
    source
        A DICOM file of the same study, whose patient and study are taken over, so that the capture
        is filed beside it. Without one it names nobody and makes a study of its own.
    colormap
        A key of `COLORMAPS`.
    opacity
        Of the map, 0..1.

    Raises
    ------
    ValueError
        The map is not of a slice, or image, limit or spacing do not fit it.
    ImportError
        pydicom is not installed.
    """
    if not isinstance(ate, ATEMap) or len(ate.spatial) != 2:
        raise ValueError("a DICOM capture holds the map of one slice; save others as .nii or .npz")
    pydicom = needs("pydicom", "images")
    uid = needs("pydicom.uid", "images")
    limit = limit if limit is not None else (float(np.nanmax(np.abs(ate.effect))) or 1.0)
    if not limit > 0 or colormap not in COLORMAPS:
        raise ValueError(
            f"limit is above 0 points and colormap one of {list(COLORMAPS)}, got {limit} and "
            f"{colormap!r}"
        )
    data = pydicom.Dataset()
    data.SpecificCharacterSet = "ISO_IR 192"
    for name, value in _patient(pydicom, source).items():
        setattr(data, name, uid.generate_uid() if value is None else value)
    _describe(data, ate, limit, uid)
    _put_pixels(data, _picture(ate, image, limit, colormap, opacity))
    steps = getattr(image, "spacing", None) if spacing is None else spacing
    if steps is not None:
        if len(steps) != 2 or not all(step > 0 for step in steps):
            raise ValueError(f"spacing is (row, column) in mm and above 0, got {tuple(steps)}")
        data.PixelSpacing = [f"{step:.10g}" for step in steps]
    data.file_meta = pydicom.dataset.FileMetaDataset()
    data.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    data.save_as(path, enforce_file_format=True)


def _patient(pydicom: Any, source: str | Path | None) -> Mapping[str, Any]:
    """Patient and study of a source file."""
    if source is None:
        return PATIENT
    try:
        found = pydicom.dcmread(source, stop_before_pixels=True)
    except pydicom.errors.InvalidDicomError as error:
        raise ValueError(f"source {Path(source).name!r} is not a DICOM file: {error}") from error
    return {name: found.get(name, value) for name, value in PATIENT.items()}


def _describe(data: Any, ate: ATEMap, limit: float, uid: Any) -> None:
    """Series, equipment, and what is shown, in words."""
    now = datetime.datetime.now()
    data.Modality, data.ConversionType = "OT", "WSD"
    data.SeriesInstanceUID, data.SOPInstanceUID = uid.generate_uid(), uid.generate_uid()
    data.SOPClassUID, data.ImageType = SECONDARY_CAPTURE, ["DERIVED", "SECONDARY"]
    data.SeriesNumber = data.InstanceNumber = 1
    data.SeriesDescription = "Effects of image patches on a segmentation"
    data.ContentDate, data.ContentTime = now.strftime("%Y%m%d"), now.strftime("%H%M%S")
    data.PatientOrientation = ""
    data.SecondaryCaptureDeviceManufacturer = "pdcr_widgets"
    data.SecondaryCaptureDeviceSoftwareVersions = str(
        ate.recipe.get("environment", {}).get("pdcr_widgets", "unknown")
    )
    data.BurnedInAnnotation = "NO"
    told = ate.summary()
    data.DerivationDescription = "Map of average treatment effects drawn over an image"
    data.ImageComments = (
        f"Not for diagnosis. Red: the patch supports the segmentation in the outlined region, "
        f"blue: it harms it; colours from -{limit:g} to +{limit:g} points. Outcome "
        f"{ate.recipe.get('outcome', 'unknown')} {ate.base:.2f} of 100, patches of "
        f"{ate.patch_size} pixels, supporting {told['supporting']:.1%}, harming "
        f"{told['harming']:.1%}. Image SHA-256 {ate.recipe.get('image', 'unknown')}, model SHA-256 "
        f"{ate.recipe.get('model', 'unknown')}."
    )


def _put_pixels(data: Any, picture: np.ndarray) -> None:
    data.SamplesPerPixel, data.PhotometricInterpretation, data.PlanarConfiguration = 3, "RGB", 0
    data.Rows, data.Columns = picture.shape[:2]
    data.BitsAllocated = data.BitsStored = 8
    data.HighBit, data.PixelRepresentation = 7, 0
    pixels = picture.tobytes()
    data.PixelData = pixels + b"\0" * (len(pixels) % 2)
    data["PixelData"].VR = "OB"


def _picture(ate: ATEMap, image: Any, limit: float, colormap: str, opacity: float) -> np.ndarray:
    """Give ``(H, W, 3)`` bytes: grey image, coloured effects, outlined region."""
    below = np.full((*ate.spatial, 3), 255.0)
    if image is not None:
        values = np.asarray(image, dtype=np.float64)
        grey = values.mean(axis=0) if values.ndim == 3 else values
        if grey.shape != ate.spatial:
            raise ValueError(f"image is {grey.shape}, the map is of {ate.spatial} pixels")
        window = image.window if isinstance(image, OpenedImage) else (grey.min(), grey.max())
        scaled = (grey - window[0]) / max(float(window[1] - window[0]), 1e-12)
        below = np.repeat(255 * np.clip(scaled, 0, 1)[..., None], 3, axis=2)
    effects = ate.to_image(color_effects(ate.effect, limit, colormap))
    over = blend(below, effects[..., :3], effects[..., 3] * opacity)
    outlined = np.where(border(ate.region, 1)[..., None], REGION_COLOR, over)
    return outlined.round().astype(np.uint8)
