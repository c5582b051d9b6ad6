"""How interventions are chosen: each sampler fills in the estimates and yields when they change."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pdcr_widgets.causal.sampling.adaptive import adaptive
from pdcr_widgets.causal.sampling.paper import paper
from pdcr_widgets.causal.sampling.progress import Limits, Progress, Settings
from pdcr_widgets.causal.state import Estimates

Sampler = Callable[[Estimates, Settings], Iterator[Progress]]

SAMPLING: dict[str, Sampler] = {"adaptive": adaptive, "paper": paper}

__all__ = [
    "SAMPLING",
    "Limits",
    "Progress",
    "Sampler",
    "Settings",
    "adaptive",
    "paper",
]
