"""What models return, brought to one form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

ROUNDED = 1e-3  # by how much sums of probabilities may miss 1, in half precision


def check_scores(output: Any, images: Tensor) -> Tensor:
    """Bring a raw output to ``(batch, classes, *spatial)`` or say what is wrong with it."""
    scores = scores_in(output)
    if scores is None:
        raise TypeError(
            f"the model returned {type(output).__name__}, not a tensor (nor a dict or sequence "
            f"that starts with one); wrap it in a function that returns (batch, classes, *spatial)"
        )
    scores = scores.as_subclass(Tensor)
    held = scores[:, None] if scores.ndim == images.ndim - 1 else scores
    fits = held.ndim == images.ndim and held.shape[1] > 0
    if not fits or held.shape[0] != images.shape[0] or held.shape[2:] != images.shape[2:]:
        raise ValueError(
            f"the model returned shape {tuple(scores.shape)} for images of shape "
            f"{tuple(images.shape)}; it must be (batch, classes, *spatial) with the same batch and "
            f"spatial shape (`pdcr.Prepared` brings heads of lower resolution and unpadded "
            f"convolutions to the image's grid)"
        )
    if not held.is_floating_point():
        raise TypeError(
            f"the model returned {short(held.dtype)}; it must return scores or probabilities, not "
            f"labels (for a mask of the target, give `mask.float()`)"
        )
    return held


def likely_activation(scores: Tensor) -> str:
    """Decide how scores are read: what they are is told by their range.

    A logit is 0 where it is undecided. Scores of one class that are nowhere negative and exceed 1
    are therefore no logits but grey levels, shares or counts: a sigmoid would predict all pixels.

    Parameters
    ----------
    scores
        ``(batch, classes, *spatial)``.

    Returns
    -------
    str
        ``"identity"`` for scores in 0..1, ``"sigmoid"`` for other scores of one class,
        ``"softmax"`` for those of several.

    Raises
    ------
    ValueError
        One class whose scores are nowhere negative and exceed 1.
    """
    low, high = float(scores.min()), float(scores.max())
    if low >= 0 and high <= 1 + ROUNDED:
        return "identity"
    if scores.shape[1] > 1:
        return "softmax"
    if low >= 0:
        raise ValueError(
            f"the model returned scores of one class from {low:g} to {high:g}: neither "
            "probabilities, which end at 1, nor logits, which are negative where the class is "
            "unlikely. Have the model divide them by the highest value they can have, or say what "
            'they are: activation="sigmoid" for logits, or a function'
        )
    return "sigmoid"


def check_finite(probability: Tensor) -> Tensor:
    """Refuse NaN and infinite predictions (costs one host transfer)."""
    if not bool(torch.isfinite(probability).all()):
        raise ValueError(
            "the model returned NaN or infinite values for the image; check that the image is in "
            "the units the model takes and that its weights are finite"
        )
    return probability


def scores_in(output: Any) -> Tensor | None:
    """Find the scores among what a model returned, or None.

    Raises
    ------
    ValueError
        A list of several tensors of one shape, any of which could be the final one.
    """
    if isinstance(output, list) and len(output) > 1:
        shapes = {tuple(each.shape) if isinstance(each, Tensor) else None for each in output}
        if len(shapes) == 1 and None not in shapes:
            raise ValueError(
                f"the model returned {len(output)} tensors of shape {shapes.pop()} (deep "
                "supervision?); say which of them is the prediction: "
                "pdcr.segmenter(model, output=-1) for the last, output=0 for the first"
            )
    return first_tensor(output)


def first_tensor(output: Any) -> Tensor | None:
    """Find the scores among what a model returned, or None."""
    if isinstance(output, Tensor):
        return output
    if isinstance(output, Mapping):
        for key in ("out", "logits", "masks"):
            if isinstance(output.get(key), Tensor):
                return output[key]
        return first_tensor(next(iter(output.values()), None))
    if isinstance(output, Sequence) and output and not isinstance(output, str):
        return first_tensor(output[0])
    return None


def short(dtype: torch.dtype) -> str:
    """Write a dtype as people do: float32."""
    return str(dtype).removeprefix("torch.")


def described(value: Any) -> str:
    """Write the shape of a value that has one, else its type."""
    shape = getattr(value, "shape", None)
    return type(value).__name__ if shape is None else f"shape {tuple(shape)}"
