"""Cut the skip connections of a network, one or several at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import ipywidgets as w
import numpy as np

from pdcr_widgets.causal.components.cutting import Cuts
from pdcr_widgets.lessons.activity import Activity, apart, choice
from pdcr_widgets.lessons.drawing import u_net
from pdcr_widgets.lessons.patch_stage import PatchStage
from pdcr_widgets.lessons.words import bar, effect_line, legend, meter
from pdcr_widgets.turns import turn
from pdcr_widgets.widgets.style import block, markup

KINDS = [("Its own mean", "mean"), ("Zero", "zero")]


@dataclass(frozen=True, eq=False)
class Cut:
    """What the network says with some connections cut: which, prediction and points."""

    cut: tuple[str, ...]
    kind: str
    prediction: np.ndarray
    outcome: float


class SkipSwitches(Activity):
    """One switch per skip connection; what is cut carries its own mean, or nothing.

    Parameters
    ----------
    case
        A case as of `pdcr_widgets.demo.load`.
    threaded
        False computes in the caller's thread, for scripts and tests.

    Attributes
    ----------
    stage : PatchStage
        The picture with the prediction.
    switches : dict of str to ToggleButton
        Pressed: cut. By the connection's name, deepest last.
    kind : {"mean", "zero"}
        What a cut connection carries, as the trait ``value`` of a row of buttons.
    tried : dict
        ``(kind, names) -> effect``, points, of everything tried so far.
    """

    def __init__(self, case: Any, *, threaded: bool = True) -> None:
        super().__init__(threaded=threaded)
        with turn():
            self._cuts = Cuts.of(apart(case.segmenter), case.image, case.region, case.truth)
        self.tried: dict[tuple[str, tuple[str, ...]], float] = {}
        target = self._cuts.target
        before = (target.probability > target.segmenter.threshold).cpu().numpy()
        self.stage = PatchStage(
            case.image, region=case.region, truth=case.truth, original=before,
            label="Slice with the prediction of the network as it is wired now",
        )  # fmt: skip
        self.kind = choice("What a cut connection carries", KINDS, "mean")
        shallow_first = self._cuts.names[::-1] if self._deepest_first() else self._cuts.names
        self.switches = {
            name: self._switch(name, number) for number, name in enumerate(shallow_first, 1)
        }
        self._drawing, self._readout = markup("pdcr-drawing"), markup("pdcr-readout-area")
        caption = markup("pdcr-caption")
        caption.value = legend("region", "prediction", "original", "truth")
        rows = block("pdcr-switches", children=list(self.switches.values()))
        self.arrange(
            [self.stage, caption],
            [
                w.Label("Press a connection to cut it"), rows, self._drawing,
                w.Label("What a cut connection carries"), self.kind, self._readout,
            ],
        )  # fmt: skip
        self.kind.observe(self._rewire, names=["value"])
        self._rewire()

    @property
    def cut(self) -> tuple[str, ...]:
        """Names of the connections that are cut."""
        return tuple(name for name, switch in self.switches.items() if switch.value)

    def reset(self) -> None:
        """Connect everything and forget what was tried."""
        self.forget()
        self.tried = {}
        self.kind.value = "mean"
        for switch in self.switches.values():
            switch.value = False
        self._rewire()

    def show(self, event: Cut) -> None:
        """Show prediction and points."""
        base = self._cuts.target.base
        effect = event.outcome - base
        if event.cut:
            self.tried[event.kind, event.cut] = effect
        self.stage.prediction = event.prediction
        lines = [meter("Dice as built", base), meter("Dice now", event.outcome)]
        if event.cut:
            lines.append(effect_line(effect, what="what is cut"))
        self._readout.value = "".join(lines) + self._history(event.kind)

    def _history(self, kind: str) -> str:
        rows = {names: effect for (how, names), effect in self.tried.items() if how == kind}
        if not rows:
            return ""
        limit = max(abs(effect) for effect in rows.values())
        numbers = {name: str(i) for i, name in enumerate(self.switches, 1)}
        told = [
            bar("Cut " + " + ".join(numbers[name] for name in names), rows[names], limit)
            for names in sorted(rows, key=lambda names: (len(names), names))
        ]
        return '<p class="pdcr-subtitle">Tried so far</p>' + "".join(told)

    def _deepest_first(self) -> bool:
        sizes = [np.prod(self._cuts.shape(name)[1:]) for name in self._cuts.names]
        return bool(sizes[0] < sizes[-1])

    def _switch(self, name: str, number: int) -> w.ToggleButton:
        switch = w.ToggleButton(description=f"Connection {number}", tooltip=name)
        switch.add_class("pdcr-switch")
        switch.observe(self._rewire, names=["value"])
        return switch

    def _rewire(self, _change: Any = None) -> None:
        cut, kind = self.cut, str(self.kind.value)
        self._drawing.value = u_net([switch.value for switch in self.switches.values()])
        self.ask(lambda: self._predict(cut, kind))

    def _predict(self, cut: tuple[str, ...], kind: str) -> Iterator[Cut]:
        target = self._cuts.target
        probability = self._cuts.probability(cut, kind)
        outcome = float(target.measure(probability[target.window][None])[0])
        mask = (probability > target.segmenter.threshold).cpu().numpy()
        yield Cut(cut, kind, mask, outcome)
