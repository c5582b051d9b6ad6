"""Runs only what follows a layer and the region reads."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from pdcr_widgets.causal.components.edits import Edit
from pdcr_widgets.causal.components.interventions import Window
from pdcr_widgets.causal.components.runner import HookRunner, batches, spread
from pdcr_widgets.causal.components.sites import Site
from pdcr_widgets.causal.experiment import Target
from pdcr_widgets.causal.incremental import IncrementalEngine, Unsupported, incremental_engine
from pdcr_widgets.causal.incremental.edges import EdgeSource

ENGINES = ("auto", "incremental", "full")
BATCH = 32


class WindowedRunner:
    """Exact predictions inside a window, at the cost of what follows a layer in its cone.

    Sites that the engine cannot start from (heads, tensors that are no maps) go through hooks and
    whole passes.

    Parameters
    ----------
    engine
        For the target's image and the window that is read.
    hooks
        For all other sites.
    """

    name = "incremental"

    def __init__(self, engine: IncrementalEngine, hooks: HookRunner) -> None:
        self._engine, self._hooks = engine, hooks
        self._layers = engine.layers()
        self.reason = ""
        self.batch = BATCH
        self._edge_at: tuple[Site, EdgeSource | None] | None = None

    def starts_at(self, site: Site) -> bool:
        """Whether the engine can start from a site."""
        if site.operator:
            return self._edge(site) is not None
        if site.passes or site.module not in self._layers:
            return False
        shape = self._layers[site.module]
        if site.part is not None:
            start, stop = site.part[1:]
            shape = (stop - start, *shape[1:]) if site.part[0] == 0 else ()
        return site.channel == 0 and site.shape == shape

    def window(self, site: Site) -> Window:
        """Part of the site that the region reads."""
        if not self.starts_at(site):
            return self._hooks.window(site)
        edge = self._edge(site)
        spatial = self._engine.layer_window(site.module) if edge is None else edge.window
        spatial = spatial or tuple(slice(0, 1) for _ in site.shape[1:])
        return (slice(0, site.shape[0]), *spatial)

    def probabilities(self, edits: Sequence[Edit]) -> Tensor:
        """Replace all sites at once and predict: ``n`` contents each -> ``(n, *read)`` in 0..1."""
        (site, content), *others = edits
        if others or site.part is not None or not self.starts_at(site):
            return self._hooks.probabilities(edits)
        edge = self._edge(site)
        if edge is not None:
            return edge.probabilities(content)
        return self._engine.layer_probabilities(site.module, content)

    def _edge(self, site: Site) -> EdgeSource | None:
        """Give what starts from an edge; None for other sites and where there is no such window."""
        if not site.operator:
            return None
        if self._edge_at is None or self._edge_at[0] != site:
            self._edge_at = site, self._started(site)
        return self._edge_at[1]

    def _started(self, site: Site) -> EdgeSource | None:
        try:
            source = EdgeSource(self._engine, site.operator, site.number, site.path)
        except Unsupported:
            return None
        return source if source.shape == site.shape and site.channel == 0 else None

    def each(self, edits: Sequence[Edit], whole: Tensor) -> Tensor:
        """Replace the sites, all parts of one tensor, one at a time."""
        site = edits[0][0]
        if not self.starts_at(site):
            return self._hooks.each(edits, whole)
        window = (slice(None), *self.window(site)[1:])
        return torch.cat(
            [
                self._engine.layer_probabilities(site.module, spread(part, whole[window]))
                for part in batches(edits, self.batch)
            ]
        )


def make_runner(
    target: Target, read: Window, engine: str, batch: int | None
) -> HookRunner | WindowedRunner:
    """Give the fastest runner that agrees with whole passes.

    Parameters
    ----------
    target
        What is measured.
    read
        Slices of the spatial axes that are read.
    engine
        ``"auto"``, ``"incremental"`` or ``"full"``.
    batch
        Interventions per whole pass; None leaves it to the runner.

    Raises
    ------
    ValueError
        An unknown engine, or a model that the incremental engine cannot take.
    """
    if engine not in ENGINES:
        raise ValueError(f"engine must be one of {list(ENGINES)}, got {engine!r}")
    if engine == "full":
        return HookRunner(target, read, batch, "asked for")
    try:
        made = incremental_engine(
            target.segmenter, target.image, read, must_be_faster=engine == "auto"
        )
    except Unsupported as reason:
        if engine == "incremental":
            raise ValueError(f"the incremental engine cannot be used: {reason}") from reason
        return HookRunner(target, read, batch, str(reason))
    return WindowedRunner(made, HookRunner(target, read, batch))
