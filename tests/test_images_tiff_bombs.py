"""Small TIFF files that ask for much work, or for files elsewhere, are refused at once."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from heavy_pictures import encoded, endless_passes
from test_images_hostile import described

from pdcr_widgets.images import open_image

SIDES = {256: 2, 257: 2, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: 2, 279: 4}


def page(tags: dict[int, Any], following: int = 0) -> bytes:
    """Little-endian page of 32-bit numbers; a pair is (how many, where)."""
    told = {tag: value if isinstance(value, tuple) else (1, value) for tag, value in tags.items()}
    entries = b"".join(struct.pack("<HHII", tag, 4, *told[tag]) for tag in sorted(told))
    return struct.pack("<H", len(told)) + entries + struct.pack("<I", following)


def tiff(data: bytes, *pages: dict[int, Any]) -> bytes:
    """File whose pages follow its data, which begins at byte 8."""
    place, out = 8 + len(data), b""
    for number, tags in enumerate(pages):
        place += len(page(tags))
        out += page(tags, place if number + 1 < len(pages) else 0)
    return struct.pack("<2sHI", b"II", 42, 8 + len(data)) + data + out


def tiles_of_one_pixel() -> bytes:
    side, count = 447, 447 * 447
    data = bytes(16) + struct.pack("<I", 8) * count + struct.pack("<I", 1) * count
    places = {324: (count, 24), 325: (count, 24 + 4 * count)}
    tags = {**SIDES, 256: side, 257: side, 322: 1, 323: 1, **places}
    return tiff(data, {tag: tags[tag] for tag in tags if tag not in (273, 278, 279)})


def many_inner_pages() -> bytes:
    count, size = 5000, len(page(SIDES))
    start = 8 + 4 + 4 * count
    data = bytes(4) + struct.pack(f"<{count}I", *(start + n * size for n in range(count)))
    return tiff(data + page(SIDES) * count, {**SIDES, 330: (count, 12)})


def compressed_page(code: int, content: bytes, side: int = 16) -> bytes:
    sides = {256: side, 257: side, 259: code, 278: side, 279: len(content)}
    return tiff(content, {**SIDES, **sides})


def described_page(words: str) -> bytes:
    buffer = io.BytesIO()
    pixels = np.zeros((4, 5), np.uint8)
    tifffile.imwrite(buffer, pixels, description=words, metadata=None)
    return buffer.getvalue()


TIFFS: dict[str, tuple[Callable[[], bytes], str]] = {
    "tiles of one pixel": (tiles_of_one_pixel, "over 100000 strips or tiles"),
    "many pages": (lambda: tiff(bytes(4), *[SIDES] * 3000), "over 2048 pages"),
    "pages inside a page": (many_inner_pages, "over 2048 pages"),
    "pages of all shapes": (
        lambda: tiff(bytes(4), *({**SIDES, 256: 1 + n} for n in range(600))),
        "over 256 kinds of pages",
    ),
    "many tags": (
        lambda: tiff(bytes(4), *[SIDES | dict.fromkeys(range(40000, 40900), 1)] * 80),
        "over 60000 tags",
    ),
    "long description": (lambda: described_page("a" * 2**24), "bytes of description"),
    "description of many parts": (
        lambda: described_page("<OME>" + "<a/>" * 300_000 + "</OME>"),
        "elements of description",
    ),
    "larger picture inside": (
        lambda: compressed_page(34712, encoded("JPEG2000", 3000)),
        "promises 16 x 16 pixels and holds a compressed picture of 3000 x 3000",
    ),
    "endless passes": (lambda: compressed_page(7, endless_passes(), 3000), "so many passes"),
    "odd compression": (lambda: compressed_page(50001, b"RIFF"), "is not read"),
    "one strip for all pages": (
        lambda: tiff(bytes(10**6), *[{**SIDES, 279: 10**6}] * 20),
        "the same bytes over and over",
    ),
}


@pytest.mark.parametrize("name", TIFFS)
def test_a_tiff_that_asks_for_much(name: str, tmp_path: Path) -> None:
    make, words = TIFFS[name]
    path = tmp_path / "a.tif"
    path.write_bytes(make())
    with pytest.raises(ValueError, match=words):
        open_image(path)


def test_pages_and_tiles_within_the_limits_open(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(tiff(b"\1\2\3\4", *[SIDES] * 2048))
    assert open_image(path).array.shape == (1, 2048, 2, 2)
    tifffile.imwrite(path, np.ones((512, 512), np.uint8), tile=(16, 16), compression="jpeg")
    assert (open_image(path).array == 1).all()


def test_the_name_of_a_tiff_does_not_choose_its_layout(tmp_path: Path) -> None:
    values = np.arange(30, dtype=np.uint8).reshape(5, 6)
    for suffix in ("ndpi", "svs", "lsm", "ome.tif"):
        tifffile.imwrite(tmp_path / "a.tif", values)
        path = (tmp_path / "a.tif").rename(tmp_path / f"a.{suffix}")
        assert (open_image(path).array[0] == values).all()


def test_a_set_of_tiffs_keeps_to_its_folder_and_to_one_limit(tmp_path: Path) -> None:
    folder = tmp_path / "inside"
    folder.mkdir()
    path = folder / "a.tif"
    sizes = {"SizeX": 2, "SizeY": 2, "SizeZ": 2, "SizeC": 1, "SizeT": 1}

    def names(*others: str) -> None:
        files = ("a.tif", *others)
        data = "".join(
            f'<TiffData FirstZ="{z}" IFD="0"><UUID FileName="{name}">{z}</UUID></TiffData>'
            for z, name in enumerate(files)
        )
        words = described({**sizes, "SizeZ": len(files)}, data)
        path.unlink(missing_ok=True)
        tifffile.imwrite(path, np.zeros((2, 2), np.uint8), description=words, metadata=None)

    secret = tmp_path / "secret.tif"
    secret.write_bytes(tiff(b"\1\2\3\4", SIDES))
    (folder / "link.tif").symlink_to(secret)
    for name in ("../secret.tif", str(secret), "link.tif"):
        names(name)
        with pytest.raises(ValueError, match="only a file in the same folder is read"):
            open_image(path)
    for name in ("b.tif", "c.tif"):
        (folder / name).write_bytes(tiff(bytes(4), *[SIDES] * 1500))
    names("b.tif", "c.tif")
    with pytest.raises(ValueError, match=r"c\.tif has over 2048 pages"):
        open_image(path)
