"""Evaluations until a map is as near to the exhaustive one as the paper's estimator gets."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

from pdcr_widgets import PatchBank, ate_map, iter_ate, segmenter
from pdcr_widgets.causal.engines import window_engine
from pdcr_widgets.causal.experiment import Experiment, Target
from pdcr_widgets.causal.results import ATEMap
from tests.bench.clock import peak_of, rows, seconds, table
from tests.bench.isic import Parts, isic_case
from tests.bench.models import demo_case
from tests.bench.paper_loop import SAMPLES, SCREENING, THRESHOLD, PaperLoop

REGIONS, FILLED, STRIDE = 3, (0.2, 0.8), 8
BANK = 160
TEXTURE = 0.35
SHARES = {1.0: 15, 0.5: 10}
GOAL = 300
HEAD = [
    "case and region", "relevant patches", "paper: evaluations", "RMSE",
    "**saved at that error**", "goal", "**saved at half of it**", "goal",
    "adaptive to its own end: evaluations", "RMSE", "95 % intervals cover (goal 92 to 98 %)",
    "paper's loop, s (from a sample)", "ours to its error, s", "**faster**", "goal", "peak MiB",
]  # fmt: skip


@dataclass
class Problem:
    """A region of a trained case, with a bank small enough to try all of it everywhere."""

    parts: Parts
    bank: PatchBank

    def __post_init__(self) -> None:
        target = Target.of(*self.parts)
        held = Experiment.of(target, 8, self.bank, window_engine(target), 0)
        self.patches = len(held.grid.cells)
        self.cells = held.grid.cells[held.reaching(held.grid.cells)]
        every = np.arange(len(self.bank))
        self.effects = np.array(
            [held.effects(np.full(len(every), cell), every) for cell in self.cells]
        )
        self.oracle = self.effects.mean(axis=1)
        self.relevant = np.abs(self.oracle) >= THRESHOLD

    def rmse(self, effect: np.ndarray) -> float:
        """Root mean square error over the relevant patches, points."""
        return float(np.sqrt(np.mean((effect - self.oracle)[self.relevant] ** 2)))

    def error(self, ate: ATEMap) -> float:
        """The same of a map."""
        return self.rmse(ate.effect.reshape(-1)[self.cells])

    def paper(self, seed: int) -> tuple[float, float]:
        """Error and evaluations of the paper's estimator, which screens every patch."""
        rng = np.random.default_rng(seed)
        first, then = (
            np.take_along_axis(
                self.effects, rng.integers(len(self.bank), size=(len(self.cells), n)), 1
            )
            for n in (SCREENING, SAMPLES)
        )
        survives = (np.abs(first) >= THRESHOLD).any(axis=1)
        mean = np.where(survives, then.mean(axis=1), 0)
        mean[np.abs(mean) < THRESHOLD] = 0
        return self.rmse(mean), SCREENING * self.patches + SAMPLES * float(survives.sum())

    def covered(self, ate: ATEMap) -> float:
        """Share of the drawn patches whose nominal 95 % interval holds the exhaustive mean."""
        off = np.abs(ate.effect.reshape(-1)[self.cells] - self.oracle)
        drawn = ate.samples.reshape(-1)[self.cells] > 0
        return float((off <= 1.96 * ate.stderr.reshape(-1)[self.cells] + 1e-6)[drawn].mean())


def run() -> None:
    """Print one row per case and region."""
    works = [
        (f"{name}, {'that of the demo' if not number else f'another ({number})'}",
         partial(_row, make, number))
        for name, make in CASES.items()
        for number in range(REGIONS)
    ]  # fmt: skip
    table(
        f"Adaptive against paper sampling, banks of {BANK} patches, {REGIONS} regions",
        HEAD,
        rows(works, len(HEAD)),
    )
    print(
        f"\nThe other regions are drawn (seed 0) from the windows of the same size, every {STRIDE} "
        f"pixels, that the truth fills by {FILLED[0]:.0%} to {FILLED[1]:.0%}."
    )


def _demo(name: str) -> tuple[Parts, PatchBank]:
    case = demo_case(name)
    return (case.segmenter, case.image, case.region, case.truth), _some(case.bank)


def _real() -> tuple[Parts, PatchBank]:
    parts, bank = isic_case()
    return parts, _some(bank)


def _texture() -> tuple[Parts, PatchBank]:
    """Patches of one mean brightness each, so that only their texture differs."""
    case = demo_case("brain")
    patches = case.bank.patches[:BANK]
    flat = patches - patches.mean(dim=(2, 3), keepdim=True)
    flat = flat / flat.std(dim=(1, 2, 3), keepdim=True).clamp(min=1e-3)
    bank = PatchBank((0.5 + TEXTURE * flat / 2).clamp(0, 1))
    return (case.segmenter, case.image, case.region, case.truth), bank


CASES: dict[str, Callable[[], tuple[Parts, PatchBank]]] = {
    "brain": partial(_demo, "brain"),
    "dermoscopy, made up": partial(_demo, "dermoscopy"),
    "dermoscopy, real": _real,
    "brain, texture bank": _texture,
}


def _regions(parts: Parts) -> list[np.ndarray]:
    """The case's own region, and others of its size that are drawn among those at a boundary."""
    home, truth = np.asarray(parts[2], bool), np.asarray(parts[3], bool)
    height, width = np.ptp(np.argwhere(home), axis=0) + 1
    places = [
        (top, left)
        for top in range(0, truth.shape[0] - height + 1, STRIDE)
        for left in range(0, truth.shape[1] - width + 1, STRIDE)
        if FILLED[0] <= truth[top : top + height, left : left + width].mean() <= FILLED[1]
    ]
    regions = [home]
    for n in np.random.default_rng(0).permutation(len(places))[: REGIONS - 1]:
        top, left = places[n]
        regions.append(np.zeros_like(truth))
        regions[-1][top : top + height, left : left + width] = True
    return regions


def _some(bank: PatchBank) -> PatchBank:
    return PatchBank(bank.patches[np.random.default_rng(0).permutation(len(bank))[:BANK]])


def _row(make: Callable[[], tuple[Parts, PatchBank]], number: int) -> list[str]:
    parts, bank = make()
    model, image, _, truth = parts
    problem = Problem((model, image, _regions(parts)[number], truth), bank)
    paper = np.array([problem.paper(seed) for seed in range(100)])
    error, spent = float(np.sqrt(np.mean(paper[:, 0] ** 2))), float(paper[:, 1].mean())
    ours = _until(problem, error, int(spent))
    cells = [f"{problem.relevant.sum()}", f"{spent:.0f}", f"{error:.3f}"]
    for share, goal in SHARES.items():
        cells += [f"**{_ratio(spent, ours[share][0])}**", f"{goal}x"]
    ends: list[ATEMap] = []
    memory = peak_of(lambda: ends.append(ate_map(*problem.parts, baseline=problem.bank)))
    cells += [
        f"{ends[0].evaluations}", f"{problem.error(ends[0]):.3f}",
        f"{100 * problem.covered(ends[0]):.1f} %",
    ]  # fmt: skip
    loop, taken = _loop_seconds(problem, spent), ours[1.0][1]
    fastest = f"{taken:.2f}" if taken else "not reached"
    return [
        *cells, f"{loop:.0f}", fastest, f"**{_ratio(loop, taken)}**", f"{GOAL}x", f"{memory:.0f}",
    ]  # fmt: skip


def _ratio(theirs: float, ours: float) -> str:
    return f"{theirs / ours:.1f}x" if ours else "not reached"


def _until(problem: Problem, error: float, budget: int) -> dict[float, tuple[float, float]]:
    """Evaluations and seconds after which the error stays at or below each share of the paper's.

    Both 0 where that takes more evaluations than the paper's.
    """
    options = {"baseline": problem.bank, "precision": 1e-6, "samples": 96}
    track, apart, began = [], 0.0, time.perf_counter()
    for update in iter_ate(*problem.parts, budget=budget, **options):
        came = time.perf_counter()
        track.append((update.done, came - began - apart, problem.error(update.map)))
        apart += time.perf_counter() - came
    found = {}
    for share in SHARES:
        above = [n for n, (_, _, e) in enumerate(track) if e > share * error]
        after = above[-1] + 1 if above else 0
        found[share] = track[after][:2] if after < len(track) else (0.0, 0.0)
    return found


def _loop_seconds(problem: Problem, spent: float) -> float:
    """The paper's loop, from one of its batches of each size."""
    model, image, region, truth = problem.parts
    predict = segmenter(model)
    loop = PaperLoop(
        predict, torch.as_tensor(image), np.asarray(truth), region, problem.bank.patches
    )
    cell = int(problem.cells[0])
    loop.effects(cell, range(SCREENING))
    three = min(seconds(lambda: loop.effects(cell, range(SCREENING))) for _ in range(3))
    fifty = seconds(lambda: loop.effects(cell, range(SAMPLES)))
    refined = (spent - SCREENING * problem.patches) / SAMPLES
    return problem.patches * three + refined * fifty


if __name__ == "__main__":
    run()
