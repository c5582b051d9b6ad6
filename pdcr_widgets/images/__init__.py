"""Open images as they lie in a study folder; each reader is the field's own library."""

from __future__ import annotations

from pdcr_widgets.images.nifti import save_nifti
from pdcr_widgets.images.opened import OpenedImage
from pdcr_widgets.images.opening import open_image
from pdcr_widgets.images.request import MAX_PIXELS

__all__ = ["MAX_PIXELS", "OpenedImage", "open_image", "save_nifti"]
