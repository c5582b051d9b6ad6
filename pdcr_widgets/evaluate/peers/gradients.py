"""Gradients of a segmentation, with the model left as it was found."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from pdcr_widgets.causal.components.observe import (
    Observed,
    first_tensor,
    forward_hooks,
    observe,
    torch_module,
    with_first_tensor,
)
from pdcr_widgets.causal.components.preserve import preserved
from pdcr_widgets.causal.components.stages import default_stages, select
from pdcr_widgets.causal.evaluation import evaluation
from pdcr_widgets.causal.experiment import Target
from pdcr_widgets.causal.scores import check_scores
from pdcr_widgets.causal.segmenter import Segmenter


@contextmanager
def differentiable(segmenter: Segmenter) -> Iterator[None]:
    """Evaluation mode with gradients; modes, buffers and random state are restored afterwards."""
    model = segmenter.model
    if not isinstance(model, nn.Module):
        held: Any = nullcontext()
        kept: Any = nullcontext()
    else:
        held, kept = evaluation(model), preserved(model, segmenter.device)
    with held, kept, torch.enable_grad():
        yield


def scores_of(segmenter: Segmenter, images: Tensor) -> Tensor:
    """Raw scores ``(batch, classes, *spatial)`` with their graph; inside `differentiable`.

    Raises
    ------
    ValueError
        The scores do not depend on the images, or the layer, in a way that torch can follow.
    """
    scores = check_scores(segmenter.model(images), images)
    if not scores.requires_grad:
        raise ValueError(
            "this method needs a model that torch can differentiate, from the layer or the image "
            "to the scores; choose a method without gradients, such as 'rise' or 'occlusion'"
        )
    return scores


def gradient(of: Tensor, to: Tensor) -> Tensor:
    """Gradient of a number; nothing is added to anybody's ``.grad``."""
    return torch.autograd.grad(of, to)[0]


@dataclass(frozen=True, eq=False)
class Activation:
    """What a layer gave for the image, and the gradient of the target's score with respect to it.

    Parameters
    ----------
    layer
        Its name.
    values, slope
        ``(channels, *positions)`` each.
    """

    layer: str
    values: Tensor
    slope: Tensor


def activation(target: Target, layer: str | None) -> Activation:
    """Run the model once and differentiate the target's score at a layer.

    The score is the sum of the class's raw scores (logits, where the model gives logits) over the
    pixels of the region that are predicted as the target.

    Raises
    ------
    TypeError, ValueError
        Nothing is predicted inside the region; no such layer, one without feature maps, or a model
        that is no module.
    """
    seg = target.segmenter
    model = torch_module(seg)
    chosen = _layer(target, layer)
    held: dict[str, Tensor] = {}

    def cut(name: str, args: Any, kwargs: Any, output: Any) -> Any:
        del args, kwargs
        tensor = first_tensor(output)
        assert tensor is not None  # `select` gives layers with a tensor only
        held[name] = tensor.detach().clone().requires_grad_()
        return with_first_tensor(output, held[name].clone())

    with differentiable(seg), forward_hooks({chosen.name: model.get_submodule(chosen.name)}, cut):
        scores = scores_of(seg, target.image[None])
        slope = gradient(scores[0, seg.target][predicted(target)].sum(), held[chosen.name])
    return Activation(chosen.name, held[chosen.name].detach()[0], slope[0])


def predicted(target: Target) -> Tensor:
    """Pixels of the region that the model predicts as the target, booleans.

    Raises
    ------
    ValueError
        There are none.
    """
    inside = torch.from_numpy(target.region).to(target.probability.device)
    found = inside & (target.probability > target.segmenter.threshold)
    if not bool(found.any()):
        raise ValueError(
            "the model predicts no target inside the region, so there is no score to explain; "
            "choose a region with some prediction in it, or a method such as 'occlusion'"
        )
    return found


def _layer(target: Target, layer: str | None) -> Observed:
    """The named layer, or the last stage at the lowest resolution.

    Of a network that keeps one resolution it is the last stage before the head.
    """
    observed = observe(target.segmenter, target.image)
    if layer is not None:
        chosen = select(observed, [layer])
        if len(chosen) != 1:
            raise ValueError(f"layer {layer!r} names {len(chosen)} layers; give the name of one")
        return _mapped(chosen[0], target)
    stages = [o for o in default_stages(observed) if o.positions > 1 and _is_mapped(o, target)]
    if not stages:
        raise ValueError("no stage with feature maps was found in the model; name one as layer=")
    lowest = min(stage.positions for stage in stages)
    at_lowest = [stage for stage in stages if stage.positions == lowest]
    if len(at_lowest) == len(stages):
        return stages[max(len(stages) - 2, 0)]
    return at_lowest[-1]


def _is_mapped(layer: Observed, target: Target) -> bool:
    return layer.channel == 0 and len(layer.shape) == target.image.ndim


def _mapped(layer: Observed, target: Target) -> Observed:
    if not _is_mapped(layer, target):
        raise ValueError(
            f"layer {layer.name!r} gives {layer.shape}, which are no feature maps (channels, "
            f"*positions); name a convolutional layer"
        )
    return layer
