"""MONAI bundles: the network, its windows and its activation from the inference configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import nn

from pdcr_widgets.causal.needs import needs
from pdcr_widgets.models.prepared import DECLARED, Prepared
from pdcr_widgets.models.weights import put_weights, read_weights, state_in

RECIPES = ("configs/inference.json", "configs/inference.yaml", "configs/inference.yml")
ACTIVATIONS = ("sigmoid", "softmax")


def recipe_of(folder: Path) -> Path | None:
    """Inference configuration of a bundle, or None where the folder is none."""
    return next((folder / name for name in RECIPES if (folder / name).is_file()), None)


def load_bundle(folder: Path, recipe: Path, strict: bool, trust: bool) -> nn.Module:
    """Build the network of a MONAI bundle; its configuration may hold Python expressions.

    A sliding window inferer and the activation among the postprocessing are taken over;
    preprocessing transforms are not: open images with them, or declare them in `Prepared`.
    """
    if not trust:
        raise ValueError(
            f"{folder.name} is a MONAI bundle, whose configuration can run code; if you trust "
            "where it came from, say trust=True"
        )
    parser = needs("monai.bundle", "models").ConfigParser()
    try:
        parser.read_config(str(recipe))
        network = parser.get_parsed_content("network_def", instantiate=True)
        inferer = parser.get_parsed_content("inferer") if "inferer" in parser.config else None
    except Exception as error:
        raise ValueError(f"{recipe.name} of {folder.name} builds no network: {error}") from error
    weights = folder / "models" / "model.pt"
    if not weights.is_file():
        raise ValueError(f"{folder.name} has no models/model.pt")
    state = state_in(read_weights(weights, trust=False), weights.name)
    network = put_weights(network, state, folder.name, strict)
    if inferer is not None and hasattr(inferer, "roi_size"):
        network = Prepared(network, window=inferer.roi_size, overlap=_share(inferer.overlap))
    activation = _activation(parser.config.get("postprocessing"))
    if activation:
        setattr(network, DECLARED, activation)
    return network


def _share(overlap: Any) -> float:
    """Overlap of windows; one number where the bundle gives one per axis."""
    return float(max(overlap)) if isinstance(overlap, list | tuple) else float(overlap)


def _activation(postprocessing: Any) -> str:
    """Activation among the transforms after the network, or empty."""
    transforms = postprocessing.get("transforms") if isinstance(postprocessing, dict) else None
    for transform in transforms if isinstance(transforms, list) else ():
        kind = str(transform.get("_target_", "")).rpartition(".")[2]
        if kind in ("Activations", "Activationsd", "ActivationsDict", "ActivationsD"):
            return next((name for name in ACTIVATIONS if transform.get(name) is True), "")
    return ""
