"""What happens to an image before a model sees it, in words."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from pdcr_widgets.models.prepared import NOTES, Prepared


def notes_of(model: Any) -> list[str]:
    """Tell how images are prepared for a model, and what of its own preparation is left out.

    Parameters
    ----------
    model
        Any model; only those that were loaded from a folder, and `Prepared`, have something to say.
    """
    said = getattr(model, NOTES, None)
    if said is not None:
        return [str(each) for each in said]
    if isinstance(model, Prepared):
        return [*_settings(model), *notes_of(model.model)]
    return []


def _settings(given: Prepared) -> list[str]:
    scale, mean, std = (_numbers(value) for value in (given.scale, given.mean, given.std))
    sides = [str(given.multiple)] if given.multiple > 1 else []
    told = {
        "channels {}": given.channels,
        "values clipped to {}": None if given.clip is None else [f"{v:g}" for v in given.clip],
        "times {}": None if scale == ["1"] else scale,
        "minus {}": None if mean == ["0"] else mean,
        "over {}": None if std == ["1"] else std,
        "resized by {}": _numbers(given.zoom) if given.zoom is not None else None,
        "resized to {} pixels": given.size,
        "sides of a multiple of {}": sides,
        "windows of {}": given.window,
        "{} slices on either side as channels": None
        if not given.neighbours
        else [given.neighbours],
    }
    return [words.format(", ".join(map(str, each))) for words, each in told.items() if each]


def _numbers(value: Any) -> list[str]:
    if value is None:
        return ["the image's own"]
    held = value if isinstance(value, Tensor) else Tensor([value]).flatten()
    return [f"{each:g}" for each in held.flatten().tolist()]
