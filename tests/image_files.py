"""Small image files of every format, written by the libraries of the field."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import SimpleITK as itk
import tifffile
from PIL import Image
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

VOLUME = np.arange(4 * 5 * 6, dtype=np.int16).reshape(4, 5, 6)
SLICE = (np.arange(5 * 6) * 8 % 256).astype(np.uint8).reshape(5, 6)
WIDE = SLICE.astype(np.uint16)
AFFINE = np.array([[-2.0, 0, 0, 30], [0, 0, 1.5, -20], [0, 3.0, 0, 10], [0, 0, 0, 1]])
SERIES = generate_uid(entropy_srcs=["series"])


def dicom_slice(
    pixels: np.ndarray = WIDE,
    height: float = 0.0,
    series: str = SERIES,
    **tags: object,
) -> FileDataset:
    """CT slice of 0.5 mm rows and 0.75 mm columns, ``height`` mm above the origin."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
    data.Modality, data.SeriesInstanceUID = "CT", series
    data.Rows, data.Columns = pixels.shape[-2:]
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated = data.BitsStored = 16
    data.HighBit, data.PixelRepresentation = 15, 0
    data.RescaleSlope, data.RescaleIntercept = 2, -1000
    data.WindowCenter, data.WindowWidth = 40, 400
    data.PixelSpacing, data.SliceThickness = [0.5, 0.75], 3
    data.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    data.ImagePositionPatient = [-10, -20, height]
    data.PixelData = pixels.astype("<u2").tobytes()
    for name, value in tags.items():
        if value is None:
            delattr(data, name)
        else:
            setattr(data, name, value)
    return data


def write_dicom(data: Dataset, path: Path) -> Path:
    """Save a data set as a file with preamble and meta information."""
    pydicom.dcmwrite(path, data, enforce_file_format=True)
    return path


def write_series(folder: Path, heights: Sequence[float], **tags: object) -> list[Path]:
    """Slices whose values are their height, in files whose names say nothing about order."""
    folder.mkdir(exist_ok=True)
    paths = []
    for number, height in enumerate(heights):
        pixels = np.full((5, 6), height + 100, dtype=np.uint16)
        data = dicom_slice(pixels, height, **{"InstanceNumber": number, **tags})
        paths.append(write_dicom(data, folder / f"{number}.dcm"))
    return paths


def write_itk(path: Path) -> Path:
    """Volume with a direction, a spacing and an origin of its own."""
    image = itk.GetImageFromArray(VOLUME)
    image.SetSpacing((0.5, 0.75, 3.0))
    image.SetDirection((0, -1, 0, 1, 0, 0, 0, 0, 1))
    image.SetOrigin((10, -20, 30))
    itk.WriteImage(image, str(path), useCompression=False)
    return path


def write_nifti(path: Path) -> Path:
    """Coronal volume."""
    nibabel.save(nibabel.Nifti1Image(VOLUME, AFFINE), path)
    return path


def write_npy(path: Path) -> Path:
    """Volume as a bare array."""
    np.save(path, VOLUME)
    return path


def write_npz(path: Path) -> Path:
    """Archive of one array."""
    np.savez_compressed(path, volume=VOLUME)
    return path


def write_picture(path: Path) -> Path:
    """Grey picture, in the format of the name."""
    Image.fromarray(SLICE).save(path)
    return path


def write_tiff(path: Path) -> Path:
    """Stack of pages, compressed."""
    tifffile.imwrite(path, VOLUME, compression="zlib", photometric="minisblack")
    return path


FILES: dict[str, Callable[[Path], Path]] = {
    "ct.dcm": lambda path: write_dicom(dicom_slice(), path),
    "volume.nii": write_nifti,
    "volume.nii.gz": write_nifti,
    "volume.nrrd": write_itk,
    "volume.mha": write_itk,
    "array.npy": write_npy,
    "array.npz": write_npz,
    "picture.png": write_picture,
    "picture.jpg": write_picture,
    "picture.bmp": write_picture,
    "stack.tif": write_tiff,
}
