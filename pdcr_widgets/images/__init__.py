"""Open images as they lie in a study folder; each reader is the field's own library."""

from __future__ import annotations

from pdcr_widgets.images.banks import open_bank
from pdcr_widgets.images.nifti import save_nifti
from pdcr_widgets.images.opened import OpenedImage
from pdcr_widgets.images.opening import open_image
from pdcr_widgets.images.request import MAX_PIXELS
from pdcr_widgets.images.truth import labels_in, open_truth

__all__ = [
    "MAX_PIXELS",
    "OpenedImage",
    "labels_in",
    "open_bank",
    "open_image",
    "open_truth",
    "save_nifti",
]
