"""Run the benchmarks that README quotes: ``python -m tests.bench [--device cuda] [name ...]``."""

from __future__ import annotations

import argparse
import os
import sys
import time

import torch

from tests.bench import clock, engine, layers, live, peers, sampling

ALL = {
    "engine": engine.run,
    "live": live.run,
    "layers": layers.run,
    "peers": peers.run,
    "sampling": sampling.run,
}


def main(names: list[str], device: str) -> None:
    """Run some benchmarks by name, or all."""
    unknown = [name for name in names if name not in ALL]
    if unknown:
        sys.exit(f"no benchmark {unknown}; there are {list(ALL)}")
    threads, where = torch.get_num_threads(), clock.use(device)
    print(f"{where}; {os.cpu_count()} cores, {threads} threads, torch {torch.__version__}")
    for name in names or ALL:
        torch.manual_seed(0)
        began = time.perf_counter()
        for row in clock.rows([(name, lambda name=name: ALL[name]() or [])], 1):
            if len(row) > 1:
                print("\n" + ": ".join(row))
        print(f"\n({name}: {time.perf_counter() - began:.0f} s)", flush=True)
    if clock.failures:
        sys.exit("\n".join(["these failed:", *clock.failures]))


if __name__ == "__main__":
    options = argparse.ArgumentParser(description="Measure, beside the paper's own loops.")
    options.add_argument("names", nargs="*", metavar="name", help=f"one of {', '.join(ALL)}")
    options.add_argument("--device", default="cpu", help="where networks run: cpu, cuda, cuda:1")
    chosen = options.parse_args()
    main(chosen.names, chosen.device)
