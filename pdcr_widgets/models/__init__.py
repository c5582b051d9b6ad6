"""Bring trained networks of other libraries to one form, and load their files without surprises."""

from __future__ import annotations

from pdcr_widgets.models.loading import load_model
from pdcr_widgets.models.prepared import Prepared
from pdcr_widgets.models.prompted import Prompted
from pdcr_widgets.models.queries import MaskQueries
from pdcr_widgets.models.segmenting import segmenter

__all__ = ["MaskQueries", "Prepared", "Prompted", "load_model", "segmenter"]
