"""How far a map can be trusted: faithfulness, and what other methods say. Torch and numpy only."""

from __future__ import annotations

from pdcr_widgets.evaluate.curves import Curve, deletion_curve, insertion_curve
from pdcr_widgets.evaluate.ranking import RANKINGS

__all__ = ["RANKINGS", "Curve", "deletion_curve", "insertion_curve"]
