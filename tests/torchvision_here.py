"""One way to import torchvision: PyPI's is built for CUDA and misses two operators on the CPU."""

from __future__ import annotations

import importlib
from types import ModuleType

import torch

SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


def import_torchvision() -> ModuleType:
    """Import torchvision, also beside a torch without CUDA."""
    try:
        return importlib.import_module("torchvision")
    except RuntimeError:
        for name in ("nms", "qnms"):
            torch.library.define(f"torchvision::{name}", SCHEMA)
        return importlib.import_module("torchvision")
