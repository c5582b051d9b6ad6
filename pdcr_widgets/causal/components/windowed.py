"""Runs only what follows a layer and the region reads."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from pdcr_widgets.causal.components.edits import Edit
from pdcr_widgets.causal.components.interventions import Window
from pdcr_widgets.causal.components.originals import Originals
from pdcr_widgets.causal.components.runner import HookRunner, batches, spread
from pdcr_widgets.causal.components.sites import Place as Key
from pdcr_widgets.causal.components.sites import Site
from pdcr_widgets.causal.experiment import Target
from pdcr_widgets.causal.incremental import OneByOne, Unsupported, incremental_engine
from pdcr_widgets.causal.incremental.layers import Place
from pdcr_widgets.causal.incremental.suffixes import Suffixes

ENGINES = ("auto", "incremental", "full")
BATCH = 32
ROUNDING = 1e-3


class WindowedRunner:
    """Exact predictions inside a window, at the cost of what follows the sites in its cone.

    Sites that the recorded graph does not have go through hooks and whole passes.

    Parameters
    ----------
    suffixes
        Of the engine for the target's image and the window that is read.
    hooks
        For all other sites.
    originals
        What the sites give for the image.
    """

    name = "incremental"

    def __init__(self, suffixes: Suffixes, hooks: HookRunner, originals: Originals) -> None:
        self._suffixes, self._hooks, self._originals = suffixes, hooks, originals
        self.reason = ""
        self.batch = BATCH
        self._places: dict[Key, Place | None] = {}

    def starts_at(self, site: Site) -> bool:
        """Whether the engine can start from a site."""
        return self._place(site) is not None

    def window(self, site: Site) -> Window:
        """Part of the site that the region reads."""
        place = self._place(site)
        is_map = place is not None and self._suffixes.is_map(place)
        if place is None or not is_map or not _by_channels(site):
            return self._hooks.window(site)
        spatial = self._suffixes.window(place) or tuple(slice(0, 1) for _ in site.shape[1:])
        return (slice(0, site.shape[0]), *spatial)

    def probabilities(self, edits: Sequence[Edit]) -> Tensor:
        """Replace all sites at once and predict: ``n`` contents each -> ``(n, *read)`` in 0..1.

        Of several sites whole contents are needed, of one what `window` says is enough.
        """
        places = [self._place(site) for site, _ in edits]
        found = [place for place in places if place is not None]
        if len(found) < len(edits) or self._mixes(edits, found):
            return self._hooks.probabilities(edits)
        contents: dict[Place, Tensor] = {}
        for (site, content), place in zip(edits, found, strict=True):
            if site.parts:
                original = self._originals.whole(site)[self._shown(site, content)]
                whole = contents.get(place, original.expand(len(content), *original.shape))
                content = site.put(whole, content)
            contents[place] = content
        return self._suffixes.probabilities(contents)

    def each(self, edits: Sequence[Edit], whole: Tensor) -> Tensor:
        """Replace the sites, all parts of one tensor, one at a time."""
        site = edits[0][0]
        place = self._place(site)
        if place is None:
            return self._hooks.each(edits, whole)
        shown = whole[self._shown(*edits[0])]
        return torch.cat(
            [
                self._suffixes.probabilities({place: spread(part, shown)})
                for part in batches(edits, self.batch)
            ]
        )

    def _shown(self, site: Site, content: Tensor) -> Window:
        """Part of the whole tensor in which a content of a site, or of its window, is put."""
        is_whole = tuple(content.shape[1:]) == site.shape
        return (slice(None),) if is_whole else (slice(None), *self.window(site)[1:])

    def _mixes(self, edits: Sequence[Edit], places: Sequence[Place]) -> bool:
        """Whether the rest of a tensor follows from another site, so that it is not known."""
        partly = [p for (site, _), p in zip(edits, places, strict=True) if site.parts]
        return any(
            self._suffixes.follows(later, earlier)
            for later in partly
            for earlier in places
            if earlier != later
        )

    def _place(self, site: Site) -> Place | None:
        if site.place not in self._places:
            self._places[site.place] = self._find(site)
        return self._places[site.place]

    def _find(self, site: Site) -> Place | None:
        suffixes = self._suffixes
        if site.module:
            place = None if site.passes else suffixes.layer(site.module)
        elif site.path:
            place = suffixes.edge(site.operator, site.number, site.path)
        else:
            place = suffixes.result(site.operator, site.number)
        if place is None or suffixes.shape(place) != site.whole_shape:
            return None
        return place if site.module or self._is_the_same(site, place) else None

    def _is_the_same(self, site: Site, place: Place) -> bool:
        """Whether an operation found by counting gave what the hooks saw."""
        recorded, seen = self._suffixes.original(place), self._originals.whole(site)
        size = float(seen.abs().max())
        return recorded is not None and torch.allclose(recorded, seen, ROUNDING, ROUNDING * size)


def _by_channels(site: Site) -> bool:
    """Whether a site has all positions of its tensor, channels first."""
    return site.channel == 0 and all(axis == site.channel for axis, _, _ in site.parts)


def make_runner(
    target: Target, read: Window, engine: str, batch: int | None, originals: Originals
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
    originals
        What the sites give for the image.

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
        alone = isinstance(reason, OneByOne)
        return HookRunner(target, read, 1 if alone else batch, str(reason))
    return WindowedRunner(Suffixes(made), HookRunner(target, read, batch), originals)
