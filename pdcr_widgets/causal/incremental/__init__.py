"""The exact incremental engine: only what an intervention changes and the region reads is computed.

``build`` makes an engine: ``capture`` records the model's graph while it runs once, ``graph`` and
``rules`` bring the calls to windowed nodes, ``folding`` simplifies them. ``cones`` plans which
window of each node an intervention changes and the region reads, ``executor`` computes these windows
from ``tables`` of the original activations, ``engine`` puts interventions into buckets.
"""

from __future__ import annotations

from pdcr_widgets.causal.incremental.build import incremental_engine
from pdcr_widgets.causal.incremental.cache import is_prepared
from pdcr_widgets.causal.incremental.capture import Unsupported
from pdcr_widgets.causal.incremental.engine import IncrementalEngine

__all__ = ["IncrementalEngine", "Unsupported", "incremental_engine", "is_prepared"]
