"""The real dermoscopy case beside the repository, where it is present; read in place."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pdcr_widgets import PatchBank, Segmenter
from tests.bench.clock import Skipped
from tests.bench.models import demo_case

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "isic"
SIDE, REGION, UNPACKED = 256, (72, 88, 32, 32), 50_000_000

Parts = tuple[Segmenter, Tensor, np.ndarray, np.ndarray]


def isic_case() -> tuple[Parts, PatchBank]:
    """Network, image, region and truth, and the bank of natural patches.

    Raises
    ------
    Skipped
        The case is not there, or a package that reads it.
    """
    if not FOLDER.is_dir():
        raise Skipped("the real case is not in ../shared/data/isic")
    from PIL import Image

    with Image.open(FOLDER / "ISIC_0033556.jpg") as file:
        image = _pixels(file.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR))
    with Image.open(FOLDER / "ISIC_0033556_segmentation.png") as file:
        mask = file.convert("L").resize((SIDE, SIDE), Image.Resampling.NEAREST)
        truth = np.asarray(mask) > 127
    region = np.zeros((SIDE, SIDE), dtype=bool)
    top, left, height, width = REGION
    region[top : top + height, left : left + width] = True
    return (demo_case("dermoscopy").segmenter, image, region, truth), _bank()


def _bank() -> PatchBank:
    try:
        import py7zr
    except ImportError as error:
        raise Skipped("its bank is read with py7zr, which is not installed") from error
    from PIL import Image

    held = py7zr.io.BytesIOFactory(UNPACKED)
    with py7zr.SevenZipFile(FOLDER / "intervention_patches.7z") as archive:
        archive.extract(factory=held)
    patches = []
    for name in sorted(held.products):
        with Image.open(io.BytesIO(held.get(name).read())) as file:
            patches.append(_pixels(file.convert("RGB")))
    return PatchBank(torch.stack(patches))


def _pixels(picture: object) -> Tensor:
    values = torch.from_numpy(np.array(picture)).movedim(-1, 0)
    return values.float() / 255
