"""What a model is fed, read off its layers."""

from __future__ import annotations

from typing import Any

from torch import nn

CONVOLUTIONS = nn.modules.conv._ConvNd


def dimensions_of(model: Any) -> int | None:
    """Spatial dimensions of the images that a model takes, by its convolutions.

    Returns
    -------
    int or None
        2 or 3 (1 for signals); None for what has no convolutions, or of several kinds.
    """
    found = {len(layer.kernel_size) for layer in _convolutions(model)}
    return found.pop() if len(found) == 1 else None


def channels_of(model: Any) -> int | None:
    """Channels of the images that a model takes, by its first convolution.

    Returns
    -------
    int or None
        None for what has no convolutions, or chooses channels itself.
    """
    if getattr(model, "channels", None) is not None:
        return None
    layers = _convolutions(model)
    return layers[0].in_channels if layers else None


def _convolutions(model: Any) -> list[Any]:
    if not isinstance(model, nn.Module):
        return []
    return [layer for layer in model.modules() if isinstance(layer, CONVOLUTIONS)]
