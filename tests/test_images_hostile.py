"""Broken and hostile files end in one clear error, at once; nothing crashes, hangs or executes."""

from __future__ import annotations

import os
import struct
import tempfile
import time
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from image_files import FILES

from pdcr_widgets.images import OpenedImage, open_image
from pdcr_widgets.images.tiff_pages import PageCount

SECONDS = 1.0  # of processor time: others may be using this machine
CASES = int(os.environ.get("FUZZ_CASES", "40"))


def opened_or_refused(path: Path) -> OpenedImage | None:
    """Open a file; a refusal must be a ValueError with words, and either must come at once."""
    began = time.process_time()
    opened, words = None, ""
    try:
        opened = open_image(path, max_pixels=1_000_000)
    except ValueError as error:
        words = str(error)
    assert time.process_time() - began < SECONDS
    assert opened is not None or path.name in words or len(words) > 30, words
    return opened


@pytest.fixture(scope="module")
def contents(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("good")
    return {name: write(folder / name).read_bytes() for name, write in FILES.items()}


@pytest.mark.parametrize("name", FILES)
def test_the_unbroken_file_opens(name: str, contents: dict[str, bytes], tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(contents[name])
    assert opened_or_refused(path) is not None


@pytest.mark.parametrize("name", FILES)
def test_a_file_cut_short(name: str, contents: dict[str, bytes], tmp_path: Path) -> None:
    path, content = tmp_path / name, contents[name]
    lengths = {int(share * len(content)) for share in np.linspace(0, 0.9, 19)}
    refused = 0
    for length in lengths:
        path.write_bytes(content[:length])
        refused += opened_or_refused(path) is None
    assert refused >= len(lengths) - 3


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("suffix", [".png", ".dcm", ".txt", ""])
def test_a_wrong_name_does_not_matter(
    name: str, suffix: str, contents: dict[str, bytes], tmp_path: Path
) -> None:
    path = tmp_path / f"file{suffix}"
    path.write_bytes(contents[name])
    by_content = opened_or_refused(path)
    assert by_content is not None or name in ("volume.nii.gz", "volume.nrrd", "volume.mha")


@pytest.mark.parametrize("name", FILES)
def test_damaged_bytes(name: str, contents: dict[str, bytes]) -> None:
    good = contents[name]
    places = st.integers(0, min(len(good), 2048) - 1)
    damage = st.lists(st.tuples(places, st.integers(0, 255)), min_size=1, max_size=12)

    @settings(
        max_examples=CASES,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(damage, st.integers(0, len(good)))
    def damaged(changes: list[tuple[int, int]], cut: int) -> None:
        content = bytearray(good)
        for place, byte in changes:
            content[place] = byte
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / name
            path.write_bytes(content[: cut or None])
            opened_or_refused(path)

    damaged()


@given(st.binary(max_size=600))
@settings(max_examples=CASES, deadline=None, derandomize=True)
def test_noise(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for suffix in (".dcm", ".nii", ".nrrd", ".png", ".tif", ".npz"):
            path = Path(folder) / f"noise{suffix}"
            path.write_bytes(content)
            opened_or_refused(path)


def png(width: int, height: int) -> bytes:
    """PNG that promises a size and holds one row of zeros."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = zlib.compress(bytes(width + 1))
    start = b"\x89PNG\r\n\x1a\n"
    return start + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def test_a_picture_that_promises_too_much(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png(60_000, 60_000))
    with pytest.raises(ValueError, match=r"cannot be read as a picture.*decompression bomb"):
        open_image(path)
    path.write_bytes(png(9_000, 9_000))
    with pytest.raises(ValueError, match=r"\(1, 9000, 9000\), more than the limit of 1000"):
        open_image(path, max_pixels=1000)


def test_an_archive_that_promises_too_much(tmp_path: Path) -> None:
    path = tmp_path / "bomb.npz"
    header = np.lib.format.magic(1, 0)
    told = repr({"descr": "<f8", "fortran_order": False, "shape": (10**6, 10**6)}).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", header + struct.pack("<H", len(told)) + told + bytes(10**6))
    with pytest.raises(ValueError, match="more than the limit"):
        open_image(path)


def test_a_pickle_is_not_executed(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([print, {}], dtype=object))
    with pytest.raises(ValueError, match="Python objects"):
        open_image(tmp_path / "a.npy")


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="does not exist"):
        open_image(tmp_path / "nowhere.png")
    (tmp_path / "empty.png").touch()
    with pytest.raises(ValueError, match=r"empty\.png is empty"):
        open_image(tmp_path / "empty.png")
    os.mkfifo(tmp_path / "pipe.dcm")
    with pytest.raises(ValueError, match="no regular file"):
        open_image(tmp_path / "pipe.dcm")
    with pytest.raises(ValueError, match="holds no DICOM images"):
        open_image(tmp_path)
    (tmp_path / "notes.txt").write_text("not an image, only words about one")
    with pytest.raises(ValueError, match="of no format that can be opened"):
        open_image(tmp_path / "notes.txt")
    with pytest.raises(TypeError, match="got NoneType"):
        open_image(None)


def test_pages_that_lead_in_a_circle_or_have_no_end_of_tags(tmp_path: Path) -> None:
    path = tmp_path / "circle.tif"
    path.write_bytes(struct.pack("<2sHIHI", b"II", 42, 8, 0, 8))
    with pytest.raises(ValueError, match=r"pages of circle\.tif lead in a circle"):
        open_image(path)
    path.write_bytes(struct.pack("<2sHIH", b"II", 42, 8, 65535) + bytes(200))
    with pytest.raises(ValueError, match="claims 65535 tags"):
        open_image(path)
    path.write_bytes(struct.pack("<2sHHHQ", b"II", 43, 8, 0, 2**64 - 1))
    with pytest.raises(ValueError, match="cannot be read as TIFF"):
        open_image(path)


@pytest.mark.parametrize(
    ("walked", "words"),
    [
        (True, r"pages of short\.tif lead in a circle"),
        (False, "more reading than 88 bytes"),
    ],
)
def test_a_page_that_ends_with_the_file_and_leads_back_to_itself(
    walked: bool, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sides = {256: 5, 257: 6, 258: 8, 273: 8, 279: 30}
    first = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sides.items())
    last = struct.pack("<HHHII", 1, 256, 4, 1, 74)
    path = tmp_path / "short.tif"
    path.write_bytes(struct.pack("<2sHIH", b"II", 42, 8, 5) + first + struct.pack("<I", 74) + last)
    if not walked:
        monkeypatch.setattr(PageCount, "add", lambda count, path: None)
    with pytest.raises(ValueError, match=words):
        open_image(path)


OME_SIZES = {"SizeX": 5, "SizeY": 4, "SizeZ": 1, "SizeC": 1, "SizeT": 1}
HUGE = 2_000_000_000


def described(sides: dict[str, int], content: str) -> str:
    words = " ".join(f'{side}="{count}"' for side, count in sides.items())
    pixels = f'<Pixels DimensionOrder="XYZCT" {words}>{content}</Pixels>'
    return f"<OME><Image>{pixels}</Image></OME>"


@pytest.mark.parametrize(
    ("sizes", "data"),
    [
        ({"SizeZ": HUGE}, ""),
        ({"SizeX": HUGE}, '<TiffData IFD="0"/>'),
        ({}, f'<TiffData IFD="0" PlaneCount="{HUGE}"/>'),
        ({}, f'<TiffData NumPlanes="{HUGE}"/>'),
        ({}, f'<AlongZ Start="0" End="{HUGE}"/>'),
    ],
)
def test_a_description_that_promises_too_many_planes(
    sizes: dict[str, int], data: str, tmp_path: Path
) -> None:
    path, values = tmp_path / "a.tif", np.arange(20, dtype=np.uint8).reshape(4, 5)
    good = described(OME_SIZES, '<TiffData IFD="0" PlaneCount="1"/>')
    tifffile.imwrite(path, values, description=good, metadata=None)
    assert (open_image(path).array[0] == values).all()
    bad = described(OME_SIZES | sizes, data)
    tifffile.imwrite(path, values, description=bad, metadata=None)
    with pytest.raises(ValueError, match=r"OME description of a\.tif promises \d+ planes"):
        open_image(path)


def test_a_description_that_names_other_files(tmp_path: Path) -> None:
    path, other = tmp_path / "a.tif", tmp_path / "b.tif"
    values = np.arange(40, dtype=np.uint8).reshape(2, 4, 5)
    named = "".join(
        f'<TiffData FirstZ="{z}" IFD="0"><UUID FileName="{file.name}">{z}</UUID></TiffData>'
        for z, file in enumerate((path, other))
    )
    words = described(OME_SIZES | {"SizeZ": 2}, named)
    for file, plane in zip((path, other), values, strict=True):
        tifffile.imwrite(file, plane, description=words, metadata=None)
    assert (open_image(path).array[0] == values).all()
    other.write_bytes(struct.pack("<2sHIHI", b"II", 42, 8, 0, 8))
    with pytest.raises(ValueError, match=r"pages of b\.tif lead in a circle"):
        open_image(path)
    other.unlink()
    os.mkfifo(other)
    with pytest.raises(ValueError, match=r"names b\.tif, no regular file"):
        open_image(path)
