"""Evaluations until a map is as near to the exhaustive one as the paper's estimator gets."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

from pdcr_widgets import PatchBank, demo, iter_ate, segmenter
from pdcr_widgets.causal.engines import window_engine
from pdcr_widgets.causal.experiment import Experiment, Target
from pdcr_widgets.causal.results import ATEMap
from tests.bench.clock import peak_of, rows, seconds, table
from tests.bench.isic import Parts, isic_case
from tests.bench.paper_loop import SAMPLES, SCREENING, THRESHOLD, PaperLoop

SEEDS = 2
BANK = 160
TEXTURE = 0.35
SHARES = {1.0: 15, 0.5: 10}
GOAL = 300
HEAD = [
    "case", "relevant patches", "paper: evaluations", "RMSE", "**saved at that error**", "goal",
    "**saved at half of it**", "goal", "adaptive to its own end: evaluations", "RMSE",
    "95 % intervals cover (goal 92 to 98 %)", "paper's loop, s (from a sample)",
    "ours to its error, s", "**faster**", "goal", "peak MiB",
]  # fmt: skip


@dataclass
class Problem:
    """A trained case with a bank small enough to try all of it everywhere."""

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
    """Print one row per case and bank."""
    works = [(name, partial(_row, make)) for name, make in PROBLEMS.items()]
    table(
        f"Adaptive against paper sampling, banks of {BANK} patches, mean of {SEEDS} seeds",
        HEAD,
        rows(works, len(HEAD)),
    )


def _demo(name: str) -> Problem:
    case = demo.load(name)
    return Problem((case.segmenter, case.image, case.region, case.truth), _some(case.bank))


def _real() -> Problem:
    parts, bank = isic_case()
    return Problem(parts, _some(bank))


def _texture() -> Problem:
    """Patches of one mean brightness each, so that only their texture differs."""
    case = demo.load("brain")
    patches = case.bank.patches[:BANK]
    flat = patches - patches.mean(dim=(2, 3), keepdim=True)
    flat = flat / flat.std(dim=(1, 2, 3), keepdim=True).clamp(min=1e-3)
    bank = PatchBank((0.5 + TEXTURE * flat / 2).clamp(0, 1))
    return Problem((case.segmenter, case.image, case.region, case.truth), bank)


PROBLEMS: dict[str, Callable[[], Problem]] = {
    "brain": partial(_demo, "brain"),
    "dermoscopy, made up": partial(_demo, "dermoscopy"),
    "dermoscopy, real": _real,
    "brain, texture bank": _texture,
}


def _some(bank: PatchBank) -> PatchBank:
    return PatchBank(bank.patches[np.random.default_rng(0).permutation(len(bank))[:BANK]])


def _row(make: Callable[[], Problem]) -> list[str]:
    problem = make()
    paper = np.array([problem.paper(seed) for seed in range(100)])
    error, spent = float(np.sqrt(np.mean(paper[:, 0] ** 2))), float(paper[:, 1].mean())
    runs = [_until(problem, seed, error, int(spent)) for seed in range(SEEDS)]
    cells = [
        f"{problem.relevant.sum()}", f"{spent:.0f}", f"{error:.3f}",
    ]  # fmt: skip
    for share, goal in SHARES.items():
        cells += [f"**{_ratio(spent, [r[share][0] for r in runs])}**", f"{goal}x"]
    ends: list[ATEMap] = []
    memory = peak_of(lambda: ends.extend(_end(problem, seed) for seed in range(SEEDS)))
    cells += [
        f"{np.mean([ate.evaluations for ate in ends]):.0f}",
        f"{np.mean([problem.error(ate) for ate in ends]):.3f}",
        f"{100 * np.mean([problem.covered(ate) for ate in ends]):.1f} %",
    ]
    loop, ours = _loop_seconds(problem, spent), [r[1.0][1] for r in runs]
    fastest = f"{np.mean(ours):.2f}" if all(ours) else "not reached"
    return [
        *cells, f"{loop:.0f}", fastest, f"**{_ratio(loop, ours)}**", f"{GOAL}x", f"{memory:.0f}",
    ]  # fmt: skip


def _ratio(theirs: float, ours: list[float]) -> str:
    return f"{theirs / np.mean(ours):.1f}x" if all(ours) else "not reached"


def _end(problem: Problem, seed: int) -> ATEMap:
    updates = iter_ate(*problem.parts, baseline=problem.bank, seed=seed)
    return [update.map for update in updates][-1]


def _until(
    problem: Problem, seed: int, error: float, budget: int
) -> dict[float, tuple[float, float]]:
    """Evaluations and seconds after which the error stays at or below each share of the paper's.

    Both 0 where that takes more evaluations than the paper's.
    """
    options = {"baseline": problem.bank, "seed": seed, "precision": 1e-6, "samples": 96}
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
