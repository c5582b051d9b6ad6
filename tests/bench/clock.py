"""Interleaved timing, so that a ratio holds on a machine whose speed drifts; memory; tables."""

from __future__ import annotations

import ctypes
import gc
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import torch
from torch import nn

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
failures: list[str] = []
device = torch.device("cpu")
"""Where networks run; see `use`."""


class Skipped(Exception):
    """A row that cannot be measured here, and why; no failure."""


def use(name: str) -> str:
    """Choose the device of all that follows; says in words what it is."""
    global device
    device = torch.device(name)
    if device.type != "cuda":
        return name
    torch.cuda.init()
    return f"{torch.cuda.get_device_name(device)}, CUDA {torch.version.cuda}"


def on_device(model: nn.Module) -> nn.Module:
    """Move a network to where it is measured."""
    return model.to(device)


def wait() -> None:
    """Let the device come to the end of what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call, seconds."""
    wait()
    began = time.perf_counter()
    work()
    wait()
    return time.perf_counter() - began


def side_by_side(
    works: dict[str, Callable[[], object]], rounds: int, limit: float = 60.0
) -> dict[str, float]:
    """Median seconds of each, in turn ``rounds`` times after one that does not count.

    After ``limit`` seconds no further round is begun; one counts at least.
    """
    times: dict[str, list[float]] = {name: [] for name in works}
    began = time.perf_counter()
    for number in range(1 + rounds):
        if number > 1 and time.perf_counter() - began > limit:
            break
        for name, work in works.items():
            taken = seconds(work)
            if number:
                times[name].append(taken)
    return {name: statistics.median(taken) for name, taken in times.items()}


def peak_of(work: Callable[[], object]) -> float:
    """Memory of the device that a call takes at its most beyond what was held before, MiB.

    NaN for a CPU off Linux.
    """
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        held = torch.cuda.memory_allocated(device)
        work()
        return (torch.cuda.max_memory_allocated(device) - held) / 2**20
    if not CLEAR.exists():
        work()
        return float("nan")
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)  # what was freed before is no memory that is held
    CLEAR.write_text("5")
    before = _kib("VmRSS")
    work()
    return max(0.0, (_kib("VmHWM") - before) / 1024)


def _kib(name: str) -> int:
    line = next(n for n in STATUS.read_text().splitlines() if n.startswith(name))
    return int(line.split()[1])


def rows(works: Iterable[tuple[str, Callable[[], list[str]]]], width: int) -> list[list[str]]:
    """One row per piece of work, named; a piece that fails gives its reason, and the rest go on."""
    found = []
    for name, work in works:
        try:
            row = work()
        except Skipped as reason:
            row = [f"skipped: {reason}"]
        except Exception as error:
            failures.append(f"{name}: {type(error).__name__}: {error}")
            row = [f"failed: {type(error).__name__}: {error}".replace("|", "/").replace("\n", " ")]
        found.append([name, *row, *[""] * (width - 1 - len(row))])
        print("...", *found[-1], file=sys.stderr, flush=True)
    return found


def table(title: str, head: list[str], rows: list[list[str]]) -> None:
    """Print a Markdown table."""
    print(f"\n### {title}\n")
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(row) + " |", flush=True)
