"""Evaluations per second and whole maps: the paper's loops against ours on identical draws."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from torch import nn

from pdcr_widgets import PatchBank, ate_map, segmenter
from pdcr_widgets.causal.engines import window_engine
from pdcr_widgets.causal.experiment import Experiment, Target
from pdcr_widgets.causal.full import FullEngine
from tests.bench.clock import peak_mib, seconds, side_by_side, table
from tests.bench.models import MODELS, problem
from tests.bench.paper_loop import SAMPLES, SCREENING, PaperLoop

SCREENED, REFINED, POSITIONS, PLAIN = 16, 3, 64, 4
HEAD = [
    "model",
    "engine",
    "paper, eval/s",
    "best plain pass",
    "ours, eval/s",
    "**per evaluation**",
    "paper's map, s",
    "ours, s",
    "**whole map**",
    "max difference",
    "peak MiB",
]


@dataclass
class Case:
    """One model on the common problem, ready for both ways."""

    model: nn.Module

    def __post_init__(self) -> None:
        self.image, self.truth, self.region, patches = problem()
        self.wrapped = segmenter(self.model, 0, "sigmoid")
        self.bank = PatchBank(patches)
        self.loop = PaperLoop(self.wrapped, self.image, self.truth, self.region, patches)
        self.target = Target.of(self.wrapped, self.image, self.region, self.truth)
        self.ours = self.experiment(window_engine(self.target))
        target = self.target
        plain = FullEngine(target.segmenter, target.image, target.window, PLAIN)
        self.plain = self.experiment(plain)
        cells = self.ours.grid.cells
        self.reached = np.random.default_rng(0).permutation(cells[self.ours.reaching(cells)])

    def experiment(self, engine: object) -> Experiment:
        """The same interventions by an engine."""
        return Experiment.of(self.target, 8, self.bank, engine, 0)


def run() -> None:
    """Print one row per model."""
    rows = [_row(name, make) for name, make in MODELS.items()]
    table("256 x 256, patch 8, region 32 x 32, patches that reach it; identical draws", HEAD, rows)


def _row(name: str, make: Callable[[], nn.Module]) -> list[str]:
    case = Case(make())
    rate = _per_evaluation(case)
    taken, theirs, difference = _whole_map(case)
    return [
        name,
        case.ours.engine.name,
        f"{rate['paper']:.1f}",
        f"{rate['plain'] / rate['paper']:.1f}x",
        f"{rate['ours']:.1f}",
        f"**{rate['ours'] / rate['paper']:.1f}x**",
        f"{theirs:.0f}",
        f"{taken:.1f}",
        f"**{theirs / taken:.1f}x**",
        f"{difference:.0e}",
        f"{peak_mib():.0f}",
    ]


def _per_evaluation(case: Case) -> dict[str, float]:
    """Evaluations per second; the paper's are in its batches of 50."""
    each = np.repeat(case.reached[:POSITIONS], SCREENING)
    choices = np.arange(len(each))
    first = int(case.reached[0])
    taken = side_by_side(
        {
            "paper": lambda: case.loop.effects(first, range(SAMPLES)),
            "ours": lambda: case.ours.effects(each, choices),
            "plain": lambda: case.plain.effects(each[: 4 * PLAIN], choices[: 4 * PLAIN]),
        },
        rounds=5,
    )
    counts = {"paper": SAMPLES, "ours": len(each), "plain": 4 * PLAIN}
    return {name: counts[name] / taken[name] for name in taken}


def _whole_map(case: Case) -> tuple[float, float, float]:
    """Seconds of our map, of the paper's from a sample of its calls, and the largest difference."""
    options = {"baseline": case.bank, "sampling": "paper", "empty": "paper"}
    maps = []
    taken = seconds(
        lambda: maps.append(ate_map(case.wrapped, case.image, case.region, case.truth, **options))
    )
    ours = maps[0]
    refined = case.reached[ours.samples.flat[case.reached] == SAMPLES]
    screen = [
        seconds(lambda c=c: case.loop.effects(int(c), range(SCREENING)))
        for c in case.reached[:SCREENED]
    ]
    refine = [
        seconds(lambda c=c: case.loop.effects(int(c), range(SAMPLES)))
        for c in case.reached[:REFINED]
    ]
    theirs = len(case.loop.grid.cells) * np.mean(screen) + len(refined) * np.mean(refine)
    check = [*refined[:REFINED], *case.reached[:SCREENED]]
    paper = np.array([case.loop.effect(int(c)) for c in check])
    return taken, float(theirs), float(np.abs(paper - ours.effect.flat[check]).max())


if __name__ == "__main__":
    run()
