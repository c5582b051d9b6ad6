"""Folders of trained networks: transformers, segmentation_models_pytorch and MONAI bundles."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from torch import nn

from pdcr_widgets.causal.needs import needs
from pdcr_widgets.models.prepared import Prepared
from pdcr_widgets.models.queries import MaskQueries
from pdcr_widgets.models.weights import put_weights, read_weights, state_in

CONFIG = "config.json"
BUNDLE = ("configs/inference.json", "configs/inference.yaml")
QUERIES = "ForUniversalSegmentation"


def load_folder(folder: Path, strict: bool, trust: bool) -> nn.Module:
    """Build the network a folder describes and load its weights; nothing is downloaded.

    Raises
    ------
    ValueError
        The folder is not of a known library, or its parts do not fit together.
    ImportError
        The library it needs is not installed.
    """
    recipe = next((folder / name for name in BUNDLE if (folder / name).is_file()), None)
    if recipe is not None:
        return _bundle(folder, recipe, strict, trust)
    config = _config(folder)
    if "architectures" in config:
        return _transformers(folder, str((config["architectures"] or [""])[0]))
    if "encoder_name" in config:
        library = needs("segmentation_models_pytorch", "smp")
        return _built(library.from_pretrained, folder)
    raise ValueError(
        f"{folder.name} is of no library that is known: its {CONFIG} names neither transformers' "
        f"architectures nor an encoder of segmentation_models_pytorch; it has {sorted(config)[:8]}"
    )


def _bundle(folder: Path, recipe: Path, strict: bool, trust: bool) -> nn.Module:
    """Build the network of a MONAI bundle; its configuration may hold Python expressions."""
    if not trust:
        raise ValueError(
            f"{folder.name} is a MONAI bundle, whose configuration can run code; if you trust "
            "where it came from, say load_model(..., trust=True)"
        )
    parser = needs("monai.bundle", "models").ConfigParser()
    try:
        parser.read_config(str(recipe))
        network = parser.get_parsed_content("network_def", instantiate=True)
    except Exception as error:
        raise ValueError(f"{recipe.name} of {folder.name} builds no network: {error}") from error
    weights = folder / "models" / "model.pt"
    if not weights.is_file():
        raise ValueError(f"{folder.name} has no models/model.pt")
    state = state_in(read_weights(weights, trust=False), weights.name)
    return put_weights(network, state, folder.name, strict)


def _transformers(folder: Path, architecture: str) -> nn.Module:
    library = needs("transformers", "transformers")
    kind = "UniversalSegmentation" if architecture.endswith(QUERIES) else "SemanticSegmentation"
    if not architecture.endswith(("Segmentation",)):
        raise ValueError(f"{folder.name} holds a {architecture}, which does not segment")
    automatic = getattr(library, f"AutoModelFor{kind}")
    if kind == "UniversalSegmentation":
        return Prepared(MaskQueries(_built(automatic.from_pretrained, folder)))
    return Prepared(_built(automatic.from_pretrained, folder))


def _built(build: Any, folder: Path) -> nn.Module:
    try:
        model: nn.Module = build(str(folder), local_files_only=True)
    except ImportError:
        raise
    except Exception as error:
        raise ValueError(f"{folder.name} cannot be loaded: {error}") from error
    return model


def _config(folder: Path) -> dict[str, Any]:
    path = folder / CONFIG
    if not path.is_file():
        raise ValueError(
            f"{folder.name} has no {CONFIG}; give the file with the weights, and model= for them"
        )
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path.name} of {folder.name} is no JSON: {error}") from error
    if not isinstance(config, dict):
        raise ValueError(f"{path.name} of {folder.name} holds no settings by name")
    return config
