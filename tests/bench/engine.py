"""Evaluations per second and whole maps: the paper's loop order against ours, on identical draws."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from pdcr_widgets import PatchBank, ate_map, segmenter
from pdcr_widgets.causal.experiment import Experiment, Target
from pdcr_widgets.causal.full import FullEngine
from pdcr_widgets.causal.incremental import Unsupported, incremental_engine
from tests.bench.clock import peak_mib, side_by_side, table
from tests.bench.models import MODELS, problem
from tests.bench.paper_loop import SAMPLES, SCREENING, PaperLoop

SCREENED, REFINED = 24, 4


def run() -> None:
    """Print one row per model."""
    rows = [_row(name, make) for name, make in MODELS.items()]
    table(
        "Paper's loop order against ours, 256 x 256, patch 8, region 32 x 32, identical draws",
        [
            "model", "engine", "paper eval/s (b50)", "ours eval/s", "per evaluation",
            "best plain pass", "whole map, paper s", "ours s", "whole map", "max difference",
            "peak MiB",
        ],  # fmt: skip
        rows,
    )


def _row(name: str, make: Callable[[], nn.Module]) -> list[str]:
    model = make()
    image, truth, region, patches = problem()
    wrapped = segmenter(model, 0, "sigmoid")
    loop = PaperLoop(wrapped, image, truth, region, patches)
    bank = PatchBank(patches)
    target = Target.of(wrapped, image, region, truth)
    engine = _engine(target)
    experiment = Experiment.of(target, 8, bank, engine, 0)
    plain = Experiment.of(target, 8, bank, FullEngine(*_parts(target), batch=4), 0)
    cells = experiment.grid.cells
    cells = cells[experiment.reaching(cells)]
    some = np.random.default_rng(0).permutation(cells)
    per = _per_evaluation(loop, experiment, plain, some)
    whole = _whole_map(loop, model, (image, region, truth, bank), some, len(cells))
    return [
        name, engine.name, f"{per['paper']:.1f}", f"{per['ours']:.1f}",
        f"**{per['ours'] / per['paper']:.1f}x**", f"{per['plain'] / per['paper']:.1f}x",
        f"{whole['paper']:.0f}", f"{whole['ours']:.1f}",
        f"**{whole['paper'] / whole['ours']:.1f}x**", f"{whole['difference']:.1e}",
        f"{peak_mib():.0f}",
    ]  # fmt: skip


def _parts(target: Target) -> tuple:
    return target.segmenter, target.image, target.window


def _engine(target: Target):
    try:
        return incremental_engine(*_parts(target))
    except Unsupported as reason:
        return FullEngine(*_parts(target), reason=str(reason))


def _per_evaluation(
    loop: PaperLoop, ours: Experiment, plain: Experiment, cells: np.ndarray
) -> dict[str, float]:
    """Evaluations per second on patches that reach the region."""
    few = cells[:16]
    each = np.repeat(few, SCREENING)
    choices = np.arange(len(each)) % 1000
    taken = side_by_side(
        {
            "paper": lambda: loop.effects(int(cells[0]), range(SAMPLES)),
            "ours": lambda: ours.effects(each, choices),
            "plain": lambda: plain.effects(each[:8], choices[:8]),
        },
        rounds=5,
    )
    counts = {"paper": SAMPLES, "ours": len(each), "plain": 8}
    return {name: counts[name] / taken[name] for name in taken}


def _whole_map(
    loop: PaperLoop, model: nn.Module, case: tuple, cells: np.ndarray, reached: int
) -> dict[str, float]:
    """Our map in full; the paper's from a sample of its calls, scaled to the calls it would make."""
    image, region, truth, bank = case
    wrapped = segmenter(model, 0, "sigmoid")
    began = time.perf_counter()
    ours = ate_map(
        wrapped, image, region, truth, baseline=bank, sampling="paper", empty="paper"
    )
    taken = time.perf_counter() - began
    refined = cells[ours.samples.flat[cells] == SAMPLES]
    check = np.concatenate([refined[:REFINED], cells[: 2 * REFINED]])
    theirs = np.array([loop.effect(int(c)) for c in check])
    difference = float(np.abs(theirs - ours.effect.flat[check]).max())
    screen = side_by_side(
        {f"s{c}": lambda c=c: loop.effects(int(c), range(SCREENING)) for c in cells[:SCREENED]}, 1, 0
    )
    refine = side_by_side(
        {f"r{c}": lambda c=c: loop.effects(int(c), range(SAMPLES)) for c in cells[:REFINED]}, 1, 0
    )
    calls = len(loop.grid.cells) * np.mean(list(screen.values()))
    calls += len(refined) * np.mean(list(refine.values()))
    return {"paper": float(calls), "ours": taken, "difference": difference}


if __name__ == "__main__":
    torch.manual_seed(0)
    run()
