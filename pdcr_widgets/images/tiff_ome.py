"""What an OME description promises of a TIFF file, counted before its reader lays it out."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from pdcr_widgets.images.request import beside
from pdcr_widgets.images.tiff_pages import PageCount

MOST_PLANES = 1_000_000
MOST_FILES = 256


def check_description(opened: Any, path: Path, count: PageCount) -> None:
    """Refuse an OME description of more planes than any file holds, or of files that mislead.

    Parameters
    ----------
    opened
        A `tifffile.TiffFile`.
    path
        Its place; files of the same set are looked for beside it.
    count
        Of its pages; those of the other files are added.

    Raises
    ------
    ValueError
        The planes of all images together are over a million: laying them out could take minutes
        and all memory. Or a file of the set lies elsewhere or is no regular file, there are more
        than 256, or their pages together are refused.
    """
    try:
        root = ElementTree.fromstring(opened.ome_metadata or "<none/>")
    except ElementTree.ParseError:
        return  # tifffile reads such a file by its pages
    images = (element for element in root if element.tag.endswith("Image"))
    pixels = (element for image in images for element in image if element.tag.endswith("Pixels"))
    divided = (element for element in root.iter() if element.tag[:-1].endswith("Along"))
    planes = sum(_planes(element, opened.pages) for element in pixels)
    planes += sum(_steps(element) for element in divided if "Start" in element.attrib)
    if planes > MOST_PLANES:
        raise ValueError(
            f"the OME description of {path.name} promises {planes} planes, more than {MOST_PLANES}"
        )
    others = (element for element in root.iter() if element.tag.endswith("UUID"))
    names = {element.attrib.get("FileName", "") for element in others} - {"", path.name}
    if len(names) > MOST_FILES:
        raise ValueError(
            f"the OME description of {path.name} names {len(names)} other files, more than "
            f"{MOST_FILES}; open fewer as a list"
        )
    for name in sorted(names):
        other = beside(path, name)
        if other.is_file():
            count.add(other)
        elif other.exists():
            raise ValueError(f"the OME description of {path.name} names {name}, no regular file")


def _planes(pixels: ElementTree.Element, pages: Any) -> int:
    """Planes that the sides and the pages named for one image make tifffile count."""
    named = [each.attrib for each in pixels if each.tag.endswith("TiffData")]
    first = {int(data.get("IFD", 0)) for data in named}
    if any(page < 0 for page in first):
        raise ValueError(f"its OME description starts at page {min(first)}")
    values = math.prod(max(1, int(pixels.attrib[f"Size{axis}"])) for axis in "XYZCT")
    smallest = min((pages[page].size for page in first if page < len(pages)), default=1)
    counts = (
        int(data.get("PlaneCount", data.get("NumPlanes", 1 if "IFD" in data else len(pages))))
        for data in named
    )
    return values // max(1, int(smallest)) + sum(max(0, count) for count in counts)


def _steps(along: ElementTree.Element) -> int:
    """Steps from start to end of a divided axis."""
    start, end, step = (float(along.attrib.get(key, 1)) for key in ("Start", "End", "Step"))
    return max(0, int((end - start) / step))
