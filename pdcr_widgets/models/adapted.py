"""Networks whose answer is not scores of classes, brought to it by what they are."""

from __future__ import annotations

from typing import Any

from torch import nn

from pdcr_widgets.models.prepared import Prepared
from pdcr_widgets.models.prompted import Prompted
from pdcr_widgets.models.queries import MaskQueries

QUERIES = ("ForUniversalSegmentation", "ForInstanceSegmentation")
SCORES = ("ForSemanticSegmentation",)
FINAL_LAST = ("BasicUNetPlusPlus",)
"""Networks of MONAI whose deep supervision ends with the prediction."""
TASKED = ("OneFormerForUniversalSegmentation",)
PROMPTABLE = ("SamModel", "SamHQModel", "Sam2Model", "EdgeTamModel")


def adapted(model: Any, **prompt: Any) -> Any:
    """Wrap a network of a library as its kind needs; give anything else back as it is.

    Parameters
    ----------
    model
        Module or callable.
    **prompt
        ``box``, ``points`` and ``outside``, for promptable networks only; see `Prompted`.

    Raises
    ------
    ValueError
        A promptable network without a prompt, a prompt for another one, or a network that also
        takes a task.
    """
    kind = _transformers_name(model)
    if kind in PROMPTABLE:
        return Prompted(model, **prompt)
    if prompt:
        raise ValueError(
            f"{sorted(prompt)} are prompts for promptable networks {PROMPTABLE}; this is a "
            f"{type(model).__name__}"
        )
    if kind in TASKED:
        raise ValueError(
            f"{kind} takes its task as tokens beside each image; give a function of images that "
            "calls it with task_inputs and returns scores (batch, classes, height, width)"
        )
    if kind.endswith(QUERIES):
        return Prepared(MaskQueries(model))
    if type(model).__name__ in FINAL_LAST and type(model).__module__.startswith("monai."):
        return Prepared(model, output=-1)
    return Prepared(model) if kind.endswith(SCORES) else model


def _transformers_name(model: Any) -> str:
    """Name of the class of transformers that a network is, also by inheritance; or empty."""
    if not isinstance(model, nn.Module):
        return ""
    kinds = (kind for kind in type(model).__mro__ if kind.__module__.startswith("transformers."))
    return next((kind.__name__ for kind in kinds), "")
