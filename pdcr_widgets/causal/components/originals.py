"""What the sites of a network give for the image at hand."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from pdcr_widgets.causal.components.edits import captured
from pdcr_widgets.causal.components.sites import Place, Site
from pdcr_widgets.causal.experiment import Target


class Originals:
    """Original values, recorded in one pass when the first is asked for.

    Parameters
    ----------
    target
        Whose image is run.
    sites
        Those that will be asked for; others take a pass of their own.
    """

    def __init__(self, target: Target, sites: Sequence[Site]) -> None:
        self._target, self._sites = target, list(sites)
        self._wholes: dict[Place, Tensor] = {}

    def whole(self, site: Site) -> Tensor:
        """Tensor that a site is or is a part of, without the batch axis."""
        if site.place not in self._wholes:
            missing = [s for s in (*self._sites, site) if s.place not in self._wholes]
            whole = {s.place: s.entire() for s in missing}
            kept = captured(self._target.segmenter, self._target.image[None], list(whole.values()))
            self._wholes |= {p: v[0] for p, v in zip(whole, kept[1], strict=True)}
        return self._wholes[site.place]

    def values(self, site: Site) -> Tensor:
        """What is at a site, without the batch axis."""
        return site.cut(self.whole(site)[None])[0]
