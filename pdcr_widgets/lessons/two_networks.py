"""Two networks on one picture: cover patches of it, and ask each for its map."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import ipywidgets as w
import numpy as np

from pdcr_widgets.causal import ATEMap, iter_ate
from pdcr_widgets.evaluate.erasure import Erasure
from pdcr_widgets.lessons.activity import Activity, apart, button
from pdcr_widgets.lessons.patch_stage import PatchStage
from pdcr_widgets.lessons.words import legend, meter
from pdcr_widgets.turns import turn
from pdcr_widgets.widgets import legend as scale
from pdcr_widgets.widgets.canvas_wire import nice_limit
from pdcr_widgets.widgets.colors import COLORMAPS
from pdcr_widgets.widgets.style import block, markup

COVERED_AT_MOST = 12
NAMES = ("Network A", "Network B")


@dataclass(frozen=True, eq=False)
class Seen:
    """What both networks say of the picture as it is now: picture, predictions, points."""

    image: np.ndarray
    predictions: list[np.ndarray]
    outcomes: list[float]


@dataclass(frozen=True, eq=False)
class Mapped:
    """Maps so far, one per network, and whether they are final."""

    maps: tuple[ATEMap, ...]
    final: bool = False


class TwoNetworks(Activity):
    """Touch patches to cover them with the image's mean colour, or ask for both maps.

    Parameters
    ----------
    first, second
        Cases of the same image and region with two networks.
    patch_size
        Side, pixels.
    threaded
        False computes in the caller's thread, for scripts and tests.

    Attributes
    ----------
    stages : list of PatchStage
        One picture per network; patches are chosen on either.
    outcomes : list of float
        Dice of each network on the picture as it is, points.
    maps : tuple of ATEMap
        The maps, once they were asked for; coloured on one common scale.
    """

    def __init__(
        self, first: Any, second: Any, *, patch_size: int = 16, threaded: bool = True
    ) -> None:
        super().__init__(threaded=threaded)
        with turn():
            self._erasures = [
                Erasure.of(
                    apart(case.segmenter), case.image, case.region, case.truth,
                    patch_size=patch_size, baseline="mean",
                )
                for case in (first, second)
            ]  # fmt: skip
        self.outcomes = [erasure.target.base for erasure in self._erasures]
        self.maps: tuple[ATEMap, ...] = ()
        self.stages = [self._stage(case, name) for case, name in
                       zip((first, second), NAMES, strict=True)]  # fmt: skip
        self._captions = [markup("pdcr-readout-area") for _ in NAMES]
        self._ask = button("Ask both for their map", self.ask_maps, primary=True)
        self._scale, self._note = markup("pdcr-legend"), markup("pdcr-caption")
        columns = [
            block("pdcr-network-column", children=[stage, caption])
            for stage, caption in zip(self.stages, self._captions, strict=True)
        ]
        self._note.value = legend("region", "prediction", "truth")
        self.arrange(
            [block("pdcr-two", children=columns), self._note],
            [
                w.Label("Touch a patch to cover it. Touch again to uncover."),
                button("Uncover everything", self.uncover),
                self._ask,
                self._scale,
            ],
        )
        self.add_class("pdcr-wide")
        for stage in self.stages:
            stage.observe(self._cover, names=["chosen"])
        self._look()

    def uncover(self) -> None:
        """Take every cover away."""
        self.stages[0].chosen = []

    def ask_maps(self) -> None:
        """Measure the effect of every patch on both networks."""
        self._ask.disabled = True
        self.uncover()
        for stage in self.stages:
            stage.mode = "still"
        self.ask(self._maps)

    def reset(self) -> None:
        """Uncover everything and forget the maps."""
        self.forget()
        self.maps = ()
        self._ask.disabled = False
        self._scale.value = ""
        for stage in self.stages:
            stage.clear_effect()
            stage.mode = "tap"
        self.uncover()
        self._look()

    def show(self, event: Seen | Mapped) -> None:
        """Show predictions or maps."""
        if isinstance(event, Mapped):
            self.maps = event.maps
            limit = max(nice_limit(ate.effect) for ate in event.maps)
            self._scale.value = scale.scale(limit, COLORMAPS["red-blue"])
            for stage, ate in zip(self.stages, event.maps, strict=True):
                stage.show_effect(ate, limit=limit)
                stage.mode = "tap" if event.final else "still"
            return
        self.outcomes = event.outcomes
        parts = zip(
            self.stages, self._captions, NAMES, event.predictions, event.outcomes, strict=True
        )
        for stage, caption, name, prediction, outcome in parts:
            stage.image, stage.prediction = event.image, prediction
            caption.value = f'<p class="pdcr-subtitle">{name}</p>{meter("Dice", outcome)}'

    def _stage(self, case: Any, name: str) -> PatchStage:
        size = self._erasures[0].grid.patch_size
        return PatchStage(
            case.image, region=case.region, truth=case.truth, patch_size=size, mode="tap",
            most=COVERED_AT_MOST, max_height=340, opacity=0.75,
            label=f"{name}: touch a patch to cover it",
        )  # fmt: skip

    def _cover(self, change: Any) -> None:
        for stage in self.stages:
            stage.chosen = change.new
        self._look()

    def _look(self) -> None:
        chosen = list(self.stages[0].chosen)
        self.ask(lambda: self._see(chosen))

    def _see(self, chosen: list[tuple[int, int]]) -> Iterator[Seen]:
        covered = np.zeros(self._erasures[0].grid.shape, dtype=bool)
        for cell in chosen:
            if all(place < n for place, n in zip(cell, covered.shape, strict=True)):
                covered[tuple(cell)] = True
        flat = covered.reshape(1, -1)
        image = self._erasures[0].images(flat)[0].cpu().numpy()
        predictions, outcomes = [], []
        for erasure in self._erasures:
            (probability,) = erasure.probabilities(flat)
            inside = probability[(slice(None), *erasure.target.window)]
            outcomes.append(float(erasure.target.measure(inside)[0]))
            predictions.append((probability[0] > erasure.target.segmenter.threshold).cpu().numpy())
        yield Seen(image, predictions, outcomes)

    def _maps(self) -> Iterator[Seen | Mapped]:
        yield from self._see([])
        size = self._erasures[0].grid.patch_size
        streams = [
            iter_ate(
                e.target.segmenter, e.target.image, e.target.region, e.target.reference,
                patch_size=size, baseline="mean",
            )
            for e in self._erasures
        ]  # fmt: skip
        maps: dict[int, ATEMap] = {}
        for updates in zip_longest(*streams):
            maps |= {k: update.map for k, update in enumerate(updates) if update is not None}
            yield Mapped((maps[0], maps[1]))
        yield Mapped((maps[0], maps[1]), final=True)
