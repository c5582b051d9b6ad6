"""The method: tensors in, a generator of frozen events out. Needs torch and numpy only."""

from __future__ import annotations

from pdcr_widgets.causal.ate import ate_map, iter_ate
from pdcr_widgets.causal.bank import PatchBank
from pdcr_widgets.causal.baseline import BASELINES
from pdcr_widgets.causal.inspect import PatchDraws, patch_draws
from pdcr_widgets.causal.outcome import OUTCOMES
from pdcr_widgets.causal.results import ATEMap, ATEUpdate
from pdcr_widgets.causal.segmenter import Segmenter, segmenter

__all__ = [
    "BASELINES",
    "OUTCOMES",
    "ATEMap",
    "ATEUpdate",
    "PatchBank",
    "PatchDraws",
    "Segmenter",
    "ate_map",
    "iter_ate",
    "patch_draws",
    "segmenter",
]
