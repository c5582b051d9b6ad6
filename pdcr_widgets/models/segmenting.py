"""`segmenter`: a model of any origin, with what it needs, as one thing."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor, nn

from pdcr_widgets.causal.segmenter import Segmenter
from pdcr_widgets.models.adapted import adapted
from pdcr_widgets.models.loading import load_model
from pdcr_widgets.models.prepared import CLASSES, DECLARED, VALUES, Prepared

PROMPT = ("box", "points", "outside")
FILE = ("network", "strict", "trust", "like", "mirror")


def segmenter(
    model: Any,
    target: int | None = None,
    activation: str | Callable[[Tensor], Tensor] = "auto",
    threshold: float = 0.5,
    classes: Sequence[str] = (),
    **options: Any,
) -> Segmenter:
    """Wrap any segmentation model, from memory or from its file.

    Parameters
    ----------
    model
        Module or callable, ``(batch, channels, *spatial) -> (batch, classes, *spatial)`` or
        ``(batch, *spatial)``, also inside a dict, a list (deep supervision) or an output of
        transformers; the path of anything that `load_model` opens; a `Segmenter`, which is given
        back as it is. A module is put in evaluation mode for each call and restored.
    target
        Class whose prediction is explained; None decides on the first image (see
        `Segmenter.resolve`).
    activation
        ``"softmax"`` for classes that exclude each other, ``"sigmoid"`` for labels that overlap,
        ``"identity"`` for probabilities, a callable, or ``"auto"``: what a bundle or nnU-Net folder
        says, else decided on the first image. Overlapping labels cannot be told from classes by
        their scores: say ``"sigmoid"``.
    threshold
        Probability above which a pixel is predicted as the target, 0..1.
    classes
        Names of the classes, in the model's order; by default what a network of transformers or an
        nnU-Net folder calls them.
    **options
        ``network``, ``strict``, ``trust``, ``like`` and ``mirror`` for paths, as `load_model` takes
        them (``network`` is its ``model``). ``box``, ``points`` and ``outside``: the fixed prompt
        of a promptable network, as `Prompted` takes them. Anything else is preprocessing, as
        `Prepared` takes it: ``mean``, ``std``, ``size``, ``multiple``, ``window``, ...

    Returns
    -------
    Segmenter

    Raises
    ------
    TypeError, ValueError
        Not a model, a file that cannot be loaded, an unknown option or activation, a threshold
        outside 0..1.
    ImportError
        The library that a file needs is not installed.
    """
    if isinstance(model, Segmenter):
        said = options or classes or target is not None or activation != "auto"
        if said or threshold != 0.5:
            raise ValueError(
                "this is a Segmenter already; give its options to the call that made it"
            )
        return model
    prompt = {name: options.pop(name) for name in PROMPT if name in options}
    file = {name: options.pop(name) for name in FILE if name in options}
    if isinstance(model, str | os.PathLike):
        model = load_model(os.fspath(model), file.pop("network", None), **file)
    elif file:
        raise ValueError(f"{sorted(file)} are for the path of a model, got {type(model).__name__}")
    options = {**getattr(model, VALUES, {}), **options}
    held = adapted(model, **prompt)
    if isinstance(held, Prepared) and options and held is not model:
        options, held = {"output": held.output, **options}, held.model
    whole = Prepared(held, **options) if options else held
    if activation == "auto" and isinstance(model, nn.Module):
        activation = getattr(model, DECLARED, "auto")
    return Segmenter(whole, target, activation, threshold, classes or named_classes(model))


def named_classes(model: Any) -> list[str]:
    """Names that a model itself has for its classes; none where they are only numbered."""
    declared = getattr(model, CLASSES, None)
    if declared is not None or not isinstance(model, nn.Module):
        return list(declared or ())
    configs = (getattr(part, "config", None) for part in model.modules())
    for names in (getattr(config, "id2label", None) for config in configs):
        if names and not any(str(name).startswith("LABEL_") for name in names.values()):
            return [str(names[number]) for number in sorted(names)]
    return []
