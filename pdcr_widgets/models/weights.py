"""Weights from checkpoints into a network, every difference told by name."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pdcr_widgets.causal.needs import needs

NESTS = ("state_dict", "model_state_dict", "model", "network_weights", "net", "network", "ema")
PREFIXES = ("module.", "model.", "net.", "network.", "_orig_mod.")
MOST_NAMES = 8


def read_weights(path: Path, trust: bool) -> Any:
    """Read a safetensors file or a checkpoint; code in a pickle is run only when trusted."""
    try:
        if path.suffix == ".safetensors":
            return needs("safetensors.torch", "models").load_file(path)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Detected pickle protocol")
            return torch.load(path, map_location="cpu", weights_only=not trust)
    except ImportError:
        raise
    except pickle.UnpicklingError as error:
        wanted = str(error).split("WeightsUnpickler error:")[-1].strip().splitlines()[0]
        raise ValueError(
            f"{path.name} is a pickle that runs code when it is loaded ({wanted}), which could do "
            "anything to this computer. Ask its author for the state_dict or a safetensors file; "
            "if you trust where it came from, say load_model(..., trust=True)"
        ) from error
    except Exception as error:
        raise ValueError(f"{path.name} cannot be read as weights: {error}") from error


def state_in(content: Any, where: str) -> dict[str, Tensor]:
    """Find the weights in what training frameworks save around them."""
    while isinstance(content, Mapping):
        if content and all(isinstance(value, Tensor) for value in content.values()):
            return {str(name): value for name, value in content.items()}
        nest = next((n for n in NESTS if isinstance(content.get(n), Mapping)), None)
        if nest is None:
            break
        content = content[nest]
    held = list(content)[:MOST_NAMES] if isinstance(content, Mapping) else type(content).__name__
    raise ValueError(f"{where} holds no weights by name; it holds {held}")


def put_weights(model: nn.Module, state: dict[str, Tensor], where: str, strict: bool) -> nn.Module:
    """Load weights; a wrapper's prefix on every name is taken off.

    Raises
    ------
    ValueError
        Names or shapes differ and ``strict`` is set; without it the same words are a warning.
    """
    wanted = model.state_dict()
    state = _unprefixed(state, set(wanted))
    shapes = {
        name: (tuple(state[name].shape), tuple(wanted[name].shape))
        for name in wanted.keys() & state.keys()
        if state[name].shape != wanted[name].shape
    }
    told = [
        _told("missing from the file", sorted(wanted.keys() - state.keys())),
        _told("not in the model", sorted(state.keys() - wanted.keys())),
        _told("of another shape", [f"{n} {a} for {b}" for n, (a, b) in sorted(shapes.items())]),
    ]
    differences = "; ".join(filter(None, told))
    if differences and strict:
        raise ValueError(f"the weights of {where} do not fit the model: {differences}")
    if differences:
        warnings.warn(f"left as they were in the model: {differences}", stacklevel=3)
    fitting = {
        name: value for name, value in state.items() if name in wanted.keys() - shapes.keys()
    }
    model.load_state_dict(fitting, strict=False)
    return model


def _unprefixed(state: dict[str, Tensor], wanted: set[str]) -> dict[str, Tensor]:
    while not wanted & state.keys():
        prefix = next((p for p in PREFIXES if all(name.startswith(p) for name in state)), None)
        if prefix is None:
            return state
        state = {name.removeprefix(prefix): value for name, value in state.items()}
    return state


def _told(what: str, names: list[str]) -> str:
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return f"{len(names)} {what}: {', '.join(names[:MOST_NAMES])}{more}" if names else ""
