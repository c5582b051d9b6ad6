"""One patch, dragged over a picture: the first intervention one ever makes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import ipywidgets as w
import numpy as np
import torch

from pdcr_widgets.causal.baseline import as_baseline
from pdcr_widgets.causal.boxes import pasted
from pdcr_widgets.causal.experiment import Target
from pdcr_widgets.lessons.activity import Activity, apart, button, choice
from pdcr_widgets.lessons.patch_stage import PatchStage
from pdcr_widgets.lessons.words import effect_line, legend, meter
from pdcr_widgets.turns import turn
from pdcr_widgets.widgets.style import markup
from pdcr_widgets.widgets.text import signed

CONTENTS = [("Black", "zero"), ("Image mean", "mean"), ("Natural patch", "bank")]


@dataclass(frozen=True, eq=False)
class Intervened:
    """What one intervention did.

    Attributes
    ----------
    place : (row, column)
        First pixel of the patch.
    prediction : ndarray (height, width) bool
    outcome
        Points in the region.
    touches
        Whether the patch covers a part of the region.
    """

    place: tuple[int, int]
    prediction: np.ndarray
    outcome: float
    touches: bool


class PatchProbe(Activity):
    """Drag a patch over the picture; the prediction and its Dice follow.

    Parameters
    ----------
    case
        A case as of `pdcr_widgets.demo.load`.
    patch_size
        Side, pixels.
    threaded
        False computes in the caller's thread, for scripts and tests.

    Attributes
    ----------
    stage : PatchStage
        The picture.
    content : {"zero", "mean", "bank"}
        What is pasted, as the trait ``value`` of a row of buttons.
    effect : float or None
        Points; negative where the patch supports the target. None where it covers the region.
    """

    def __init__(self, case: Any, *, patch_size: int = 16, threaded: bool = True) -> None:
        super().__init__(threaded=threaded)
        with turn():
            self._target = Target.of(apart(case.segmenter), case.image, case.region, case.truth)
            self._bank = case.make_bank(patch_size)
        self._draw = 0
        self.effect: float | None = None
        self._strongest = 0.0
        target = self._target
        self._before = (target.probability > target.segmenter.threshold).cpu().numpy()
        self.stage = PatchStage(
            case.image, region=case.region, truth=case.truth, original=self._before,
            patch_size=patch_size, mode="drag",
            label="Slice: drag the patch, or use the arrow keys",
        )  # fmt: skip
        self.content = choice("What is pasted", CONTENTS, "zero")
        self._another = button("Another natural patch", self.draw)
        self._readout, caption = markup("pdcr-readout-area"), markup("pdcr-caption")
        caption.value = legend("region", "prediction", "original", "truth")
        self.arrange(
            [self.stage, caption],
            [w.Label("What is pasted"), self.content, self._another, self._readout],
        )
        self.stage.observe(self._measure, names=["place"])
        self.content.observe(self._change, names=["value"])
        self.reset()

    def draw(self) -> None:
        """Paste another natural patch."""
        self._draw += 1
        self._change()

    def reset(self) -> None:
        """Put the patch back to the corner it started from."""
        self.forget()
        self._draw, self._strongest = 0, 0.0
        size = self.stage.patch_size
        self.content.value = "zero"
        self._change()
        self.stage.place = (size, size)
        self._measure()

    def show(self, event: Intervened) -> None:
        """Show the prediction and what it is worth."""
        self.stage.prediction = event.prediction
        effect = event.outcome - self._target.base
        self.effect = None if event.touches else effect
        lines = [meter("Dice before", self._target.base), meter("Dice now", event.outcome)]
        if event.touches:
            lines.append(
                '<p class="pdcr-note">The patch covers a part of the target region. That hides the '
                "target itself, so such patches are left out of a map.</p>"
            )
        else:
            lines.append(effect_line(effect))
            if abs(effect) > abs(self._strongest):
                self._strongest = effect
        found = f"Strongest effect so far: <b>{signed(self._strongest)} points</b>"
        lines.append(f'<p class="pdcr-faint">{found}</p>')
        self._readout.value = "".join(lines)

    def _change(self, _change: Any = None) -> None:
        kind = self.content.value
        self._another.layout.display = None if kind == "bank" else "none"
        target, size = self._target, self.stage.patch_size
        spec = self._bank if kind == "bank" else kind
        baseline = as_baseline(spec, target.image, (size, size))
        number = np.array([self._draw % baseline.choices])
        self._content = baseline.content(np.zeros((1, 2), dtype=int), number)
        self.stage.show_paste(self._content[0].float().cpu().numpy())
        self._measure()

    def _measure(self, _change: Any = None) -> None:
        place = self.stage.place
        if place is not None:
            content = self._content
            self.ask(lambda: self._intervene(place, content))

    def _intervene(self, place: tuple[int, int], content: torch.Tensor) -> Iterator[Intervened]:
        target, size = self._target, self.stage.patch_size
        height, width = self.stage.shape
        top, left = min(place[0], height - size), min(place[1], width - size)
        image = pasted(target.image, np.array([[top, left]]), content)
        probability = target.segmenter(image)[0]
        outcome = float(target.measure(probability[target.window][None])[0])
        touches = bool(target.region[top : top + size, left : left + size].any())
        mask = (probability > target.segmenter.threshold).cpu().numpy()
        yield Intervened((top, left), mask, outcome, touches)
