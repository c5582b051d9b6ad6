"""A game: who finds the patches that matter, the learner, the map, or chance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import bqplot as bq
import ipywidgets as w
import numpy as np

from pdcr_widgets.causal import ATEMap, ATEUpdate, iter_ate
from pdcr_widgets.evaluate.erasure import Erasure
from pdcr_widgets.evaluate.ranking import ranked
from pdcr_widgets.lessons.activity import Activity, apart, button
from pdcr_widgets.lessons.patch_stage import PatchStage
from pdcr_widgets.lessons.words import legend
from pdcr_widgets.turns import turn
from pdcr_widgets.widgets import legend as scale
from pdcr_widgets.widgets.canvas_wire import nice_limit
from pdcr_widgets.widgets.colors import COLORMAPS
from pdcr_widgets.widgets.figures import quiet_figure
from pdcr_widgets.widgets.style import markup

RANDOM_ORDERS = 4
CLOSE = 1.0
"""Points of mean Dice below which two orders count as equally good."""
PLAYERS = {
    "you": ("You", "#d97706"),
    "map": ("The map", "#8b5cf6"),
    "random": ("Chance", "#8a93a0"),
}


@dataclass(frozen=True, eq=False)
class Round:
    """The game so far.

    Attributes
    ----------
    curves : dict of str to ndarray
        Points after each deletion, from none on, NaN where not played yet; by player.
    image : ndarray or None
        The picture with the learner's patches replaced so far.
    prediction : ndarray or None
        What the network makes of it.
    ate : ATEMap or None
        The map that plays.
    """

    curves: dict[str, np.ndarray] = field(default_factory=dict)
    image: np.ndarray | None = None
    prediction: np.ndarray | None = None
    ate: ATEMap | None = None

    def score(self, player: str) -> float:
        """Mean outcome over the deletions, points: the lower, the better the order."""
        return float(np.mean(self.curves[player][1:]))


class DeletionGame(Activity):
    """Choose patches in the order in which they matter; then they are replaced one by one.

    The map and a few random orders play the same game.

    Parameters
    ----------
    case
        A case as of `pdcr_widgets.demo.load`.
    region
        Another region than the case's.
    patch_size
        Side, pixels.
    deletions
        Patches that each player replaces.
    seed
        Of the random orders and of the natural patches that are pasted.
    threaded
        False computes in the caller's thread, for scripts and tests.

    Attributes
    ----------
    stage : PatchStage
        Where patches are chosen, with their numbers.
    round : Round
        What was played.
    """

    def __init__(
        self, case: Any, *, region: Any = None, patch_size: int = 16, deletions: int = 8,
        samples: int = 8, seed: int = 0, threaded: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(threaded=threaded)
        self.round = Round()
        self._deletions, self._samples, self._seed = deletions, samples, seed
        with turn():
            self._bank = case.make_bank(patch_size)
            self._erasure = Erasure.of(
                apart(case.segmenter), case.image, case.region if region is None else region,
                case.truth, patch_size=patch_size, baseline=self._bank, seed=seed,
            )  # fmt: skip
        target = self._erasure.target
        self._before = (target.probability > target.segmenter.threshold).cpu().numpy()
        self.stage = PatchStage(
            case.image, region=target.region, truth=case.truth, patch_size=patch_size,
            most=deletions, numbered=True,
            label="Slice: choose patches in the order in which you think they matter",
        )  # fmt: skip
        self._play = button("Play", self.play, primary=True)
        self._again = button("Choose anew", self.choose_anew)
        self._map = button("Show the map", self.show_map)
        self._lines, self._figure = _figure(deletions)
        self._words, caption = markup("pdcr-readout-area"), markup("pdcr-caption")
        caption.value = legend("region", "prediction", "truth")
        keys = markup("pdcr-caption")
        keys.value = "".join(
            f'<span><i class="pdcr-line-key" style="background:{color}"></i>{name}</span>'
            for name, color in PLAYERS.values()
        )
        buttons = w.Box([self._play, self._again, self._map])
        buttons.add_class("pdcr-button-row")
        self._scale = markup("pdcr-legend")
        self.arrange([self.stage, self._scale, caption], [self._words, buttons, self._figure, keys])
        self.stage.observe(self._count, names=["chosen"])
        self.choose_anew()

    def choose_anew(self) -> None:
        """Put every patch back and let the learner choose again."""
        self.forget()
        self.round = Round()
        stage, base = self.stage, self._erasure.target
        stage.clear_effect()
        self._scale.value = ""
        stage.image, stage.prediction = base.image.cpu().numpy(), self._before
        stage.chosen, stage.mode = [], "tap"
        for line in self._lines.values():
            line.y = []
        self._map.disabled = True
        self._count()

    def reset(self) -> None:
        """Start over."""
        self.choose_anew()

    def play(self) -> None:
        """Replace the chosen patches one by one, beside the map and chance."""
        if len(self.stage.chosen) < self._deletions:
            return
        self.stage.mode = "still"
        self._play.disabled = True
        chosen = [tuple(cell) for cell in self.stage.chosen]
        self.ask(lambda: self._rounds(chosen))

    def show_map(self) -> None:
        """Paint the map that played."""
        if self.round.ate is not None:
            self.stage.image = self._erasure.target.image.cpu().numpy()
            self.stage.prediction = self._before
            self.stage.show_effect(self.round.ate)
            limit = nice_limit(self.round.ate.effect)
            self._scale.value = scale.scale(limit, COLORMAPS[self.stage.colormap])

    def show(self, event: Round) -> None:
        """Draw the curves as far as they are known."""
        self.round = event
        if event.image is not None:
            self.stage.image, self.stage.prediction = event.image, event.prediction
        for player, curve in event.curves.items():
            known = curve[np.isfinite(curve)]
            line = self._lines[player]
            with line.hold_sync():
                line.x, line.y = np.arange(len(known)), known
        finished = len(event.curves) == len(PLAYERS) and all(
            np.isfinite(curve).all() for curve in event.curves.values()
        )
        self._map.disabled = event.ate is None or not finished
        self._words.value = _verdict(event) if finished else _playing(event)

    def _count(self, _change: Any = None) -> None:
        left = self._deletions - len(self.stage.chosen)
        self._play.disabled = left > 0
        if self.round.curves:
            return
        told = f"Choose {left} more patch{'es' if left != 1 else ''}, the most important first."
        self._words.value = f'<p class="pdcr-note">{told if left else "Ready: press Play."}</p>'

    def _rounds(self, chosen: list[tuple[int, ...]]) -> Iterator[Round]:
        grid = self._erasure.grid
        cells = np.array([np.ravel_multi_index(cell, grid.shape) for cell in chosen])
        curves: dict[str, np.ndarray] = {}
        for curve, image, mask in self._played(cells):
            curves["you"] = curve
            yield Round(dict(curves), image, mask)
        orders = [
            ranked(np.zeros(grid.shape), grid, "random", self._seed + k)
            for k in range(RANDOM_ORDERS)
        ]
        found = [self._erasure.outcomes(self._steps(order)) for order in orders]
        curves["random"] = np.mean(found, axis=0)
        yield Round(dict(curves), image, mask)
        for update in self._measured():
            ate = update.map
            yield Round(dict(curves), image, mask)
        for curve, _, _ in self._played(ranked(ate, grid, "supporting", self._seed)):
            curves["map"] = curve
            yield Round(dict(curves), image, mask, ate)

    def _measured(self) -> Iterator[ATEUpdate]:
        target = self._erasure.target
        return iter_ate(
            target.segmenter, target.image, target.region, target.reference,
            patch_size=self._erasure.grid.patch_size, baseline=self._bank, samples=self._samples,
        )  # fmt: skip

    def _steps(self, order: np.ndarray) -> np.ndarray:
        """Which cells are replaced at each step, ``(deletions + 1, cells)`` booleans."""
        rank = np.full(self._erasure.grid.touching.size, self._deletions + 1)
        first = order[: self._deletions]
        rank[first] = np.arange(1, len(first) + 1)
        return rank <= np.arange(self._deletions + 1)[:, None]

    def _played(self, order: np.ndarray) -> Iterator[tuple[np.ndarray, Any, Any]]:
        erasure, curve = self._erasure, np.full(self._deletions + 1, np.nan)
        for number, replaced in enumerate(self._steps(order)):
            (probability,) = erasure.probabilities(replaced[None])
            inside = probability[(slice(None), *erasure.target.window)]
            curve[number] = float(erasure.target.measure(inside)[0])
            mask = (probability[0] > erasure.target.segmenter.threshold).cpu().numpy()
            yield curve.copy(), erasure.images(replaced[None])[0].cpu().numpy(), mask


def _playing(game: Round) -> str:
    stage = {1: "Replacing your patches …", 2: "The map is being measured …", 3: "The map plays …"}
    return f'<p class="pdcr-note">{stage[len(game.curves)]}</p>'


def _verdict(game: Round) -> str:
    """Say who won; the lower the mean Dice, the better the order."""
    scores = {player: game.score(player) for player in PLAYERS}
    rows = "".join(
        f"<tr><td>{name}</td><td><b>{scores[player]:.1f}</b></td></tr>"
        for player, (name, _) in PLAYERS.items()
    )
    if scores["you"] <= scores["map"]:
        told = "You found patches that matter at least as much as those of the map. Well played."
    elif scores["you"] < scores["random"] - CLOSE:
        told = "Better than chance. The map found patches that matter more."
    else:
        told = "No better than chance, or hardly, this time. Look at the map, then choose anew."
    return (
        f"<p class='pdcr-note'>{told}</p><table class='pdcr-scores'>"
        f"<tr><th>Player</th><th>mean Dice (lower is better)</th></tr>{rows}</table>"
    )


def _figure(deletions: int) -> tuple[dict[str, bq.Lines], bq.Figure]:
    steps = bq.LinearScale(min=0, max=deletions)
    points = bq.LinearScale(min=0, max=100)
    lines = {
        player: bq.Lines(
            x=[], y=[], scales={"x": steps, "y": points}, colors=[color], stroke_width=3,
            line_style="dashed" if player == "random" else "solid",
        )
        for player, (_, color) in PLAYERS.items()
    }  # fmt: skip
    across = bq.Axis(
        scale=steps, label="patches replaced", tick_values=np.arange(deletions + 1),
        tick_format="d", grid_lines="none", label_offset="30px",
    )  # fmt: skip
    upwards = bq.Axis(
        scale=points, side="left", label="Dice",
        tick_values=np.arange(0, 101, 20), tick_format="d",
    )  # fmt: skip
    margin = {"top": 8, "bottom": 42, "left": 48, "right": 12}
    axes = [across, upwards]
    return lines, quiet_figure("230px", margin, marks=list(lines.values()), axes=axes)
