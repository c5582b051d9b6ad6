"""A demo case: a network, an image it did not learn from, and what is needed to explain it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from pdcr_widgets.causal import PatchBank, Segmenter


@dataclass(frozen=True, eq=False)
class Volume:
    """The volume that a case's image is a slice of.

    Attributes
    ----------
    values : Tensor (channels, slices, rows, columns)
        float32, values 0 to 1.
    truth : ndarray (slices, rows, columns) bool
        Where the target really is.
    spacing : tuple of float
        Millimetres per slice, row and column.
    orientation
        Where slices, rows and columns lead: ``"SPL"`` is to the head, to the back, to the left.
    index
        The slice along the first axis that is the case's image.
    plane
        Which plane that slice is of, and all that the network learnt from.
    """

    values: Tensor
    truth: NDArray[np.bool_]
    spacing: tuple[float, float, float]
    orientation: str
    index: int
    plane: str


@dataclass(frozen=True, eq=False)
class Case:
    """One image with everything an explanation needs.

    Attributes
    ----------
    name
        What `pdcr_widgets.demo.load` calls it.
    title, description
        One line for a heading, and a paragraph in plain words on what the case is and is not.
    segmenter
        The network and how its output is read.
    image : Tensor (channels, height, width)
        float32, values 0 to 1.
    truth : ndarray (height, width) bool
        Where the target really is.
    region : ndarray (height, width) bool
        A region worth explaining.
    bank
        Natural patches of 8 x 8 pixels from `bank_images`.
    bank_images : Tensor (n, channels, height, width)
        Other images of the same kind, none of them the shown one or near it.
    spacing : tuple of float
        Millimetres per row and per column; None when the image has no physical size.
    orientation
        What is up and what is left.
    card
        Measured figures: held-out Dice of the network, Dice of the best intensity band, versions.
    volume
        What the image is a slice of, where all of it is to be looked at; None otherwise.
    """

    name: str
    title: str
    description: str
    segmenter: Segmenter
    image: Tensor
    truth: NDArray[np.bool_]
    region: NDArray[np.bool_]
    bank: PatchBank
    bank_images: Tensor
    spacing: tuple[float, float] | None
    orientation: str
    card: dict[str, Any]
    volume: Volume | None = None

    def make_bank(self, patch_size: int) -> PatchBank:
        """Make a bank of patches of another size, in pixels, out of the same images."""
        return cut_bank(self.bank_images, patch_size)


def cut_bank(images: Tensor, patch_size: int, per_image: int = 40) -> PatchBank:
    """Cut a bank of natural patches, leaving out those that are mostly black background.

    Parameters
    ----------
    images : Tensor (n, channels, height, width)
    patch_size
        Side, pixels.
    per_image
        Patches cut from each image before the black ones are left out.
    """
    return PatchBank.from_images(
        images, patch_size=patch_size, per_image=per_image, keep=mostly_tissue
    )


def mostly_tissue(patch: Tensor) -> bool:
    """Whether at least half of the pixels of ``(channels, rows, columns)`` are not black."""
    return float((patch > 0.1).any(dim=0).float().mean()) >= 0.5
