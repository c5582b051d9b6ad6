"""DICOM: values against pydicom's raw pixels and hand-made series whose answers are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
from image_files import SLICE, dicom_slice, write_dicom, write_series
from numpy.testing import assert_allclose
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from pdcr_widgets.images import open_image

MOVED_TO_FRAMES = (
    "ImageOrientationPatient",
    "ImagePositionPatient",
    "PixelSpacing",
    "RescaleIntercept",
    "RescaleSlope",
)


def vendor(name: str) -> Path:
    """Give a file that pydicom ships."""
    return Path(str(get_testdata_file(name, download=False)))


def test_a_slice_is_in_hounsfield_units_with_its_place(tmp_path: Path) -> None:
    opened = open_image(write_dicom(dicom_slice(height=7), tmp_path / "a.dcm"))
    assert_allclose(opened.array, SLICE[None] * 2.0 - 1000)
    assert opened.spacing == (0.5, 0.75)
    assert opened.orientation == "PL"
    assert opened.window == (-160, 240)
    assert opened.modality == "CT"
    assert opened.affine is not None
    assert_allclose(opened.affine @ [0, 0, 0, 1], [10, 20, 7, 1])
    assert_allclose(opened.affine @ [0, 2, 4, 1], [10 - 3, 20 - 1, 7, 1])


@pytest.mark.parametrize(
    "name",
    [
        "MR_small_RLE.dcm",
        "MR_small_jp2klossless.dcm",
        "MR_small_jpeg_ls_lossless.dcm",
        "MR_small_bigendian.dcm",
        "MR_small_implicit.dcm",
        "MR_small_padded.dcm",
    ],
)
def test_every_transfer_syntax_gives_the_same_values(name: str) -> None:
    plain = open_image(vendor("MR_small.dcm"))
    again = open_image(vendor(name))
    assert_allclose(again.array, plain.array)
    assert again.spacing == plain.spacing


def test_values_are_those_of_the_raw_pixels() -> None:
    data = pydicom.dcmread(vendor("CT_small.dcm"))
    raw = np.frombuffer(data.PixelData, dtype="<i2").reshape(1, data.Rows, data.Columns)
    opened = open_image(vendor("CT_small.dcm"))
    assert_allclose(opened.array, raw * float(data.RescaleSlope) + float(data.RescaleIntercept))


def test_colour_is_three_channels() -> None:
    opened = open_image(vendor("SC_rgb_rle.dcm"))
    expected = pydicom.dcmread(vendor("SC_rgb_rle.dcm")).pixel_array
    assert_allclose(opened.array, np.moveaxis(expected, -1, 0))


def test_monochrome1_is_turned_so_that_more_is_brighter(tmp_path: Path) -> None:
    data = dicom_slice(PhotometricInterpretation="MONOCHROME1", BitsStored=8, HighBit=7)
    opened = open_image(write_dicom(data, tmp_path / "a.dcm"))
    assert_allclose(opened.array, (255.0 - SLICE[None]) * 2 - 1000)
    assert opened.window == (-2000 + 510 - 240, -2000 + 510 + 160)
    assert "MONOCHROME1" in opened.notes[0]


def test_a_folder_is_sorted_by_position_not_by_name(tmp_path: Path) -> None:
    write_series(tmp_path, heights=[6, 0, 9, 3])
    opened = open_image(tmp_path)
    assert_allclose(opened.array[0, :, 0, 0], (np.array([0, 3, 6, 9]) + 100) * 2.0 - 1000)
    assert opened.spacing == (3, 0.5, 0.75)
    assert opened.orientation == "SPL"
    assert opened.notes == ()
    assert_allclose(open_image(sorted(tmp_path.iterdir(), reverse=True)).array, opened.array)


def test_a_missing_slice_is_told(tmp_path: Path) -> None:
    write_series(tmp_path, heights=[0, 3, 6, 12])
    assert "3 to 6 mm apart" in open_image(tmp_path).notes[0]


def test_slices_without_positions_are_sorted_by_number(tmp_path: Path) -> None:
    write_series(tmp_path, heights=[2, 1, 0], ImagePositionPatient=None)
    opened = open_image(tmp_path)
    assert_allclose(opened.array[0, :, 0, 0], np.array([102, 101, 100]) * 2.0 - 1000)
    assert opened.orientation == ""


def test_two_series_in_a_folder_must_be_chosen_between(tmp_path: Path) -> None:
    write_series(tmp_path / "a", heights=[0, 1], SeriesInstanceUID="1.2.3")
    write_series(tmp_path / "b", heights=[0, 1, 2], SeriesInstanceUID="1.2.4")
    with pytest.raises(ValueError, match=r"2 series; choose one with series=: 1\.2\.3 \(2\)"):
        open_image(tmp_path)
    assert open_image(tmp_path, series="1.2.4").spatial == (3, 5, 6)
    with pytest.raises(ValueError, match=r"no series '9'"):
        open_image(tmp_path, series="9")


def test_slices_that_make_no_volume_are_refused(tmp_path: Path) -> None:
    write_series(tmp_path / "moments", heights=[0, 0, 3])
    with pytest.raises(ValueError, match="4-D where 3-D is meant"):
        open_image(tmp_path / "moments")
    write_series(tmp_path / "tilted", heights=[0, 3])
    tilted = dicom_slice(height=6, ImageOrientationPatient=[0, 1, 0, 0, 0, 1])
    write_dicom(tilted, tmp_path / "tilted" / "9.dcm")
    with pytest.raises(ValueError, match="not parallel"):
        open_image(tmp_path / "tilted")
    write_series(tmp_path / "sizes", heights=[0, 3])
    write_dicom(dicom_slice(SLICE[:4].astype(np.uint16), 6), tmp_path / "sizes" / "9.dcm")
    with pytest.raises(ValueError, match="different shapes"):
        open_image(tmp_path / "sizes")


def enhanced(heights: list[float]) -> Dataset:
    """Multi-frame file whose frames each have a place and a slope."""
    pixels = np.stack([np.full((5, 6), 10 + i, dtype=np.uint16) for i in range(len(heights))])
    data = dicom_slice(pixels, NumberOfFrames=len(heights))
    for name in MOVED_TO_FRAMES:
        delattr(data, name)
    measures, plane, shared = Dataset(), Dataset(), Dataset()
    measures.PixelSpacing, measures.SliceThickness = [0.5, 0.75], 9
    plane.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    shared.PixelMeasuresSequence = Sequence([measures])
    shared.PlaneOrientationSequence = Sequence([plane])
    frames = []
    for number, height in enumerate(heights, start=1):
        frame, place, values = Dataset(), Dataset(), Dataset()
        place.ImagePositionPatient = [-10, -20, height]
        values.RescaleSlope, values.RescaleIntercept, values.RescaleType = number, 0, "US"
        frame.PlanePositionSequence = Sequence([place])
        frame.PixelValueTransformationSequence = Sequence([values])
        frames.append(frame)
    data.SharedFunctionalGroupsSequence = Sequence([shared])
    data.PerFrameFunctionalGroupsSequence = Sequence(frames)
    return data


def test_a_multi_frame_file_has_the_place_and_slope_of_each_frame(tmp_path: Path) -> None:
    opened = open_image(write_dicom(enhanced([0, 2, 4]), tmp_path / "a.dcm"))
    assert_allclose(opened.array[0, :, 0, 0], [10 * 1, 11 * 2, 12 * 3])
    assert opened.spacing == (2, 0.5, 0.75)
    assert opened.orientation == "SPL"
    downwards = open_image(write_dicom(enhanced([4, 2, 0]), tmp_path / "b.dcm"))
    assert downwards.orientation == "IPL"
    with pytest.raises(ValueError, match="not one stack"):
        open_image(write_dicom(enhanced([0, 4, 2]), tmp_path / "c.dcm"))


def test_a_file_without_an_image_says_what_it_is() -> None:
    with pytest.raises(ValueError, match=r"without an image \(RT Plan Storage\)"):
        open_image(vendor("rtplan.dcm"))


def test_a_spacing_of_zero_is_refused_unless_the_user_knows_better(tmp_path: Path) -> None:
    path = write_dicom(dicom_slice(PixelSpacing=[0, 0.75]), tmp_path / "a.dcm")
    with pytest.raises(ValueError, match=r"spacing of \(3\.0, 0\.0, 0\.75\) mm.*spacing="):
        open_image(path)
    assert open_image(path, spacing=(0.4, 0.6)).spacing == pytest.approx((0.4, 0.6))


def test_a_header_that_promises_too_much_is_refused_at_once(tmp_path: Path) -> None:
    path = write_dicom(
        dicom_slice(Rows=65535, Columns=65535, NumberOfFrames=30_000), tmp_path / "a.dcm"
    )
    with pytest.raises(ValueError, match=r"\(30000, 65535, 65535, 1\), more than the limit"):
        open_image(path)


def test_nothing_that_names_a_patient_is_kept(tmp_path: Path) -> None:
    data = dicom_slice(PatientName="Doe^Jane", PatientID="4711", InstitutionName="Somewhere")
    opened = open_image(write_dicom(data, tmp_path / "a.dcm"))
    told = f"{dict(opened.provenance)} {opened.notes} {opened!r}"
    assert not any(word in told for word in ("Doe", "4711", "Somewhere"))
