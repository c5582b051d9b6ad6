"""The exact incremental engine: only what an intervention changes and the region reads is computed.

``build`` makes an engine: ``capture`` records the model's graph while it runs once, ``builder`` and
``rules`` bring the calls to the windowed nodes of a ``graph``, ``folding`` simplifies them.
``cones`` plans which part of each node an intervention changes and the region reads, ``windows``
lays these parts out, and ``executor`` computes them from ``tables`` of the original activations.
``suffixes`` does the same for values in the middle of the network.
"""

from __future__ import annotations

from pdcr_widgets.causal.incremental.build import incremental_engine
from pdcr_widgets.causal.incremental.capture import Unsupported
from pdcr_widgets.causal.incremental.engine import IncrementalEngine
from pdcr_widgets.causal.incremental.refusing import OneByOne

__all__ = ["IncrementalEngine", "OneByOne", "Unsupported", "incremental_engine"]
