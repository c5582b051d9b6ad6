"""Whether a method looks at the model, and agrees with itself on images that look the same."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from pdcr_widgets.causal.baseline import gaussian_blur
from pdcr_widgets.causal.components.observe import torch_module
from pdcr_widgets.causal.experiment import Target
from pdcr_widgets.causal.outcome import Empty
from pdcr_widgets.evaluate.methods import METHODS
from pdcr_widgets.evaluate.peers import finished
from pdcr_widgets.evaluate.statistics import pearson, spearman


@dataclass(frozen=True)
class Randomised:
    """A map after the weights of some layers were randomised.

    Parameters
    ----------
    layer
        The layer that came last; those nearer to the output were randomised before it.
    correlation
        Spearman's, with the map of the trained model, over the pixels outside the region; -1..1.
        NaN where the map is constant or could not be made.
    note
        Why there is no map, or empty.
    """

    layer: str
    correlation: float
    note: str = ""


def sanity_check(
    method: str,
    model: Any,
    image: Any,
    region: Any,
    truth: Any = None,
    *,
    outcome: str = "dice",
    empty: Empty = "agree",
    seed: int = 0,
    **options: Any,
) -> tuple[Randomised, ...]:
    """Randomise the model's weights from the output to the input, and compare the maps.

    A map that stays the same does not tell what the model has learned. A copy is randomised: each
    parameter by normal numbers with its own mean and standard deviation.

    Parameters
    ----------
    method
        A key of `METHODS`.
    model, image, region, truth, outcome, empty
        As for `pdcr_widgets.ate_map`; the model must be a module.
    seed
        Of the random weights.
    **options
        The method's own.

    Returns
    -------
    tuple of Randomised
        One per layer with parameters of its own, the last layer first.

    References
    ----------
    Adebayo et al.: Sanity checks for saliency maps, NeurIPS 2018, arXiv 1810.03292.
    """
    target = Target.of(model, image, region, truth, outcome, empty)
    explain = _method(method)
    outside = ~target.region
    trained = finished(explain(target, **options))[outside]
    other = copy.deepcopy(torch_module(target.segmenter))
    seg = replace(target.segmenter, model=other)
    generator = torch.Generator().manual_seed(seed)
    given = target.reference if target.has_truth else None
    rows = []
    layers = [
        (n, m)
        for n, m in other.named_modules()
        if next(m.parameters(recurse=False), None) is not None
    ]
    for name, layer in reversed(layers):
        _randomise(layer, generator)
        try:
            asked = Target.of(seg, target.image, target.region, given, outcome, empty)
            found = finished(explain(asked, **options))[outside]
        except ValueError as reason:
            rows.append(Randomised(name, float("nan"), str(reason)))
        else:
            rows.append(Randomised(name, spearman(trained, found)))
    return tuple(rows)


def _randomise(layer: nn.Module, generator: torch.Generator) -> None:
    with torch.no_grad():
        for parameter in layer.parameters(recurse=False):
            values = parameter.float().cpu()
            spread = float(values.std()) if values.numel() > 1 else 0.0
            drawn = torch.randn(values.shape, generator=generator) * spread + values.mean()
            parameter.copy_(drawn)


@dataclass(frozen=True)
class Perturbation:
    """A change of an image that a map should not care about.

    Parameters
    ----------
    change
        ``(image (channels, *spatial), generator) -> image``.
    mirrors
        Whether the last axis is mirrored, and region, truth and map with it.
    """

    change: Callable[[Tensor, torch.Generator], Tensor]
    mirrors: bool = False


def _noisy(image: Tensor, generator: torch.Generator) -> Tensor:
    drawn = torch.randn(image.shape, generator=generator).to(image)
    return image + 0.05 * image.std() * drawn


PERTURBATIONS: dict[str, Perturbation] = {
    "noise": Perturbation(_noisy),
    "brightness": Perturbation(lambda image, _: image + 0.1 * image.std()),
    "contrast": Perturbation(lambda image, _: image.mean() + 1.1 * (image - image.mean())),
    "blur": Perturbation(lambda image, _: gaussian_blur(image, 0.7)),
    "flip": Perturbation(lambda image, _: image.flip(-1), mirrors=True),
}


def robustness(
    method: str,
    model: Any,
    image: Any,
    region: Any,
    truth: Any = None,
    *,
    perturbations: Mapping[str, Perturbation] | None = None,
    outcome: str = "dice",
    empty: Empty = "agree",
    seed: int = 0,
    **options: Any,
) -> dict[str, float]:
    """Correlation of a method's map with its maps for images that look the same.

    Parameters
    ----------
    method
        A key of `METHODS`.
    model, image, region, truth, outcome, empty
        As for `pdcr_widgets.ate_map`.
    perturbations
        What is done to the image; None takes `PERTURBATIONS`: noise of 5 % of the image's standard
        deviation, 10 % of it added, 10 % more contrast, a blur of 0.7 pixels, a mirror image (its
        map is mirrored back).
    seed
        Of the noise.
    **options
        The method's own.

    Returns
    -------
    dict
        Pearson's correlation over the pixels outside the region, -1..1, for each perturbation; NaN
        where a map is constant.
    """
    target = Target.of(model, image, region, truth, outcome, empty)
    explain = _method(method)
    outside = ~target.region
    original = finished(explain(target, **options))[outside]
    given = target.reference if target.has_truth else None
    found = {}
    for name, perturbation in (perturbations or PERTURBATIONS).items():
        changed = perturbation.change(target.image, torch.Generator().manual_seed(seed))
        inside, true = (
            mask[..., ::-1].copy() if perturbation.mirrors and mask is not None else mask
            for mask in (target.region, given)
        )
        moved = changed.to(target.image)
        asked = Target.of(target.segmenter, moved, inside, true, outcome, empty)
        again = finished(explain(asked, **options))
        back = again[..., ::-1] if perturbation.mirrors else again
        found[name] = pearson(original, back[outside])
    return found


def _method(name: str) -> Any:
    if name not in METHODS:
        raise ValueError(f"method must be one of {list(METHODS)}, got {name!r}")
    return METHODS[name]
