"""The strips and tiles of a TIFF series, looked at before they are decoded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pdcr_widgets.images.jpeg_stream import Streams

PLAIN = {1, 2, 3, 4, 5, 8, 32771, 32773, 32946, 34925, 50000}  # their output cannot be too long
PICTURES = {6, 7, 33003, 33005, 34712}  # JPEG and JPEG 2000, with a header of their own
SHARED = 4


def check_pieces(series: Any, path: Path) -> None:
    """Refuse pieces that lead to the same bytes over and over, or decode to more than they should.

    Parameters
    ----------
    series
        A `tifffile.TiffPageSeries`.
    path
        Its file.

    Raises
    ------
    ValueError
        Decoding would take far more than the shape of the series explains, or the compression is
        none of those that are read.
    """
    page, size = series.keyframe, path.stat().st_size
    kind = int(page.compression)
    if kind not in PLAIN | PICTURES:
        raise ValueError(f"the compression {page.compression!r} is not read; save it with deflate")
    pieces = [
        (at, length)
        for each in series.pages
        if each is not None
        for at, length in zip(each.dataoffsets, each.databytecounts, strict=False)
    ]
    if sum(length for _, length in pieces) > SHARED * size + 2**20:
        raise ValueError("its strips or tiles lead to the same bytes over and over")
    if kind not in PICTURES:
        return
    rows = page.tilelength if page.is_tiled else min(page.rowsperstrip, page.imagelength)
    columns = page.tilewidth if page.is_tiled else page.imagewidth
    streams = Streams(path.name, (rows, columns))
    with path.open("rb") as file:
        for at, length in pieces:
            file.seek(at)
            streams.add(file.read(length))
