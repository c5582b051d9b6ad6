"""The method: tensors in, a generator of frozen events out. Needs torch and numpy only."""

from __future__ import annotations

from pdcr_widgets.causal.ate import ate_map, iter_ate
from pdcr_widgets.causal.bank import PatchBank
from pdcr_widgets.causal.baseline import BASELINES
from pdcr_widgets.causal.inspect import PatchDraws, patch_draws
from pdcr_widgets.causal.outcome import OUTCOMES
from pdcr_widgets.causal.results import ATEMap, ATEUpdate
from pdcr_widgets.causal.segmenter import Segmenter, segmenter
from pdcr_widgets.causal.sweep import Sweep
from pdcr_widgets.causal.sweeping import SweepUpdate, iter_sweep

__all__ = [
    "BASELINES",
    "OUTCOMES",
    "ATEMap",
    "ATEUpdate",
    "PatchBank",
    "PatchDraws",
    "Segmenter",
    "Sweep",
    "SweepUpdate",
    "ate_map",
    "iter_ate",
    "iter_sweep",
    "patch_draws",
    "segmenter",
]
