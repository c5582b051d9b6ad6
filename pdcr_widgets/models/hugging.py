"""Folders that transformers' ``save_pretrained`` wrote, with what their processor declares."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import nn

from pdcr_widgets.causal.needs import needs
from pdcr_widgets.models.adapted import PROMPTABLE, adapted
from pdcr_widgets.models.prepared import NOTES, VALUES, Prepared
from pdcr_widgets.models.processed import Processed, values_of

PROCESSORS = ("preprocessor_config.json", "processor_config.json")
FIGURES = ("scale", "mean", "std")


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
    processor = _processor(library, folder)
    if architecture in PROMPTABLE:
        if processor is not None:
            setattr(
                network, VALUES, dict(zip(FIGURES, values_of(processor.to_dict()), strict=True))
            )
        return network
    whole = adapted(network)
    if processor is None:
        setattr(whole, NOTES, [f"no {PROCESSORS[0]} beside the network: images as they are given"])
        return whole
    return Processed(whole.model if isinstance(whole, Prepared) else whole, processor)


def built(build: Any, folder: Path) -> nn.Module:
    """Call a library's loader on a folder; nothing is downloaded."""
    try:
        model: nn.Module = build(str(folder), local_files_only=True)
    except ImportError:
        raise
    except Exception as error:
        raise ValueError(f"{folder.name} cannot be loaded: {error}") from error
    return model


def _processor(library: Any, folder: Path) -> Any:
    """Image processor that is kept with a network; None where there is none."""
    if not any((folder / name).is_file() for name in PROCESSORS):
        return None
    try:
        return library.AutoImageProcessor.from_pretrained(str(folder), local_files_only=True)
    except ImportError:
        raise
    except Exception as error:
        raise ValueError(
            f"the image processor of {folder.name} cannot be loaded: {error}"
        ) from error
