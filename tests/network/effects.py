"""Layer effects made up for views."""

from __future__ import annotations

import numpy as np

from pdcr_widgets.causal.components import LayerEffect


def row(layer: str, depth: int, group: str, shape: tuple[int, ...]) -> LayerEffect:
    return LayerEffect(layer, "mean", -1.0, 0.0, 1, np.nan, np.nan, depth, group, shape)
