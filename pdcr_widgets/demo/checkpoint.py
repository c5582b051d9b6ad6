"""The weights and model cards that are shipped with the package."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

import torch

from pdcr_widgets.demo.unet import UNet

FOLDER = resources.files("pdcr_widgets.demo") / "weights"


def load_unet(name: str) -> UNet:
    """Build the network that a card describes and load its weights, strictly.

    Parameters
    ----------
    name
        Of the card and weights, such as ``"brain"``.

    Returns
    -------
    UNet
        float32, on the CPU, in evaluation mode.

    Raises
    ------
    ModuleNotFoundError
        When safetensors is not installed, with the command that installs it.
    """
    try:
        from safetensors.torch import load
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            'the demo weights are read with safetensors; run: pip install "pdcr-widgets[demo]"',
            name=error.name,
        ) from error
    with torch.random.fork_rng(devices=[]):
        model = UNet(**load_card(name)["network"])
    half = load((FOLDER / f"{name}.safetensors").read_bytes())
    model.load_state_dict({key: value.to(_full(value)) for key, value in half.items()})
    return model.eval()


def load_card(name: str) -> dict[str, Any]:
    """Read the measured figures of a shipped network."""
    card: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return card


def save_unet(model: UNet, card: dict[str, Any], name: str, folder: Path) -> None:
    """Write weights (float16) and card; the model itself is rounded to what was written."""
    from safetensors.torch import save

    half = {key: value.to(_half(value)) for key, value in model.state_dict().items()}
    model.load_state_dict({key: value.to(_full(value)) for key, value in half.items()})
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.safetensors").write_bytes(save(half))
    text = json.dumps(card, indent=2) + "\n"
    (folder / f"{name}.json").write_text(text, encoding="utf-8")


def _half(value: torch.Tensor) -> torch.dtype:
    return torch.float16 if value.is_floating_point() else value.dtype


def _full(value: torch.Tensor) -> torch.dtype:
    return torch.float32 if value.is_floating_point() else value.dtype
