"""Results as files: one name for all kinds, chosen by the file's suffix."""

from __future__ import annotations

from pdcr_widgets.export.files import FORMATS, load, save

__all__ = ["FORMATS", "load", "save"]
