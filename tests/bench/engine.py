"""Evaluations per second and whole maps: the paper's loops against ours on identical draws."""

from __future__ import annotations

import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from pdcr_widgets import ATEMap, PatchBank, iter_ate, segmenter
from pdcr_widgets.causal.engines import window_engine
from pdcr_widgets.causal.experiment import Experiment, Target
from tests.bench import clock
from tests.bench.clock import peak_of, rows, seconds, side_by_side, table
from tests.bench.models import MODELS, Goal, problem
from tests.bench.paper_loop import SAMPLES, SCREENING, PaperLoop

SCREENED, REFINED, POSITIONS = 16, 2, 64
CONVENTIONAL = {"cpu": (3, 4, 8), "cuda": (16, 64, 128)}
LIMIT = 30.0
EACH = [
    "model", "engine", "paper, eval/s", "best conventional pass, over paper", "ours, eval/s",
    "**ours over paper**", "goal", "ours over conventional", "peak MiB: paper", "ours",
]  # fmt: skip
WHOLE = [
    "model", "paper, s (from a sample of its calls)", "ours, s", "**ours over paper**", "goal",
    "largest difference", "patches compared", "peak MiB",
]  # fmt: skip


@dataclass
class Case:
    """One model on the common problem, ready for both ways."""

    model: nn.Module

    def __post_init__(self) -> None:
        self.image, self.truth, self.region, patches = problem()
        self.wrapped = segmenter(self.model, 0, "sigmoid")
        self.bank = PatchBank(patches)
        self.loop = PaperLoop(self.wrapped, self.image, self.truth, self.region, patches)
        target = Target.of(self.wrapped, self.image, self.region, self.truth)
        self.ours = Experiment.of(target, 8, self.bank, window_engine(target), 0)
        cells = self.ours.grid.cells
        self.reached = np.random.default_rng(0).permutation(cells[self.ours.reaching(cells)])


def run() -> None:
    """Print one row per model and table; each model is made once."""
    made: dict[str, Case] = {}

    def case(name: str) -> Case:
        if name not in made:
            made.clear()
            made[name] = Case(MODELS[name].make())
        return made[name]

    each, whole = [], []
    for name, goal in MODELS.items():
        one = [(name, lambda name=name, goal=goal: _per_evaluation(case(name), goal))]
        each += rows(one, len(EACH))
        if goal.whole:
            one = [(name, lambda name=name, goal=goal: _whole_map(case(name), goal))]
            whole += rows(one, len(WHOLE))
    where = "256 x 256, patch 8, region 32 x 32, patches that reach it; identical draws"
    table(f"Per evaluation: {where}", EACH, each)
    table(f"Whole map, paper sampling: {where}", WHOLE, whole)
    print(
        "\nThe paper's calls are sampled (16 of its batches of 3, 2 of its batches of 50) and "
        f"multiplied by their number; ours that take longer than {LIMIT:.0f} s are cut there and "
        "extrapolated by evaluations (~). Conventional: batch norms folded, channels last, batches "
        f"of {CONVENTIONAL[clock.device.type]}, whichever is fastest. On CUDA the paper's loop and "
        "ours compute in full precision, conventional passes as torch does (TF32)."
    )


def _per_evaluation(case: Case, goal: Goal) -> list[str]:
    """Evaluations per second; the paper's are in its batches of 50."""
    each = np.repeat(case.reached[:POSITIONS], SCREENING)
    batch = case.ours.engine.batch
    each = each[: 4 * batch] if case.ours.engine.name == "full" else _full_call(each, batch)
    choices, first = np.arange(len(each)) % len(case.bank), int(case.reached[0])
    batches = CONVENTIONAL[clock.device.type]
    conventional = {f"plain {n}": partial(_conventional, case, n) for n in batches}
    folded = _folded(case.model)
    works: dict[str, Callable[[], object]] = {
        "paper": lambda: case.loop.effects(first, range(SAMPLES)),
        "ours": lambda: case.ours.effects(each, choices),
        **{name: partial(work, folded) for name, work in conventional.items()},
    }
    memory = {name: peak_of(works[name]) for name in ("ours", "paper")}
    taken = side_by_side(works, rounds=5, limit=LIMIT)
    paper, ours = SAMPLES / taken["paper"], len(each) / taken["ours"]
    plain = max(2 * n / taken[f"plain {n}"] for n in batches)
    return [
        case.ours.engine.name, f"{paper:.1f}", f"{plain / paper:.1f}x", f"{ours:.0f}",
        f"**{ours / paper:.1f}x**", "" if goal.each is None else f"{goal.each:.0f}x",
        f"{ours / plain:.1f}x", f"{memory['paper']:.0f}", f"{memory['ours']:.0f}",
    ]  # fmt: skip


def _full_call(cells: np.ndarray, batch: int) -> np.ndarray:
    """As many cells as suit a call, or those that there are."""
    return np.resize(cells, max(batch, len(cells)))


def _folded(model: nn.Module) -> nn.Module:
    """Copy with batch norms folded where a convolution is followed by one, channels last."""
    copy = deepcopy(model).eval()
    for parent in copy.modules():
        children = list(parent.named_children())
        for (name, conv), (other, norm) in pairwise(children):
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                setattr(parent, name, fuse_conv_bn_eval(conv, norm))
                setattr(parent, other, nn.Identity())
    return copy.to(memory_format=torch.channels_last)


@torch.inference_mode()
def _conventional(case: Case, count: int, model: nn.Module) -> None:
    """Twice ``count`` interventions, ``count`` in a batch."""
    images: Tensor = case.loop.image.repeat(count, 1, 1, 1)
    images[:, :, :8, :8] = case.loop.bank[:count]
    images = images.contiguous(memory_format=torch.channels_last)
    for _ in range(2):
        torch.sigmoid(model(images))


def _whole_map(case: Case, goal: Goal) -> list[str]:
    """Seconds of our map, of the paper's from a sample of its calls, and the largest difference."""
    found: list[tuple[ATEMap, float, bool]] = []
    memory = peak_of(lambda: found.append(_ours(case)))
    ours, taken, whole = found[0]
    refined = case.reached[ours.samples.flat[case.reached] == SAMPLES]
    screened = case.reached[:SCREENED]
    one = [seconds(lambda c=c: case.loop.effects(int(c), range(SCREENING))) for c in screened]
    fifty = [seconds(lambda c=c: case.loop.effects(int(c), range(SAMPLES))) for c in refined[:2]]
    count = len(refined) if whole else _expected(ours, case)
    theirs = len(case.loop.grid.cells) * np.mean(one) + count * np.mean(fifty)
    check = np.array([*refined[:REFINED], *screened])
    check = check[np.isin(ours.samples.flat[check], (0, SCREENING, SAMPLES))]
    if not whole:
        check = check[ours.samples.flat[check] == SAMPLES]
    paper = np.array([case.loop.effect(int(c)) for c in check])
    off = float(np.abs(paper - ours.effect.flat[check]).max())
    return [
        f"{theirs:.0f}", f"{'' if whole else '~'}{taken:.1f}", f"**{theirs / taken:.1f}x**",
        f"{goal.whole:.0f}x", f"{off:.0e}", str(len(check)), f"{memory:.0f}",
    ]  # fmt: skip


def _ours(case: Case) -> tuple[ATEMap, float, bool]:
    """Our map, its seconds, and whether it came to its end within the limit."""
    options = {"baseline": case.bank, "sampling": "paper", "empty": "paper"}
    began = time.perf_counter()
    for update in iter_ate(case.wrapped, case.image, case.region, case.truth, **options):
        taken = time.perf_counter() - began
        if taken > LIMIT and update.stage == "refining":
            return update.map, taken * update.total / update.done, False
    return update.map, time.perf_counter() - began, True


def _expected(ours: ATEMap, case: Case) -> int:
    """Patches that survive screening."""
    return int((np.abs(ours.effect.flat[case.reached]) > 0).sum())


if __name__ == "__main__":
    run()
