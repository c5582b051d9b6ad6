"""Folders of trained networks: which library wrote them, and how it is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pdcr_widgets.causal.needs import needs
from pdcr_widgets.models.bundle import load_bundle, recipe_of
from pdcr_widgets.models.hugging import built, load_transformers
from pdcr_widgets.models.json_file import read_object
from pdcr_widgets.models.nnunet import is_trained_folder, load_nnunet

CONFIG = "config.json"


def load_folder(folder: Path, strict: bool, trust: bool, like: Any, mirror: bool) -> Any:
    """Build the network a folder describes and load its weights; nothing is downloaded.

    Raises
    ------
    ValueError
        The folder is not of a known library, or its parts do not fit together.
    ImportError
        The library it needs is not installed.
    """
    recipe = recipe_of(folder)
    if recipe is not None:
        return load_bundle(folder, recipe, strict, trust, like)
    if is_trained_folder(folder):
        return load_nnunet(folder, strict, trust, like, mirror)
    if not (folder / CONFIG).is_file():
        raise ValueError(
            f"{folder.name} has no {CONFIG} and is neither a MONAI bundle nor a trained folder of "
            "nnU-Net; give the file with the weights, and the network they belong to"
        )
    config = read_object(folder / CONFIG)
    if "architectures" in config:
        return load_transformers(folder, str((config["architectures"] or [""])[0]))
    if "encoder_name" in config:
        library = needs("segmentation_models_pytorch", "smp")
        return built(library.from_pretrained, folder)
    raise ValueError(
        f"{folder.name} is of no library that is known: its {CONFIG} names neither transformers' "
        f"architectures nor an encoder of segmentation_models_pytorch; it has {sorted(config)[:8]}"
    )
