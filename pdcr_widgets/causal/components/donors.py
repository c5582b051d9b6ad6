"""What other images give at the sites of a network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod

import torch
from torch import Tensor

from pdcr_widgets.causal.components.edits import captured
from pdcr_widgets.causal.components.interventions import Window
from pdcr_widgets.causal.components.sites import Site
from pdcr_widgets.causal.experiment import Target
from pdcr_widgets.causal.ingredients import tensor_digest

KEPT_BYTES = 2**30
STEP = 4


class Donors:
    """Activations of other images, cropped to what is read of them.

    Crops that fit into 1 GiB together are recorded once for all sites; larger ones, again for each
    site when they are wanted.

    Parameters
    ----------
    target
        Whose segmenter is run.
    images
        ``(n, channels, *spatial)``, on the segmenter's device.
    sites
        Sites of interest.
    window
        Part of each site that is wanted.
    """

    def __init__(
        self,
        target: Target,
        images: Tensor,
        sites: Sequence[Site],
        window: Callable[[Site], Window],
    ) -> None:
        self._target, self._images, self._sites = target, images, list(sites)
        self._window = window
        self._crops: dict[str, Tensor] | None = None
        self._means: dict[str, Tensor] = {}

    def __len__(self) -> int:
        return len(self._images)

    def digest(self) -> str:
        """SHA-256 of the images, to name them in a recipe."""
        return tensor_digest(self._images)

    def at(self, sites: Sequence[Site], window: Callable[[Site], Window]) -> Donors:
        """Give the same donors for other sites or parts of them."""
        return Donors(self._target, self._images, sites, window)

    def activations(self, site: Site, picks: Sequence[int]) -> Tensor:
        """What is at the site's window for donors ``picks``, ``(len(picks), *window)``."""
        if self._crops is None:
            self._crops = self._record(self._sites) if self._fit() else {}
        if site.name in self._crops:
            return self._crops[site.name][list(picks)]
        return self._record([site], list(picks))[site.name]

    def mean(self, site: Site) -> Tensor:
        """Per channel, mean over donors and positions, of size 1 on the positions."""
        if not self._means:
            self._means = self._all_means()
        return self._means[site.name]

    def _fit(self) -> bool:
        wanted = sum(
            prod(
                part.indices(n)[1] - part.indices(n)[0] for part, n in zip(w, s.shape, strict=True)
            )
            for s, w in ((site, self._window(site)) for site in self._sites)
        )
        return wanted * len(self) * self._images.element_size() <= KEPT_BYTES

    def _record(
        self, sites: Sequence[Site], picks: Sequence[int] | None = None
    ) -> dict[str, Tensor]:
        images = self._images if picks is None else self._images[list(picks)]
        parts: dict[str, list[Tensor]] = {site.name: [] for site in sites}
        windows = {site.name: (slice(None), *self._window(site)) for site in sites}
        for few in torch.split(images, STEP):
            kept = captured(self._target.segmenter, few, sites)[1]
            for site, values in zip(sites, kept, strict=True):
                parts[site.name].append(values[windows[site.name]].clone())
        return {name: torch.cat(found) for name, found in parts.items()}

    def _all_means(self) -> dict[str, Tensor]:
        sums: dict[str, Tensor] = {}
        for few in torch.split(self._images, STEP):
            kept = captured(self._target.segmenter, few, self._sites)[1]
            for site, values in zip(self._sites, kept, strict=True):
                dims = [a + 1 for a in range(len(site.shape)) if a != site.channel]
                each = values.float()
                each = each.mean(dims, keepdim=True) if dims else each
                sums[site.name] = sums.get(site.name, 0) + each.sum(dim=0)
        return {name: (total / len(self)).to(self._images) for name, total in sums.items()}
