"""Effects of a network's layers on the prediction inside a region."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from pdcr_widgets.causal.arrays import as_image
from pdcr_widgets.causal.components.catalog import Catalog
from pdcr_widgets.causal.components.donors import Donors
from pdcr_widgets.causal.components.interventions import INTERVENTIONS, Intervention
from pdcr_widgets.causal.components.layer_results import LayerEffects, LayerEffectUpdate
from pdcr_widgets.causal.components.observe import torch_module
from pdcr_widgets.causal.components.originals import Originals
from pdcr_widgets.causal.components.preserve import preserved
from pdcr_widgets.causal.components.runner import everywhere
from pdcr_widgets.causal.components.sites import Site
from pdcr_widgets.causal.components.study import LayerSweep, Study
from pdcr_widgets.causal.components.where import as_mask
from pdcr_widgets.causal.components.windowed import make_runner
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
    layers: str | Site | Sequence[str | Site] | None = None,
    intervention: Kinds = "mean",
    samples: int = 8,
    donors: Any = None,
    where: Any = None,
    elsewhere: bool = False,
    outcome: str = "dice",
    empty: Empty = "agree",
    seed: int = 0,
    engine: str = "auto",
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
        None: the stages that `default_stages` finds. ``("stages", "skips")``: these and the skip
        connections. Else names, globs or sites of any component, see `Catalog.find` and
        `components`.
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
    engine
        ``"incremental"``: only what follows a layer and the region reads is computed, exactly.
        ``"full"``: whole passes with hooks. ``"auto"``: the faster one that agrees.
    batch
        Interventions per whole forward pass.

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
    kinds = as_kinds(intervention)
    study = make_study(
        model, image, region, truth, layers=layers, donors=donors, where=where,
        elsewhere=elsewhere, outcome=outcome, empty=empty, seed=seed, engine=engine, batch=batch,
    )  # fmt: skip
    return LayerSweep(check_donors(study, kinds), kinds, check_samples(samples)).run()


def make_study(
    model: Any,
    image: Any,
    region: Any,
    truth: Any = None,
    *,
    layers: str | Site | Sequence[str | Site] | None = None,
    donors: Any = None,
    where: Any = None,
    elsewhere: bool = False,
    outcome: str = "dice",
    empty: Empty = "agree",
    seed: int = 0,
    engine: str = "auto",
    batch: int | None = None,
    jointly: bool = False,
) -> Study:
    """Check what the user gave, look at the network and predict the untouched image.

    ``jointly``: several sites will be replaced at once, so whole contents are made.
    """
    if seed < 0:
        raise ValueError(f"seed must be 0 or larger, got {seed}")
    wrapped = segmenter(model)
    with preserved(torch_module(wrapped), wrapped.device):
        target = Target.of(wrapped, image, region, truth, outcome, empty)
    catalog = Catalog(target.segmenter, target.image)
    sites = catalog.find(layers)
    everything = tuple(slice(0, n) for n in target.region.shape)
    read = everything if elsewhere else target.window
    originals = Originals(target, sites)
    with preserved(torch_module(wrapped), wrapped.device):
        runner = make_runner(target, read, engine, batch, originals)
    window = everywhere if jointly else runner.window
    area = as_mask(where, target.region)
    rest = _rest_of(target, outcome, empty) if elsewhere else None
    study = Study(
        target, sites, originals, runner, window, None, seed, area, rest, empty, batch,
        catalog.flow(sites),
    )  # fmt: skip
    if donors is not None:
        study.donors = Donors(target, _donor_images(donors, target), sites, window)
    return study


def _rest_of(target: Target, outcome: str, empty: Empty) -> Outcome:
    """Outcome outside the region."""
    threshold, device = target.segmenter.threshold, target.image.device
    return Outcome(outcome, ~target.region, target.reference, threshold, empty, device)


def check_samples(samples: int) -> int:
    """Refuse a number of draws below one."""
    if samples < 1:
        raise ValueError(f"samples must be at least 1, got {samples}")
    return samples


def check_donors(study: Study, kinds: Mapping[str, Intervention]) -> Study:
    """Refuse kinds that need donors where there are none."""
    needing = [name for name, kind in kinds.items() if kind.needs_donors]
    if needing and study.donors is None:
        shape = ", ".join(map(str, study.target.image.shape))
        raise ValueError(
            f"intervention {needing[0]!r} needs other images; give `donors=` as (n, {shape})"
        )
    return study


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


def _donor_images(donors: Any, target: Target) -> Tensor:
    images = [as_image(donor, "donor") for donor in donors]
    if not images:
        raise ValueError("donors is empty; give at least one image")
    for image in images:
        if image.shape != target.image.shape:
            raise ValueError(
                f"donor has shape {tuple(image.shape)}, the image {tuple(target.image.shape)}; "
                f"crop or resample donors to the image's shape"
            )
    return torch.stack(images).to(target.image)
