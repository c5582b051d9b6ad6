"""Small DICOM files, and folders, that ask for much work or memory are refused at once."""

from __future__ import annotations

import io
import struct
import zlib
from functools import cache
from pathlib import Path
from typing import Any

import pydicom
import pytest
from heavy_pictures import encoded
from image_files import WIDE, dicom_slice, write_dicom
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, JPEG2000Lossless

from pdcr_widgets.images import open_image
from pdcr_widgets.images.series import MOST_FILES


def element(group: int, number: int, kind: bytes, value: bytes = b"") -> bytes:
    length = (
        struct.pack("<HI", 0, len(value))
        if kind in (b"SQ", b"UC")
        else struct.pack("<H", len(value))
    )
    return struct.pack("<HH", group, number) + kind + length + value


def written(**tags: Any) -> bytes:
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, dicom_slice(**tags), enforce_file_format=True)
    return buffer.getvalue()


ITEM = struct.pack("<HHI", 0xFFFE, 0xE000, 0)
ENDLESS = b"SQ\0\0\xff\xff\xff\xff"


@cache
def dicoms() -> dict[str, bytes]:
    """DICOM files with endless parts."""
    good = written()
    pixels = good.index(struct.pack("<HH", 0x7FE0, 0x10))
    place = good.index(struct.pack("<HH", 0x20, 0x32))
    length = struct.unpack_from("<H", good, place + 6)[0]
    private = b"".join(element(0x29, 0x1000 + n, b"LO") for n in range(60_000))
    nested = (
        struct.pack("<HH", 0x40, 0xA730) + ENDLESS + struct.pack("<HHI", 0xFFFE, 0xE000, 2**32 - 1)
    )
    closing = struct.pack("<HHI", 0xFFFE, 0xE00D, 0) + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    items = struct.pack("<HH", 0x40, 0xA730) + ENDLESS + ITEM * 300_000

    def with_parts(parts: bytes) -> bytes:
        return good[:pixels] + parts + good[pixels:]

    return {
        "zeros.dcm": bytes(128) + b"DICM" + bytes(5_000_000),
        "private.dcm": with_parts(private * 4),
        "nested.dcm": with_parts(nested * 5000 + closing * 5000),
        "items.dcm": with_parts(items),
        "frames.dcm": with_parts(element(0x5200, 0x9230, b"SQ", ITEM * 300_000)),
        "numbers.dcm": good[:place]
        + element(0x20, 0x32, b"UC", b"1\\" * 1_000_000)
        + good[place + 8 + length :],
        "deflated.dcm": deflated(good[:pixels], good[pixels:]),
    }


def deflated(start: bytes, end: bytes) -> bytes:
    """The two parts with a gigabyte of zeros between them."""
    meta = 144 + struct.unpack_from("<I", start, 140)[0]
    packing = zlib.compressobj(9, wbits=-15)
    gap = struct.pack("<HH", 0x49, 0x1000) + b"UN\0\0" + struct.pack("<I", 2**29)
    parts = [packing.compress(start[meta:] + gap)]
    parts += [packing.compress(bytes(2**22)) for _ in range(2**7)]
    parts += [packing.compress(end), packing.flush()]
    data = dicom_slice()
    data.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, data, enforce_file_format=True)
    head = buffer.getvalue()
    return head[: 144 + struct.unpack_from("<I", head, 140)[0]] + b"".join(parts)


@pytest.mark.parametrize("name", list(dicoms()))
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_dicom_file_of_endless_parts(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(dicoms()[name])
    with pytest.raises(ValueError, match=f"{name} cannot be read as DICOM"):
        open_image(path)


def test_compressed_dicom_pixels_of_another_size(tmp_path: Path) -> None:
    whole = encoded("JPEG2000", 3000)
    stream = whole[whole.index(b"\xff\x4f\xff\x51") :]
    data = dicom_slice(WIDE, BitsAllocated=8, BitsStored=8, HighBit=7)
    data.file_meta.TransferSyntaxUID = JPEG2000Lossless
    data.PixelData = pydicom.encaps.encapsulate([stream])
    path = write_dicom(data, tmp_path / "a.dcm")
    with pytest.raises(ValueError, match=r"promises 5 x 6 pixels and holds .* 3000 x 3000"):
        open_image(path)
    data.PixelData = pydicom.encaps.encapsulate([b"\0\0"] * 60_000)
    with pytest.raises(ValueError, match="in more pieces than 1 frames explain"):
        open_image(write_dicom(data, path))


def test_an_enhanced_file_of_many_frames_is_no_bomb(tmp_path: Path) -> None:
    frames = 400
    groups = []
    for number in range(frames):
        frame, plane, measures, turn = (pydicom.Dataset() for _ in range(4))
        plane.ImagePositionPatient = [0, 0, number]
        measures.PixelSpacing, measures.SliceThickness = [1, 1], 1
        turn.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        frame.PlanePositionSequence, frame.PixelMeasuresSequence = [plane], [measures]
        frame.PlaneOrientationSequence = [turn]
        groups.append(frame)
    data = dicom_slice(NumberOfFrames=frames, PixelData=bytes(60 * frames))
    data.PerFrameFunctionalGroupsSequence = groups
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    opened = open_image(write_dicom(data, tmp_path / "a.dcm"))
    assert opened.spacing == (1, 1, 1)
    assert opened.spatial == (frames, 5, 6)


def test_a_folder_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOST_FILES == 20_000
    monkeypatch.setattr("pdcr_widgets.images.series.MOST_FILES", 30)
    for number in range(20):
        (tmp_path / f"{number}.txt").touch()
    with pytest.raises(ValueError, match="holds no DICOM images"):
        open_image(tmp_path)
    (tmp_path / "loop").symlink_to(tmp_path)
    with pytest.raises(ValueError, match="holds no DICOM images"):
        open_image(tmp_path)
    for number in range(20):
        (tmp_path / f"sub{number}").mkdir()
    with pytest.raises(ValueError, match="over 30 files and folders"):
        open_image(tmp_path)
