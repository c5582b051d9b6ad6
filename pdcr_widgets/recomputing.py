"""A result again from its recipe, whatever part of the package it came from."""

from __future__ import annotations

from pdcr_widgets import evaluate as _evaluate  # noqa: F401 : adds its kinds of recipes
from pdcr_widgets.causal.recomputing import recompute

__all__ = ["recompute"]
