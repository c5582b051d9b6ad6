"""Run the benchmark that README quotes: ``python -m tests.bench``."""

from __future__ import annotations

import torch

from tests.bench.engine import run

torch.manual_seed(0)
run()
