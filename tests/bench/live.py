"""From a region's release to pictures, on the brain demo."""

from __future__ import annotations

import statistics
import threading
import time

import numpy as np

from pdcr_widgets import Session, Sweep, ate_map, demo, iter_ate
from pdcr_widgets.causal.engines import window_engine
from pdcr_widgets.causal.experiment import Experiment, Target
from pdcr_widgets.causal.results import ATEMap
from tests.bench.clock import peak_of, seconds, side_by_side, table
from tests.bench.models import demo_case
from tests.bench.paper_loop import SAMPLES, SCREENING, PaperLoop

REPEATS, POSITIONS = 10, 64
ALIKE = 0.8


def run() -> None:
    """Print the median of ten, and the goals."""
    case = demo_case("brain")
    parts = (case.segmenter, case.image, case.region, case.truth)
    options = {"baseline": case.bank}
    cold = _first(parts, options)
    final = ate_map(*parts, **options)
    warm = [_first(parts, options) for _ in range(REPEATS)]
    alike = [_alike(parts, options, final) for _ in range(REPEATS)]
    session = [_session(case, number) for number in range(3)]
    sweep = Sweep.run(case.segmenter, case.image, baseline=case.bank, samples=1)
    again = [seconds(lambda: sweep.ate_map(case.region, case.truth)) for _ in range(REPEATS)]
    middle = statistics.median
    table(
        "Brain demo, from a region's release (median of 10)",
        ["what", "s", "goal"],
        [
            ["first picture, cold (once)", f"{cold:.2f}", "1.0"],
            ["first picture, warm", f"{middle(warm):.2f}", "0.3"],
            ["first map of rank correlation 0.8 with the final", f"{middle(alike):.2f}", "0.6"],
            ["first drawable map in a session (threads, signals)", f"{middle(session):.2f}", ""],
            ["another region from a sweep", f"{middle(again):.3f}", "0.050"],
        ],
    )
    _rates(case)
    memory = peak_of(lambda: ate_map(*parts, **options))
    print(f"\nA map takes {memory:.0f} MiB at its peak.")
    print(f"The sweep of {len(sweep.cells)} interventions takes {sweep.nbytes / 2**20:.1f} MiB.")


def _rates(case: demo.Case) -> None:
    """Print evaluations per second of the paper's loop and of ours, on identical draws."""
    parts = (case.segmenter, case.image, case.region, case.truth)
    target = Target.of(*parts)
    ours = Experiment.of(target, 8, case.bank, window_engine(target), 0)
    truth = np.asarray(case.truth, bool)
    loop = PaperLoop(case.segmenter, case.image, truth, case.region, case.bank.patches)
    reached = ours.grid.cells[ours.reaching(ours.grid.cells)][:POSITIONS]
    each, first = np.repeat(reached, SCREENING), int(reached[0])
    works = {
        f"paper, batches of {SCREENING}": (
            SCREENING,
            lambda: loop.effects(first, range(SCREENING)),
        ),
        f"paper, batches of {SAMPLES}": (SAMPLES, lambda: loop.effects(first, range(SAMPLES))),
        "ours": (len(each), lambda: ours.effects(each, np.arange(len(each)))),
    }
    taken = side_by_side({name: work for name, (_, work) in works.items()}, rounds=5)
    rate = {name: count / taken[name] for name, (count, _) in works.items()}
    rows = [[n, f"{r:.1f}", f"**{rate['ours'] / r:.1f}x**"] for n, r in rate.items()]
    table("Brain demo, one patch at a time", ["loop", "eval/s", "ours over it"], rows)


def _first(parts: tuple, options: dict) -> float:
    """Seconds until every patch has an estimate, coarse as it may be."""
    began = time.perf_counter()
    for update in iter_ate(*parts, **options):
        if update.stage != "first picture":
            break
    return time.perf_counter() - began


def _alike(parts: tuple, options: dict, final: ATEMap) -> float:
    """Seconds until the map's ranks agree with the final ones where those have an effect."""
    began = time.perf_counter()
    known = np.abs(np.nan_to_num(final.effect)) >= final.threshold
    for update in iter_ate(*parts, **options):
        if _ranks(update.map.effect[known], final.effect[known]) >= ALIKE:
            return time.perf_counter() - began
    return float("nan")


def _ranks(one: np.ndarray, other: np.ndarray) -> float:
    places = [np.unique(v, return_inverse=True)[1] for v in (one, other)]
    if min(len(np.unique(p)) for p in places) < 2:
        return 0.0
    return float(np.corrcoef(*places)[0, 1])


def _session(case: demo.Case, number: int) -> float:
    """Seconds until a session that is given another region holds a map of it."""
    session = Session(case)
    arrived = threading.Event()
    session.observe(lambda _: arrived.set(), names=["ate"])
    try:
        session.run()
        arrived.wait(120)
        arrived.clear()
        session.region = np.roll(case.region, 8 * (number + 1), axis=1)
        began = time.perf_counter()
        while not np.array_equal(session.ate.region, session.region):
            arrived.wait(1)
            arrived.clear()
        return time.perf_counter() - began
    finally:
        session.close()


if __name__ == "__main__":
    run()
