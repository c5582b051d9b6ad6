"""From a region's release to pictures, on the brain demo."""

from __future__ import annotations

import statistics
import threading
import time

import numpy as np

from pdcr_widgets import Session, Sweep, ate_map, demo, iter_ate
from pdcr_widgets.causal.results import ATEMap
from tests.bench.clock import peak_of, seconds, table

REPEATS = 10
ALIKE = 0.8


def run() -> None:
    """Print the median of ten, and the goals."""
    case = demo.load("brain")
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
    memory = peak_of(lambda: ate_map(*parts, **options))
    print(f"\nA map takes {memory:.0f} MiB at its peak.")
    print(f"The sweep of {len(sweep.cells)} interventions takes {sweep.nbytes / 2**20:.1f} MiB.")


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
