"""Run the benchmarks that README quotes: ``python -m tests.bench [name ...]``."""

from __future__ import annotations

import sys

import torch

from tests.bench import engine, layers, live, peers, sampling

ALL = {
    "engine": engine.run,
    "live": live.run,
    "layers": layers.run,
    "peers": peers.run,
    "sampling": sampling.run,
}


def main(names: list[str]) -> None:
    """Run some benchmarks by name, or all."""
    unknown = [name for name in names if name not in ALL]
    if unknown:
        sys.exit(f"no benchmark {unknown}; there are {list(ALL)}")
    for name in names or ALL:
        torch.manual_seed(0)
        ALL[name]()


main(sys.argv[1:])
