"""How far a map can be trusted: faithfulness, and what other methods say. Torch and numpy only."""

from __future__ import annotations

from pdcr_widgets.evaluate.checks import (
    PERTURBATIONS,
    Perturbation,
    Randomised,
    robustness,
    sanity_check,
)
from pdcr_widgets.evaluate.compare import compare, iter_compare
from pdcr_widgets.evaluate.comparison import Comparison, ComparisonUpdate, Verdict
from pdcr_widgets.evaluate.curves import Curve, deletion_curve, insertion_curve
from pdcr_widgets.evaluate.faithfulness import (
    Drops,
    faithfulness_correlation,
    target_and_outside_drop,
)
from pdcr_widgets.evaluate.methods import METHODS, SIGNED
from pdcr_widgets.evaluate.peers import PEERS, saliency
from pdcr_widgets.evaluate.ranking import RANKINGS

__all__ = [
    "METHODS",
    "PEERS",
    "PERTURBATIONS",
    "RANKINGS",
    "SIGNED",
    "Comparison",
    "ComparisonUpdate",
    "Curve",
    "Drops",
    "Perturbation",
    "Randomised",
    "Verdict",
    "compare",
    "deletion_curve",
    "faithfulness_correlation",
    "insertion_curve",
    "iter_compare",
    "robustness",
    "saliency",
    "sanity_check",
    "target_and_outside_drop",
]
