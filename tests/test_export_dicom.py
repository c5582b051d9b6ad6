"""The secondary capture: complete for its class, read by others, and naming nobody by itself."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent / "causal"))

from toys import Pixelwise, SmallNet, box, picture

import pdcr_widgets as pdcr

pydicom = pytest.importorskip("pydicom", reason="DICOM is written with pydicom")

SPATIAL = (21, 17)  # an odd number of bytes, which DICOM pads
REGION = box(SPATIAL, slice(8, 14), slice(4, 12))
IMAGE = picture(1, *SPATIAL)
TYPE_1 = (
    "StudyInstanceUID", "Modality", "SeriesInstanceUID", "ConversionType", "SOPClassUID",
    "SOPInstanceUID", "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "Rows",
    "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "PixelData",
    "ImageType", "SpecificCharacterSet",
)  # fmt: skip
TYPE_2 = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime",
    "ReferringPhysicianName", "StudyID", "AccessionNumber", "SeriesNumber", "InstanceNumber",
    "PatientOrientation", "ContentDate", "ContentTime",
)  # fmt: skip
"""Must be there: with a value, or perhaps without one (PS3.3, A.8.1 and its modules)."""


@pytest.fixture(scope="module")
def ate() -> Any:
    found = pdcr.ate_map(SmallNet(), IMAGE, REGION, patch_size=4, outcome="soft_dice")
    return replace(found, effect=np.where(np.abs(found.effect) < 1, 0, found.effect))


@pytest.fixture
def strict(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every value that breaks a rule of its type is an error, when written and when read."""
    config = pydicom.config
    monkeypatch.setattr(config.settings, "reading_validation_mode", config.RAISE)
    monkeypatch.setattr(config.settings, "writing_validation_mode", config.RAISE)


@pytest.mark.usefixtures("strict")
def test_it_is_a_complete_secondary_capture(ate: Any, tmp_path: Path) -> None:
    pdcr.save(ate, tmp_path / "map.dcm", image=IMAGE.numpy(), spacing=(0.5, 0.75), limit=2.0)
    data = pydicom.dcmread(tmp_path / "map.dcm")
    assert data.SOPClassUID.name == "Secondary Capture Image Storage"
    assert [name for name in TYPE_1 if not data.get(name)] == [
        "PlanarConfiguration",
        "PixelRepresentation",
    ]
    assert (data.PlanarConfiguration, data.PixelRepresentation) == (0, 0)
    assert [name for name in TYPE_2 if name not in data] == []
    assert all(element.VR != "UN" for element in data.iterall())
    assert data.file_meta.MediaStorageSOPInstanceUID == data.SOPInstanceUID
    assert "-2 to +2 points" in data.ImageComments
    assert ate.recipe["image"] in data.ImageComments
    assert str(data.PatientName) == data.PatientID == ""
    assert (tmp_path / "map.dcm").stat().st_size % 2 == 0


@pytest.mark.usefixtures("strict")
def test_our_reader_gives_the_colours_back(ate: Any, tmp_path: Path) -> None:
    pdcr.save(ate, tmp_path / "map.dcm", image=IMAGE, spacing=(0.5, 0.75))
    opened = pdcr.open_image(tmp_path / "map.dcm")
    assert opened.array.shape == (3, *SPATIAL)
    assert opened.spacing == (0.5, 0.75)
    red, green, blue = opened.array
    assert (opened.array[:, 8, 4] == (255, 214, 10)).all()  # a corner of the region
    pixels = ate.to_image()
    supports, harms = (
        np.unravel_index(find(pixels), SPATIAL) for find in (np.nanargmin, np.nanargmax)
    )
    assert red[supports] > blue[supports]
    assert blue[harms] > red[harms]
    silent = np.nan_to_num(pixels, nan=1) == 0
    assert silent.any()
    expected = 255 * (IMAGE[0] - IMAGE.min()) / (IMAGE.max() - IMAGE.min())
    np.testing.assert_allclose(green[silent], expected.numpy()[silent], atol=0.51)


@pytest.mark.usefixtures("strict")
def test_patient_and_study_come_from_a_source(ate: Any, tmp_path: Path) -> None:
    pdcr.save(ate, tmp_path / "first.dcm")
    source = pydicom.dcmread(tmp_path / "first.dcm")
    source.PatientName, source.PatientID, source.StudyDate = "Döe^Jane", "17", "20200102"
    source.save_as(tmp_path / "source.dcm")
    pdcr.save(ate, tmp_path / "map.dcm", source=tmp_path / "source.dcm")
    found = pydicom.dcmread(tmp_path / "map.dcm")
    assert (str(found.PatientName), found.PatientID, found.StudyDate) == (
        "Döe^Jane",
        "17",
        "20200102",
    )
    assert found.StudyInstanceUID == source.StudyInstanceUID
    assert found.SeriesInstanceUID != source.SeriesInstanceUID
    assert found.SOPInstanceUID != source.SOPInstanceUID


def test_an_opened_image_brings_its_window_and_spacing(ate: Any, tmp_path: Path) -> None:
    opened = pdcr.open_image(IMAGE.numpy(), spacing=(2.0, 1.0))
    pdcr.save(ate, tmp_path / "map.dcm", image=opened)
    assert pydicom.dcmread(tmp_path / "map.dcm").PixelSpacing == [2, 1]


def test_what_does_not_fit_is_refused(ate: Any, tmp_path: Path) -> None:
    path = tmp_path / "map.dcm"
    with pytest.raises(ValueError, match=r"image is \(3, 3\), the map is of \(21, 17\)"):
        pdcr.save(ate, path, image=np.zeros((3, 3)))
    with pytest.raises(ValueError, match=r"limit is above 0"):
        pdcr.save(ate, path, limit=-1.0)
    with pytest.raises(ValueError, match=r"spacing is \(row, column\)"):
        pdcr.save(ate, path, spacing=(1.0, 0.0))
    (tmp_path / "text.dcm").write_text("no DICOM")
    with pytest.raises(ValueError, match=r"source 'text\.dcm' is not a DICOM file"):
        pdcr.save(ate, path, source=tmp_path / "text.dcm")
    volume = pdcr.ate_map(
        Pixelwise(), picture(1, 4, 6, 6), (1, 1, 1, 2, 2, 2), patch_size=2, outcome="area"
    )
    with pytest.raises(ValueError, match="holds the map of one slice"):
        pdcr.save(volume, path)
    assert not path.exists()
