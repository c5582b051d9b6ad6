"""How much of a DICOM file is taken apart: what a small file may cost."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pdcr_widgets.images.jpeg_stream import Streams, starts_stream
from pdcr_widgets.images.metered import MeteredFile

MOST_READS = 150_000
MOST_UNPACKED = 2**28  # bytes of a deflated file
MOST_PARTS = 160_000  # elements of the groups of all frames; an item counts as four
MOST_FRAGMENTS = 50_000  # of compressed pixels, besides two for each frame
LONGEST_LIST = 2**18  # bytes of numbers
ITEM_COST = 4
ITEM = b"\xfe\xff\x00\xe0"
GROUPS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
LISTS = (
    *("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "ImagerPixelSpacing"),
    *("WindowCenter", "WindowWidth", "RescaleSlope", "RescaleIntercept", "GridFrameOffsetVector"),
    *("SliceThickness", "SpacingBetweenSlices", "NumberOfFrames", "InstanceNumber", "Rows"),
    *("Columns", "SamplesPerPixel", "BitsAllocated", "BitsStored", "SeriesInstanceUID"),
)
LONG = {b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"}
UNDEFINED = 0xFFFFFFFF


class DicomFile(MeteredFile):
    """A file that pydicom may unpack only to a certain length.

    It reads all that is left in one go for nothing but that.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, MOST_READS)

    def read(self, size: int | None = -1, /) -> bytes:
        """Read, and see what it unpacks to where all is read."""
        content = super().read(size)
        if size is None or size < 0:
            _check_unpacked(content)
        return content


def _check_unpacked(content: bytes) -> None:
    unpacking, length, rest = zlib.decompressobj(-zlib.MAX_WBITS), 0, content
    while rest and not unpacking.eof:
        length += len(unpacking.decompress(rest, 2**20))
        rest = unpacking.unconsumed_tail
        if length > MOST_UNPACKED:
            raise ValueError(
                f"it unpacks to more than {MOST_UNPACKED} bytes; unpack it with dcmtk's dcmconv"
            )


def check_elements(dataset: Any) -> None:
    """Refuse lists of numbers, and groups of frames, that take seconds to be turned into objects.

    Raises
    ------
    ValueError
        There are more than any image needs.
    """
    for name in LISTS:
        length = len(_raw(dataset, name).value) if _raw(dataset, name) else 0
        if length > LONGEST_LIST:
            raise ValueError(f"its {name} is {length} bytes long, more than {LONGEST_LIST}")
    parts = 0
    for name in GROUPS:
        if raw := _raw(dataset, name):
            parts += parts_in(raw.value, raw.is_implicit_VR, raw.is_little_endian)
    if parts > MOST_PARTS:
        raise ValueError(
            f"its frames are described by more than {MOST_PARTS} elements; save it as single "
            "frames, or as NIfTI"
        )


def _raw(dataset: Any, name: str) -> Any:
    """An element that was not turned into an object yet, if it has bytes; else None."""
    element = dataset.get_item(name) if name in dataset else None
    return element if isinstance(getattr(element, "value", None), bytes) else None


def parts_in(data: bytes, implicit: bool, little: bool) -> int:
    """Elements and items in the bytes of a sequence, nested ones too; soon ends above the limit."""
    order = "<" if little else ">"
    place = count = 0
    while place + 12 <= len(data) and count <= MOST_PARTS:
        group, _, letters, short, length = struct.unpack_from(f"{order}HH2sHI", data, place)
        if group == 0xFFFE:
            count, place = count + ITEM_COST, place + 8
            continue
        count += 1
        header = 12
        if implicit or not letters.isupper():
            (length,) = struct.unpack_from(f"{order}I", data, place + 4)
            header = 8
        elif letters not in LONG:
            length, header = short, 8
        inside = data[place + header : place + header + 2] == struct.pack(f"{order}H", 0xFFFE)
        place += header if inside or length == UNDEFINED else header + length
    return count


def check_pixels(dataset: Any, where: str, shape: tuple[int, int, int, int]) -> None:
    """Refuse compressed pixels in pieces without number, or of another size than promised.

    Raises
    ------
    ValueError
        Decoding would take far more than the shape (frames, rows, columns, samples) explains.
    """
    syntax = getattr(getattr(dataset, "file_meta", None), "TransferSyntaxUID", None)
    content = dataset.get("PixelData")
    if not getattr(syntax, "is_encapsulated", False) or not isinstance(content, bytes):
        return
    frames, rows, columns, _ = shape
    if content.count(ITEM) > 2 * frames + MOST_FRAGMENTS:
        raise ValueError(f"{where} keeps its pixels in more pieces than {frames} frames explain")
    streams = Streams(where, (rows, columns))
    for stream in _streams(content):
        streams.add(stream)


def _streams(content: bytes) -> Iterator[bytes]:
    """Compressed pictures of encapsulated pixels, each put together from its fragments."""
    parts: list[bytes] = []
    for fragment in content.split(ITEM):
        if starts_stream(fragment[4:]):
            yield b"".join(parts)
            parts = []
        parts.append(fragment[4:])
    yield b"".join(parts)
