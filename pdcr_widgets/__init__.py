"""Causal explanations of segmentation models, live in a notebook.

Public names are resolved on first use: importing the package needs torch and numpy only, and the
widgets are loaded when one is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOME = {
    "ATEMap": "causal",
    "ATEUpdate": "causal",
    "ATEView": "widgets",
    "BaselineControls": "widgets",
    "Comparison": "evaluate",
    "ComparisonView": "widgets",
    "Component": "causal.components",
    "Explorer": "widgets",
    "ExplorerSession": "saved",
    "KeepBar": "widgets",
    "FileChooser": "widgets",
    "LayerEffectChart": "widgets",
    "LayerEffects": "causal.components",
    "OpenedImage": "images",
    "NetworkExplorer": "widgets",
    "PatchBank": "causal",
    "PatchInspector": "widgets",
    "Prepared": "models",
    "RegionCanvas": "widgets",
    "Segmenter": "causal",
    "Session": "session",
    "SliceViewer": "widgets",
    "Sweep": "causal",
    "ate_map": "causal",
    "channel_effects": "causal.components",
    "compare": "evaluate",
    "components": "causal.components",
    "deletion_curve": "evaluate",
    "dose_response": "causal.components",
    "embed": "standalone",
    "insertion_curve": "evaluate",
    "iter_ate": "causal",
    "iter_compare": "evaluate",
    "iter_layer_effects": "causal.components",
    "iter_sweep": "causal",
    "layer_effects": "causal.components",
    "load": "export",
    "load_model": "models",
    "open_bank": "images",
    "open_image": "images",
    "open_truth": "images",
    "pair_effects": "causal.components",
    "patch_draws": "causal",
    "prediction_change": "causal.components",
    "recompute": "recomputing",
    "save": "export",
    "save_nifti": "images",
    "segmenter": "models",
    "skip_paths": "causal.components",
    "to_python": "as_code",
    "window_effects": "causal.components",
    "window_map": "causal.components",
}
_MODULES = ("causal", "demo", "evaluate", "lessons")

__all__ = sorted([*_HOME, *_MODULES])


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    elif name in _MODULES:
        value = import_module(f"{__name__}.{name}")
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
