"""Effects of a network's layers on the prediction inside a region."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch

from pdcr_widgets.causal.arrays import as_image
from pdcr_widgets.causal.components.interventions import INTERVENTIONS, Intervention
from pdcr_widgets.causal.components.layer_results import LayerEffects, LayerEffectUpdate
from pdcr_widgets.causal.components.observe import Observed, observe, torch_module
from pdcr_widgets.causal.components.preserve import preserved
from pdcr_widgets.causal.components.runner import Donors, HookRunner
from pdcr_widgets.causal.components.stages import groups, select
from pdcr_widgets.causal.components.study import Study
from pdcr_widgets.causal.components.where import as_mask
from pdcr_widgets.causal.experiment import Target
from pdcr_widgets.causal.outcome import Empty, Outcome
from pdcr_widgets.causal.segmenter import segmenter

Kinds = str | Sequence[str] | Mapping[str, Intervention]


def layer_effects(
    model: Any, image: Any, region: Any, truth: Any = None, **options: Any
) -> LayerEffects:
    """Measure the effect of each layer on the prediction inside a region.

    Takes the arguments of `iter_layer_effects` and gives the last of its results.
    """
    for update in iter_layer_effects(model, image, region, truth, **options):
        effects = update.effects
    return effects


def iter_layer_effects(
    model: Any,
    image: Any,
    region: Any,
    truth: Any = None,
    *,
    layers: str | Sequence[str] | None = None,
    intervention: Kinds = "mean",
    samples: int = 8,
    donors: Any = None,
    where: Any = None,
    elsewhere: bool = False,
    outcome: str = "dice",
    empty: Empty = "agree",
    seed: int = 0,
    batch: int | None = None,
) -> Iterator[LayerEffectUpdate]:
    """Measure layer effects step by step; stop iterating to cancel.

    Each layer's output is replaced, everything behind it runs on, and the outcome inside the region
    is compared with that of the untouched model: the total causal effect of the layer for this
    image and this meaning of "replaced". Between two steps nothing is attached to the model.

    Parameters
    ----------
    model
        A `torch.nn.Module`, or a `Segmenter` of one.
    image
        ``(channels, *spatial)`` floats in the units the model takes.
    region
        Boolean array of the spatial shape, or a box.
    truth
        Ground truth; None compares with the model's own prediction.
    layers
        Names or globs of modules; None for the stages that `default_stages` finds.
    intervention
        A key of `INTERVENTIONS`, several keys, or a mapping from a name to an `Intervention`.
        Several are better than one, see `pdcr_widgets.causal.components.interventions`.
    samples
        Draws of the kinds that are random. Kinds that are not take one, which is exact.
    donors
        Images like ``image``, ``(n, channels, *spatial)`` or a sequence, for the kinds that need
        them. With at least ``n`` samples each donor is used once.
    where
        None, ``"inside"`` or ``"outside"`` the region, or a drawn area: the original output stays
        in the rest of the image.
    elsewhere
        Also measure the outcome in the rest of the image. Costs no further evaluations, but whole
        predictions are needed.
    outcome
        A key of `OUTCOMES`.
    empty
        Points where prediction and reference are both empty, see `Outcome`.
    seed
        Of every random value. Each draw depends on seed, layer and its number alone.
    batch
        Interventions per forward pass.

    Yields
    ------
    LayerEffectUpdate
        After the first draw of each layer, then after further draws.

    Raises
    ------
    TypeError, ValueError
        What was given cannot be used; the message says why and what to do.

    References
    ----------
    PdCR, arXiv:2602.20511; Vig et al., Causal Mediation Analysis, NeurIPS 2020, arXiv:2004.12265.
    """
    if samples < 1:
        raise ValueError(f"samples must be at least 1, got {samples}")
    if seed < 0:
        raise ValueError(f"seed must be 0 or larger, got {seed}")
    kinds = as_kinds(intervention)
    wrapped = segmenter(model)
    with preserved(torch_module(wrapped), wrapped.device):
        target = Target.of(wrapped, image, region, truth, outcome, empty)
        observed = observe(target.segmenter, target.image)
    chosen = select(observed, layers)
    given = _as_donors(donors, target, chosen, kinds)
    study = Study(target, chosen, groups(observed), kinds, given, samples, seed)
    study.area = as_mask(where, target.region)
    study.runner = HookRunner(target, study.read(elsewhere), batch)
    study.rest = Outcome(
        outcome, ~target.region, target.reference, target.segmenter.threshold, empty,
        target.image.device,
    ) if elsewhere else None  # fmt: skip
    return study.run()


def as_kinds(intervention: Kinds) -> dict[str, Intervention]:
    """Give interventions by name.

    Raises
    ------
    ValueError
        A name that is not in `INTERVENTIONS`, or none at all.
    """
    if isinstance(intervention, Mapping):
        kinds = dict(intervention)
    else:
        names = [intervention] if isinstance(intervention, str) else list(intervention)
        unknown = [n for n in names if n not in INTERVENTIONS]
        if unknown:
            raise ValueError(f"intervention must be of {list(INTERVENTIONS)}, got {unknown[0]!r}")
        kinds = {name: INTERVENTIONS[name] for name in names}
    if not kinds:
        raise ValueError(f"no intervention was given; choose from {list(INTERVENTIONS)}")
    return kinds


def _as_donors(
    donors: Any, target: Target, layers: Sequence[Observed], kinds: Mapping[str, Intervention]
) -> Donors | None:
    needing = [name for name, kind in kinds.items() if kind.needs_donors]
    if donors is None:
        if needing:
            raise ValueError(
                f"intervention {needing[0]!r} needs other images; give `donors=` as "
                f"(n, {', '.join(map(str, target.image.shape))})"
            )
        return None
    images = [as_image(donor, "donor") for donor in donors]
    if not images:
        raise ValueError("donors is empty; give at least one image")
    for image in images:
        if image.shape != target.image.shape:
            raise ValueError(
                f"donor has shape {tuple(image.shape)}, the image {tuple(target.image.shape)}; "
                f"crop or resample donors to the image's shape"
            )
    return Donors(target, torch.stack(images).to(target.image), layers)
