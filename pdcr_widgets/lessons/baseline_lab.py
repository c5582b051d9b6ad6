"""The same patch under several baselines: from one draw to an average effect."""

from __future__ import annotations

from typing import Any

import ipywidgets as w
import numpy as np

from pdcr_widgets.causal import ATEMap
from pdcr_widgets.lessons.activity import choice
from pdcr_widgets.lessons.patch_stage import PatchStage
from pdcr_widgets.lessons.words import bar, effect_line, legend
from pdcr_widgets.session import Session
from pdcr_widgets.widgets import legend as scale
from pdcr_widgets.widgets.canvas_wire import nice_limit
from pdcr_widgets.widgets.colors import COLORMAPS
from pdcr_widgets.widgets.feed import MapFeed
from pdcr_widgets.widgets.patch_inspector import PatchInspector
from pdcr_widgets.widgets.status import error_html
from pdcr_widgets.widgets.style import block, markup
from pdcr_widgets.widgets.view import View

BASELINES = [
    ("Black", "zero"),
    ("Image mean", "mean"),
    ("Blur", "blur"),
    ("Noise", "noise"),
    ("Natural patches", "bank"),
]


class BaselineLab(View):
    """Choose what is pasted, watch the map, touch a patch to see its draws one by one.

    Parameters
    ----------
    case
        A case as of `pdcr_widgets.demo.load`.
    patch_size
        Side, pixels.
    samples
        Draws per patch at most.
    threaded
        False computes in the caller's thread, for scripts and tests.

    Attributes
    ----------
    session : Session
        Owner of the map and the draws.
    stage : PatchStage
        The picture with its map.
    baseline
        Row of buttons; its ``value`` is the session's baseline.
    tried : dict of str to ATEMap
        The finished map of every baseline tried so far.
    """

    def __init__(
        self, case: Any, *, patch_size: int = 16, samples: int = 24, threaded: bool = True
    ) -> None:
        super().__init__()
        self.tried: dict[str, ATEMap] = {}
        self._drawn: dict[tuple[str, tuple[int, int]], tuple[float, float]] = {}
        # As in the paper, whose estimate is a plain mean: it agrees with the draws that are shown.
        self.session = Session(
            case, patch_size=patch_size, baseline="zero", samples=samples, sampling="paper",
            with_layers=False,
            threaded=threaded,
        )  # fmt: skip
        self.stage = PatchStage(
            case.image, region=case.region, patch_size=patch_size, mode="tap", most=1,
            label="Slice with its effect map: touch a patch to see its draws",
        )  # fmt: skip
        self.baseline = choice("What is pasted", BASELINES, "zero")
        self.inspector = PatchInspector(self.session)
        self._scale, self._table = markup("pdcr-legend"), markup("pdcr-readout-area")
        self._error, caption = markup("pdcr-error-area"), markup("pdcr-caption")
        caption.value = legend("region")
        pictures = block("pdcr-activity-pictures", children=[self.stage, self._scale, caption])
        panel = block(
            "pdcr-activity-panel",
            children=[
                w.Label("What is pasted"), self.baseline, self._table, self.inspector, self._error,
            ],
        )  # fmt: skip
        self.fill(block("pdcr-activity-parts", children=[pictures, panel]))
        self.add_class("pdcr-activity")
        self._connect()
        self.session.run()

    def reset(self) -> None:
        """Forget what was tried and start with black patches."""
        self.tried, self._drawn = {}, {}
        self.session.patch = None
        self.baseline.value = "zero"
        self.session.run()
        self._draw()

    def still(self) -> bytes:
        """Give the picture with its map as PNG."""
        return self.stage.still()

    def close(self) -> None:
        """End the computation and take the widgets off the page."""
        if self.comm is not None:
            self._feed.close()
            self.session.close()
        super().close()

    def _connect(self) -> None:
        session = self.session
        self._feed = MapFeed(session, self.stage)
        self.stage.on_here(self)
        self.link((self.baseline, "value"), (session, "baseline"))
        self.watch(self.stage, ["chosen"], self._choose)
        self.watch(session, ["patch"], self._choose_back)
        self.watch(session, ["status"], self._keep)
        self.watch(session, ["status", "ate", "patch", "draws"], self._draw)
        self.watch(session, ["error"], self._tell_error)

    def _choose(self, _change: Any) -> None:
        chosen = self.stage.chosen
        self.session.patch = tuple(chosen[-1]) if chosen else None

    def _choose_back(self, _change: Any) -> None:
        patch = self.session.patch
        self.stage.chosen = [] if patch is None else [patch]

    def _tell_error(self, _change: Any) -> None:
        self._error.value = error_html(self.session)

    def _keep(self, change: Any) -> None:
        ate = self.session.ate
        if change.new == "done" and ate is not None:
            self.tried[ate.recipe["baseline"]] = ate

    def _draw(self, _change: Any = None) -> None:
        session = self.session
        if session.ate is not None:
            limit = nice_limit(session.ate.effect)
            self._scale.value = scale.scale(limit, COLORMAPS[self.stage.colormap])
        self._table.value = self._comparison()

    def _comparison(self) -> str:
        """The chosen patch under every baseline tried, or the extremes of each map."""
        patch = self.session.patch
        shown = {name: self._effect(name, patch)[0] for name in self.tried}
        limit = max([abs(effect) for effect in shown.values()], default=0.0)
        heading = "Strongest support on the whole map" if patch is None else "This patch"
        rows = [f'<p class="pdcr-subtitle">{heading}, by what is pasted</p>']
        for label, name in BASELINES:
            waiting = "measuring" if name == self.session.baseline else "not tried yet"
            rows.append(bar(label, shown.get(name), limit, waiting))
        if patch is not None and self.session.baseline in self.tried:
            rows.append(effect_line(*self._effect(self.session.baseline, patch)))
        return "".join(rows)

    def _effect(self, name: str, patch: tuple[int, int] | None) -> tuple[float, float]:
        """Effect and standard error under a baseline: of the draws that are shown, if they are."""
        ate, draws = self.tried[name], self.session.draws
        if patch is None:
            return float(np.nanmin(ate.effect)), 0.0
        if name == self.session.baseline and draws is not None and (draws.row, draws.col) == patch:
            self._drawn[name, patch] = _mean(draws.effects)
        return self._drawn.get((name, patch), (float(ate.effect[patch]), float(ate.stderr[patch])))


def _mean(effects: np.ndarray) -> tuple[float, float]:
    if np.ptp(effects) == 0:
        return float(effects[0]), 0.0
    return float(effects.mean()), float(effects.std(ddof=1) / np.sqrt(len(effects)))
