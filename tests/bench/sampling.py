"""Evaluations until a map is as near to the exhaustive one as the paper's estimator gets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pdcr_widgets import PatchBank, ate_map, demo, iter_ate
from pdcr_widgets.causal.engines import window_engine
from pdcr_widgets.causal.experiment import Experiment, Target
from pdcr_widgets.causal.results import ATEMap
from tests.bench.clock import table

SEEDS = 3
BANK = 160
TEXTURE = 0.35


@dataclass
class Problem:
    """A trained case with a bank small enough to try all of it everywhere."""

    name: str
    case: demo.Case
    bank: PatchBank

    def __post_init__(self) -> None:
        case = self.case
        self.parts = (case.segmenter, case.image, case.region, case.truth)
        target = Target.of(*self.parts)
        engine = window_engine(target)
        held = Experiment.of(target, 8, self.bank, engine, 0)
        self.cells = held.grid.cells[held.reaching(held.grid.cells)]
        every = np.arange(len(self.bank))
        self.oracle = np.array(
            [held.effects(np.full(len(every), cell), every).mean() for cell in self.cells]
        )
        self.relevant = np.abs(self.oracle) >= 0.02

    def error(self, ate: ATEMap) -> float:
        """Root mean square error over the relevant patches, points."""
        off = ate.effect.reshape(-1)[self.cells] - self.oracle
        return float(np.sqrt(np.mean(off[self.relevant] ** 2)))

    def covered(self, ate: ATEMap) -> float:
        """Share of the drawn patches whose nominal 95 % interval holds the exhaustive mean."""
        off = np.abs(ate.effect.reshape(-1)[self.cells] - self.oracle)
        drawn = ate.samples.reshape(-1)[self.cells] > 0
        return float((off <= 1.96 * ate.stderr.reshape(-1)[self.cells] + 1e-6)[drawn].mean())


def run() -> None:
    """Print one row per case and bank."""
    rows = [_row(problem) for problem in _problems()]
    table(
        f"Adaptive against paper sampling, banks of {BANK} patches, mean of {SEEDS} seeds",
        [
            "case",
            "relevant patches",
            "paper: evaluations",
            "RMSE",
            "**saved at that error**",
            "**saved at half of it**",
            "adaptive to its own end: evaluations",
            "RMSE",
            "95 % intervals cover",
        ],
        rows,
    )


def _problems() -> Iterator[Problem]:
    for name in demo.names():
        case = demo.load(name)
        some = np.random.default_rng(0).permutation(len(case.bank))[:BANK]
        yield Problem(name, case, PatchBank(case.bank.patches[some]))
    case = demo.load("brain")
    yield Problem("brain, texture bank", case, _texture(case))


def _texture(case: demo.Case) -> PatchBank:
    """Patches of one mean brightness each, so that only their texture differs."""
    patches = case.bank.patches[:BANK]
    flat = patches - patches.mean(dim=(2, 3), keepdim=True)
    flat = flat / flat.std(dim=(1, 2, 3), keepdim=True).clamp(min=1e-3)
    return PatchBank((0.5 + TEXTURE * flat / 2).clamp(0, 1))


def _row(problem: Problem) -> list[str]:
    paper = [
        ate_map(*problem.parts, baseline=problem.bank, sampling="paper", seed=seed)
        for seed in range(SEEDS)
    ]
    error = float(np.mean([problem.error(ate) for ate in paper]))
    spent = float(np.mean([ate.evaluations for ate in paper]))
    reached = {1.0: [], 0.5: []}  # type: dict[float, list[int]]
    for seed in range(SEEDS):
        for share, count in _until(problem, seed, error, (1.0, 0.5)).items():
            reached[share].append(count)
    ends = [ate_map(*problem.parts, baseline=problem.bank, seed=seed) for seed in range(SEEDS)]
    return [
        problem.name,
        str(int(problem.relevant.sum())),
        f"{spent:.0f}",
        f"{error:.3f}",
        f"**{_saved(spent, reached[1.0])}**",
        f"**{_saved(spent, reached[0.5])}**",
        f"{np.mean([ate.evaluations for ate in ends]):.0f}",
        f"{np.mean([problem.error(ate) for ate in ends]):.3f}",
        f"{100 * np.mean([problem.covered(ate) for ate in ends]):.1f} %",
    ]


def _saved(spent: float, counts: list[int]) -> str:
    return f"{spent / np.mean(counts):.1f}x" if all(counts) else "not reached"


def _until(
    problem: Problem, seed: int, error: float, shares: tuple[float, ...]
) -> dict[float, int]:
    """Evaluations after which the error stays at or below each share of the paper's; 0 if never."""
    options = {"baseline": problem.bank, "seed": seed, "precision": 1e-6, "samples": 96}
    track = [(u.done, problem.error(u.map)) for u in iter_ate(*problem.parts, **options)]
    found = {}
    for share in shares:
        above = [n for n, (_, e) in enumerate(track) if e > share * error]
        after = above[-1] + 1 if above else 0
        found[share] = track[after][0] if after < len(track) else 0
    return found


if __name__ == "__main__":
    run()
