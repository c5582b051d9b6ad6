"""Folders that transformers' ``save_pretrained`` wrote, with what their processor declares."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import nn

from pdcr_widgets.causal.needs import needs
from pdcr_widgets.models.adapted import PROMPTABLE, adapted
from pdcr_widgets.models.json_file import read_object
from pdcr_widgets.models.prepared import Prepared

PROCESSOR = "preprocessor_config.json"


def load_transformers(folder: Path, architecture: str) -> Any:
    """Build the network that the folder names; code in the folder is not run."""
    library = needs("transformers", "transformers")
    if not architecture.endswith("Segmentation") and architecture not in PROMPTABLE:
        raise ValueError(f"{folder.name} holds a {architecture}, which does not segment")
    kind = getattr(library, architecture, None)
    if kind is None:
        raise ValueError(
            f"{folder.name} holds a {architecture}, which transformers {library.__version__} does "
            "not have; install a version that has it"
        )
    network = built(kind.from_pretrained, folder)
    if architecture in PROMPTABLE:
        return network
    whole = adapted(network)
    declared = _declared(folder)
    if not declared:
        return whole
    return Prepared(whole.model if isinstance(whole, Prepared) else whole, **declared)


def built(build: Any, folder: Path) -> nn.Module:
    """Call a library's loader on a folder; nothing is downloaded."""
    try:
        model: nn.Module = build(str(folder), local_files_only=True)
    except ImportError:
        raise
    except Exception as error:
        raise ValueError(f"{folder.name} cannot be loaded: {error}") from error
    return model


def _declared(folder: Path) -> dict[str, Any]:
    """Scale, mean, standard deviation and size that the folder's processor applies."""
    path = folder / PROCESSOR
    if not path.is_file():
        return {}
    said = read_object(path)
    found: dict[str, Any] = {}
    if said.get("do_rescale", "rescale_factor" in said):
        found["scale"] = said.get("rescale_factor", 1 / 255)
    if said.get("do_normalize") and "image_mean" in said and "image_std" in said:
        found |= {"mean": said["image_mean"], "std": said["image_std"]}
    size = said.get("size")
    if said.get("do_resize") and isinstance(size, dict) and {"height", "width"} <= size.keys():
        found["size"] = (size["height"], size["width"])
    return found
