"""Small files that ask for much work or memory, or for files elsewhere, are refused at once."""

from __future__ import annotations

import gzip
import os
import struct
import tracemalloc
import zipfile
import zlib
from functools import cache
from pathlib import Path

import pytest
from heavy_pictures import encoded, endless_passes
from PIL import Image
from test_images_hostile import png

from pdcr_widgets.images import open_image

NRRD = b"NRRD0004\ntype: uint8\ndimension: 3\nsizes: 2 2 2\nencoding: raw\n"
META = b"ObjectType = Image\nNDims = 3\nDimSize = 2 2 2\nElementType = MET_UCHAR\n"
OUTSIDE = [
    ("a.nhdr", NRRD + b"data file: {}\n", "same folder"),
    ("a.nhdr", NRRD + b"\tDATAFILE:{}\n", "same folder"),
    ("a.nhdr", NRRD + b"# " + b"x" * 70_000 + b"\ndata file: {}\n", "longer than 65536 bytes"),
    ("a.mhd", META + b"ElementDataFile = {}\n", "same folder"),
    ("a.mhd", META + b"\tElementDataFile : {}\n", "same folder"),
    (
        "a.mhd",
        META + b"Comment = " + b"x" * 70_000 + b"\nElementDataFile = {}\n",
        "longer than 65536 bytes",
    ),
    (
        "a.mhd",
        META + b"ElementSpacing = 1 1\nElementDataFile = LOCAL\nElementDataFile = {}\n",
        "needs 3 numbers in one line",
    ),
    ("a.nhdr", NRRD + b"data file: -\n", "no file beside it"),
    ("a.mhd", META + b"ElementDataFile = a\0b\n", "same folder"),
]


@pytest.mark.parametrize(("name", "header", "words"), OUTSIDE)
def test_a_header_that_leads_outside_its_folder(
    name: str, header: bytes, words: str, tmp_path: Path
) -> None:
    folder = tmp_path / "inside"
    folder.mkdir()
    secret = tmp_path / "secret.raw"
    secret.write_bytes(bytes(range(1, 9)))
    for target in (str(secret), "../secret.raw"):
        (folder / name).write_bytes(header.replace(b"{}", target.encode()))
        with pytest.raises(ValueError, match=words):
            open_image(folder / name)


def test_a_data_file_that_is_a_link_or_a_pipe(tmp_path: Path) -> None:
    folder = tmp_path / "inside"
    folder.mkdir()
    (tmp_path / "secret.raw").write_bytes(bytes(range(8)))
    (folder / "link.raw").symlink_to(tmp_path / "secret.raw")
    os.mkfifo(folder / "pipe.raw")
    (folder / "true.raw").write_bytes(bytes(range(8)))
    for name, words in {"link.raw": "same folder", "pipe.raw": "no file beside it"}.items():
        (folder / "a.nhdr").write_bytes(NRRD + b"data file: " + name.encode() + b"\n")
        with pytest.raises(ValueError, match=words):
            open_image(folder / "a.nhdr")
    (folder / "a.nhdr").write_bytes(NRRD + b"data file: true.raw\n")
    assert sorted(open_image(folder / "a.nhdr").array.ravel()) == list(range(8))


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (NRRD.replace(b": 3", b": 16").replace(b"2 2 2", b"1 " * 16), "how many axes"),
        (NRRD + b"key:=value\n" * 20_000, "longer than 65536"),
        (NRRD + b"byte skip: 1000000000\n", "skips more than"),
    ],
)
def test_a_nrrd_header_that_crashes_or_stalls_its_reader(
    header: bytes, words: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.nrrd"
    path.write_bytes(header + b"\n" + bytes(8))
    with pytest.raises(ValueError, match=words):
        open_image(path)


def chunk(kind: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@cache
def pictures() -> dict[str, bytes]:
    """Pictures with endless parts, or that are drawn in endless passes."""
    good, jpeg, gif = png(5, 1), encoded("JPEG", 5), encoded("GIF", 5)
    frame = gif.index(b",")
    return {
        "chunks.png": good[:33] + chunk(b"abCd") * 400_000 + good[33:],
        "idat.png": good[:33] + chunk(b"IDAT") * 400_000 + good[33:],
        "after.png": good[:-12] + chunk(b"tEXt", b"a\0b") * 400_000 + good[-12:],
        "comments.gif": gif[:frame] + b"\x21\xfe\x01a\0" * 400_000 + gif[frame:],
        "comments.jpg": jpeg[:2] + b"\xff\xfe\0\3a" * 400_000 + jpeg[2:],
        "exif.jpg": jpeg[:2] + (b"\xff\xe1\xea\x60Exif\0\0" + bytes(59_992)) * 300 + jpeg[2:],
        "passes.jpg": endless_passes(),
    }


@pytest.mark.parametrize("name", list(pictures()))
def test_a_picture_of_endless_parts(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(pictures()[name])
    with pytest.raises(ValueError, match=r"passes|more reading than"):
        open_image(path)


def test_a_picture_of_endless_frames_opens_at_its_first(tmp_path: Path) -> None:
    gif = encoded("GIF", 5)
    start = gif.index(b",")
    path = tmp_path / "a.gif"
    path.write_bytes(gif[:start] + gif[start:-1] * 200_000 + gif[-1:])
    assert open_image(path).notes == ("the first of several frames",)


def test_a_palette_counts_as_the_colours_it_becomes(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.new("P", (40, 40)).save(path)
    with pytest.raises(ValueError, match=r"claims a shape of \(3, 40, 40\)"):
        open_image(path, max_pixels=40 * 40 * 2)


def nifti(pixels_at: int, extensions: bytes = b"") -> bytes:
    header = bytearray(348)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, 2, 2, 2, 1, 1, 1, 1)
    struct.pack_into("<2h", header, 70, 2, 8)
    struct.pack_into("<8f", header, 76, 1, 1, 1, 1, 1, 1, 1, 1)
    struct.pack_into("<f", header, 108, pixels_at)
    header[344:348] = b"n+1\0"
    flag = b"\1\0\0\0" if extensions else bytes(4)
    return bytes(header) + flag + extensions + bytes(8)


def test_nifti_bombs(tmp_path: Path) -> None:
    extension = struct.pack("<ii8x", 16, 6)
    start = b"\x1f\x8b\x08\x08\0\0\0\0\2\3"
    good = tmp_path / "good.nii.gz"
    good.write_bytes(gzip.compress(nifti(352)))
    assert open_image(good).array.shape == (1, 2, 2, 2)
    files = {
        "name.nii.gz": start + b"a" * 2_000_000,
        "members.nii.gz": gzip.compress(b"") * 200_000 + gzip.compress(nifti(352)),
        "far.nii.gz": gzip.compress(nifti(2**30)),
        "extensions.nii": nifti(352 + 16 * 200_000, extension * 200_000),
        "bomb.nii.gz": gzip.compress(nifti(2**28, struct.pack("<ii", 2**28 - 352, 6))),
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=r"more reading than|its header claims"):
            open_image(tmp_path / name)


def test_archive_bombs(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    long = b"\x93NUMPY\2\0" + struct.pack("<I", 2**28) + b" " * 2**26
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", long)
    tracemalloc.start()
    with pytest.raises(ValueError, match="header claims 268435456 bytes"):
        open_image(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**22
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(30_000):
            archive.writestr(f"{number:099}.npy", b"")
    with pytest.raises(ValueError, match="more reading than"):
        open_image(path)
