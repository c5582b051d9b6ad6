"""Files whose headers lie in every way end in one clear error, or in an image, at once."""

from __future__ import annotations

import re
import struct
import tempfile
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from image_files import FILES, dicom_slice
from test_images_hostile import CASES, opened_or_refused

Draw = Callable[[Any], Any]
ODD = [0, 1, 2, 3, 7, 8, 16, 127, 255, 256, 4096, 32767, 65535, 2**31 - 1, 2**31, 2**32 - 1]
NUMBERS = st.sampled_from(ODD) | st.integers(0, 2**32 - 1)
FLOATS = st.floats(width=32) | st.sampled_from([0.0, -1.0, 1e-30, 1e30, 0.5])
WORDS = st.sampled_from(["", "0", "-1", "nan", "1e400", "LOCAL", "LIST", "../a.raw", "%03d 1 9 1"])


TIFF_TAGS = [
    254,
    *range(256, 260),
    262,
    270,
    273,
    *range(277, 280),
    284,
    317,
    320,
    *range(322, 331),
    338,
    339,
]


def thoroughly(*strategies: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Try as many cases as asked for."""

    def wrap(test: Callable[..., None]) -> Callable[..., None]:
        limits = settings(
            max_examples=CASES,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )
        return limits(given(*strategies)(test))

    return wrap


def try_file(content: bytes, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        opened_or_refused(path)


@pytest.fixture(scope="module")
def contents(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("good")
    return {name: write(folder / name).read_bytes() for name, write in FILES.items()}


@pytest.mark.parametrize("name", FILES)
def test_numbers_of_a_header_that_lie(name: str, contents: dict[str, bytes]) -> None:
    good = contents[name]
    places = st.integers(0, min(len(good), 400) - 8) | st.integers(
        max(0, len(good) - 300), len(good) - 8
    )
    kinds = st.sampled_from(["<H", ">H", "<I", ">I", "<f", "<d"])
    changes = st.lists(st.tuples(places, kinds, NUMBERS, FLOATS), min_size=1, max_size=4)

    @thoroughly(changes)
    def lies(changed: list[tuple[int, str, int, float]]) -> None:
        content = bytearray(good)
        for place, kind, number, real in changed:
            size = struct.calcsize(kind)
            value = real if kind[1] in "fd" else number % 2 ** (8 * size)
            content[place : place + size] = struct.pack(kind, value)
        try_file(bytes(content), name)

    lies()


TAGS: dict[str, st.SearchStrategy[Any]] = {
    "Rows": st.sampled_from([0, 1, 5, 6, 65535]),
    "Columns": st.sampled_from([0, 1, 6, 7, 65535]),
    "SamplesPerPixel": st.sampled_from([0, 1, 3, 4, 65535]),
    "NumberOfFrames": st.sampled_from([0, 1, 2, 10**9, -3]),
    "BitsAllocated": st.sampled_from([0, 1, 8, 12, 16, 32, 64, 65535]),
    "BitsStored": st.integers(0, 65),
    "HighBit": st.integers(0, 65),
    "PixelRepresentation": st.integers(0, 3),
    "PlanarConfiguration": st.integers(0, 2),
    "PhotometricInterpretation": st.sampled_from(
        ["", "MONOCHROME1", "RGB", "YBR_FULL", "YBR_FULL_422", "PALETTE COLOR", "NOTHING"]
    ),
    "RescaleSlope": st.sampled_from([0, -1, 1e30, 1]),
    "RescaleIntercept": st.sampled_from([0, -1e30, 1024]),
    "WindowCenter": st.sampled_from([0, [1, 2], 1e30]),
    "WindowWidth": st.sampled_from([0, -1, [], [3, 4]]),
    "PixelSpacing": st.sampled_from([[0, 0], [-1, 1], [1], [1e-30, 1], [1, 2, 3], []]),
    "SliceThickness": st.sampled_from([0, -1, 1e30]),
    "ImageOrientationPatient": st.sampled_from([[0] * 6, [1, 0, 0, 1, 0, 0], [1], []]),
    "ImagePositionPatient": st.sampled_from([[1e30] * 3, [0, 0], []]),
    "PixelData": st.binary(max_size=80),
}
SYNTAXES = [
    pydicom.uid.ImplicitVRLittleEndian,
    pydicom.uid.JPEGBaseline8Bit,
    pydicom.uid.JPEG2000Lossless,
    pydicom.uid.JPEGLSLossless,
    pydicom.uid.RLELossless,
    pydicom.uid.DeflatedExplicitVRLittleEndian,
]


@pytest.mark.filterwarnings("ignore")
def test_dicom_tags_that_lie() -> None:
    names = st.sets(st.sampled_from(sorted(TAGS)), min_size=1, max_size=5)

    @thoroughly(
        names.flatmap(lambda s: st.fixed_dictionaries({n: TAGS[n] for n in s})),
        st.sampled_from([None, None, *SYNTAXES]),
    )
    def lies(tags: dict[str, Any], syntax: Any) -> None:
        data = dicom_slice(**tags)
        buffer = BytesIO()
        try:
            pydicom.dcmwrite(buffer, data, enforce_file_format=True)
        except (AttributeError, TypeError, ValueError, OverflowError, struct.error):
            return
        content = buffer.getvalue()
        if syntax is not None:
            old = data.file_meta.TransferSyntaxUID.encode()
            content = content.replace(old, syntax.encode()[: len(old)].ljust(len(old), b"\0"), 1)
        try_file(content, "ct.dcm")

    lies()


@pytest.mark.parametrize("name", ["volume.nrrd", "volume.mha"])
def test_lines_of_a_header_that_lie(name: str, contents: dict[str, bytes]) -> None:
    good = contents[name]
    end = good.index(b"\n\n") if name.endswith("nrrd") else good.index(b"LOCAL")
    lines = good[:end].split(b"\n")
    values = (
        NUMBERS.map(str) | FLOATS.map(str) | WORDS | st.text("0123456789 .-()nan,", max_size=30)
    )
    changes = st.lists(
        st.tuples(
            st.integers(0, len(lines) - 1),
            st.sampled_from(["value", "drop", "twice", "swap"]),
            values,
        ),
        min_size=1,
        max_size=4,
    )

    @thoroughly(changes)
    def lies(changed: list[tuple[int, str, str]]) -> None:
        held = list(lines)
        for number, what, value in changed:
            number %= len(held)
            key = re.match(rb"[^:=]*[:=] ?", held[number])
            if what == "value":
                held[number] = (key[0] if key else b"") + value.encode()
            elif what == "drop" and len(held) > 1:
                del held[number]
            elif what == "twice":
                held.insert(number, held[number])
            else:
                held[0], held[number] = held[number], held[0]
        try_file(b"\n".join(held) + good[end:], name)

    lies()


def test_a_npy_header_that_lies() -> None:
    shapes = st.lists(NUMBERS | st.integers(-3, 9), max_size=5).map(tuple) | st.just("x")
    kinds = st.sampled_from(
        ["<f4", ">i2", "|b1", "<c8", "|O", "<U9", "|V3", "<f2", "M8[s]", "nothing"]
    )

    @thoroughly(kinds, st.booleans(), shapes, st.binary(max_size=200), st.integers(0, 70000))
    def lies(kind: str, fortran: bool, shape: Any, body: bytes, length: int) -> None:
        told = repr({"descr": kind, "fortran_order": fortran, "shape": shape}).encode()
        length = len(told) if length % 3 else length % 65536
        try_file(b"\x93NUMPY\x01\x00" + struct.pack("<H", length) + told + body, "a.npy")

    lies()


def test_png_chunks_that_lie() -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    kinds = st.sampled_from(
        [
            b"IHDR",
            b"IDAT",
            b"PLTE",
            b"tRNS",
            b"eXIf",
            b"zTXt",
            b"iCCP",
            b"gAMA",
            b"IEND",
            b"acTL",
            b"fcTL",
        ]
    )
    packed = st.binary(max_size=60).map(zlib.compress)
    extra = st.lists(st.tuples(kinds, st.binary(max_size=40) | packed), max_size=4)
    sides = st.sampled_from([0, 1, 5, 9, 999, 2**15, 2**31 - 1])
    depths = st.sampled_from([0, 1, 2, 4, 8, 16, 32])

    @thoroughly(sides, sides, depths, st.integers(0, 7), st.integers(0, 2), extra, packed)
    def lies(
        width: int, height: int, depth: int, colour: int, lace: int, more: Any, body: bytes
    ) -> None:
        header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, lace)
        parts = [chunk(b"IHDR", header), *(chunk(*each) for each in more), chunk(b"IDAT", body)]
        try_file(b"\x89PNG\r\n\x1a\n" + b"".join(parts) + chunk(b"IEND", b""), "a.png")

    lies()


def test_tiff_tags_that_lie() -> None:
    entry = st.tuples(
        st.sampled_from(TIFF_TAGS),
        st.integers(0, 18),
        NUMBERS,
        NUMBERS,
    )

    @thoroughly(st.lists(entry, max_size=14), NUMBERS, st.binary(max_size=60))
    def lies(entries: list[tuple[int, int, int, int]], following: int, body: bytes) -> None:
        plain = {256: 5, 257: 6, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: 6, 279: 30}
        told = {**{tag: (4, 1, value) for tag, value in plain.items()}}
        told |= {tag: (kind, count, value) for tag, kind, count, value in entries}
        pages = b"".join(struct.pack("<HHII", tag, *told[tag]) for tag in sorted(told))
        ifd = struct.pack("<H", len(told)) + pages + struct.pack("<I", following)
        data = np.arange(40, dtype=np.uint8).tobytes() + body
        start = struct.pack("<2sHI", b"II", 42, 8 + len(data))
        try_file(start + data + ifd, "a.tif")

    lies()
