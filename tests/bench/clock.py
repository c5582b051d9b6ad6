"""Interleaved timing, so that a ratio holds on a machine whose speed drifts."""

from __future__ import annotations

import gc
import resource
import statistics
import time
from collections.abc import Callable
from pathlib import Path


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call, seconds."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def side_by_side(
    works: dict[str, Callable[[], object]], rounds: int, warm: int = 1
) -> dict[str, float]:
    """Median seconds of each, in turn ``rounds`` times after ``warm`` rounds that do not count."""
    times: dict[str, list[float]] = {name: [] for name in works}
    for number in range(warm + rounds):
        for name, work in works.items():
            taken = seconds(work)
            if number >= warm:
                times[name].append(taken)
    return {name: statistics.median(taken) for name, taken in times.items()}


def peak_mib() -> float:
    """Largest resident memory of this process so far, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def peak_of(work: Callable[[], object]) -> float:
    """Memory that one call takes at its peak, above what is held before it, MiB (Linux)."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")
    before = _resident("VmRSS")
    work()
    return _resident("VmHWM") - before


def _resident(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(float(line.split()[1]) / 1024 for line in lines if line.startswith(name))


def table(title: str, head: list[str], rows: list[list[str]]) -> None:
    """Print a Markdown table."""
    print(f"\n### {title}\n")
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(row) + " |", flush=True)
