"""Trained folders of nnU-Net version 2: network, normalisation, windows and spacing from them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, groupby
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from pdcr_widgets.causal.needs import needs
from pdcr_widgets.models.json_file import read_object
from pdcr_widgets.models.nnunet_plans import Plans, locate
from pdcr_widgets.models.nnunet_values import Normalised
from pdcr_widgets.models.prepared import CLASSES, DECLARED, NOTES, Prepared
from pdcr_widgets.models.tiled import Tiled
from pdcr_widgets.models.weights import put_weights, read_weights

PLANS, DATASET = "plans.json", "dataset.json"
CHECKPOINTS = ("checkpoint_final.pth", "checkpoint_best.pth", "checkpoint_latest.pth")
NUMBERS: list[Any] = [
    np.float64(0).__reduce__()[0],
    np.dtype,
    *(type(np.dtype(name)) for name in ("float64", "float32", "int64", "bool")),
]
"""What numpy's numbers are pickled with: they hold bytes and run nothing."""


def is_trained_folder(folder: Path) -> bool:
    """Whether nnU-Net trained into this folder, or into the one above it (a single fold)."""
    return _has_plans(folder) or (folder.name.startswith("fold_") and _has_plans(folder.parent))


def _has_plans(folder: Path) -> bool:
    return (folder / PLANS).is_file() and (folder / DATASET).is_file()


def load_nnunet(
    folder: Path, strict: bool, trust: bool, like: Any = None, mirror: bool = True
) -> nn.Module:
    """Build what nnU-Net predicts with.

    Parameters
    ----------
    folder
        ``TRAINER__PLANS__CONFIGURATION`` with ``fold_*`` folders, whose predictions are averaged,
        or one ``fold_*`` folder. The second stage of a cascade needs the folder of the first one
        beside it.
    strict
        Whether every weight must fit.
    trust
        Allow networks from outside dynamic_network_architectures and torch.
    like
        The opened image or volume that slices come from: what of it is not zero is the box that is
        looked at, its values give the mean and standard deviation of normalisation, its spacing the
        resizing. Without it, each image's own are taken, and the spacing of the plans.
    mirror
        Average over the flipped images that the training allows, as nnU-Net does by default: 4
        passes for a slice, 8 for a volume. False is its ``--disable_tta``.
    """
    above = _has_plans(folder)
    home = folder if above else folder.parent
    folds = sorted(home.glob("fold_*")) if above else [folder]
    found = [fold / name for fold in folds for name in CHECKPOINTS if (fold / name).is_file()]
    checkpoints = [next(iter(of)) for _, of in groupby(found, key=lambda path: path.parent)]
    if not checkpoints:
        raise ValueError(f"{folder.name} has no fold_*/{CHECKPOINTS[0]}: it was not trained")
    held = [_read(path, trust) for path in checkpoints]
    configuration = held[0]["init_args"]["configuration"]
    plan = Plans(read_object(home / PLANS), read_object(home / DATASET), configuration, home.name)
    first = _first_stage(home, plan, strict, trust, like, mirror)
    members = [
        put_weights(_network(plan, trust), one["network_weights"], path.parent.name, strict)
        for one, path in zip(held, checkpoints, strict=True)
    ]
    whole = members[0] if len(members) == 1 else Averaged(members)
    axes = tuple(held[0].get("inference_allowed_mirroring_axes") or ())
    whole = _prepared(Mirrored(whole, axes) if mirror and axes else whole, plan, like)
    if first is not None:
        whole = Cascaded(first, whole, plan)
    setattr(whole, DECLARED, "sigmoid" if plan.regions else "softmax")
    setattr(whole, CLASSES, plan.classes)
    setattr(whole, NOTES, _notes(plan, like, len(members), axes, mirror))
    return whole


def _first_stage(home: Path, plan: Plans, *how: Any) -> nn.Module | None:
    """Load the network whose segmentation this one refines, from the folder beside it."""
    if not plan.previous:
        return None
    beside = home.with_name(f"{home.name.rpartition('__')[0]}__{plan.previous}")
    if not is_trained_folder(beside):
        raise ValueError(
            f"{home.name} is the second stage of a cascade and needs the first one's segmentation; "
            f"put the folder {beside.name} beside it, or explain another configuration"
        )
    return load_nnunet(beside, *how)


def _notes(plan: Plans, like: Any, folds: int, axes: Sequence[int], mirror: bool) -> list[str]:
    """What is done to each image, for people to read."""
    steps = " × ".join(f"{step:g}" for step in plan.spacing)
    known = getattr(like, "spacing", None) is not None
    spacing = f"resampled to {steps} mm" if known else f"taken to have {steps} mm (no like= given)"
    flips = f"mean over {2 ** len(axes)} flips of the image" if mirror else "not mirrored"
    return [
        f"nnU-Net {plan.configuration}: {', '.join(name for name, *_ in plan.schemes)}",
        spacing,
        f"windows of {' × '.join(map(str, plan.patch_size))}",
        flips if axes else "trained without mirroring",
        *([f"mean of {folds} folds"] if folds > 1 else []),
        *([f"given the segmentation of {plan.previous}"] if plan.previous else []),
    ]


class Averaged(nn.Module):
    """Mean of the logits of several networks, as nnU-Net joins its folds."""

    def __init__(self, members: Sequence[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, images: Tensor) -> Tensor:
        """Scores ``(batch, classes, *spatial)``."""
        return torch.stack([member(images) for member in self.members]).mean(dim=0)


class Mirrored(nn.Module):
    """Mean of the logits of an image and of its flips along some axes."""

    def __init__(self, model: nn.Module, axes: Sequence[int]) -> None:
        super().__init__()
        self.model = model
        counts = range(len(axes) + 1)
        self.flips = [[2 + axis for axis in one] for n in counts for one in combinations(axes, n)]

    def forward(self, images: Tensor) -> Tensor:
        """Scores ``(batch, classes, *spatial)``."""
        each = [self.model(images.flip(axes)).flip(axes) for axes in self.flips]
        return torch.stack(each).mean(dim=0)


class Cascaded(nn.Module):
    """A network that is also given the segmentation of another one, label by label."""

    def __init__(self, first: nn.Module, second: nn.Module, plan: Plans) -> None:
        super().__init__()
        self.first, self.second, self.plan = first, second, plan

    def forward(self, images: Tensor) -> Tensor:
        """Scores ``(batch, classes, *spatial)`` of the second network."""
        labels = self.plan.labels_of(self.first(images))
        known = [(labels == label).to(images) for label in self.plan.foreground]
        scores: Tensor = self.second(torch.cat([images, torch.stack(known, dim=1)], dim=1))
        return scores


class Firm(nn.Module):
    """A network whose last channels are masks, which resampling has blurred."""

    def __init__(self, model: nn.Module, masks: int) -> None:
        super().__init__()
        self.model, self.masks = model, masks

    def forward(self, images: Tensor) -> Tensor:
        """Scores ``(batch, classes, *spatial)``."""
        values, blurred = images.tensor_split([images.shape[1] - self.masks], dim=1)
        scores: Tensor = self.model(torch.cat([values, (blurred >= 0.5).to(values)], dim=1))
        return scores


class Turned(nn.Module):
    """A network that takes the axes of a volume in another order."""

    def __init__(self, model: nn.Module, order: Sequence[int]) -> None:
        super().__init__()
        self.model, self.order = model, [0, 1, *(2 + axis for axis in order)]

    def forward(self, images: Tensor) -> Tensor:
        """Scores on the axes of the images."""
        scores: Tensor = self.model(images.permute(self.order))
        back = sorted(range(len(self.order)), key=lambda axis: self.order[axis])
        return scores.permute(back)


def _prepared(network: nn.Module, plan: Plans, like: Any) -> nn.Module:
    spacing = getattr(like, "spacing", None)
    zoom = plan.zoom(spacing) if spacing is not None else None
    tiled: nn.Module = Tiled(network, plan.patch_size)
    masks = len(plan.foreground) if plan.previous else 0
    held: nn.Module = Prepared(Firm(tiled, masks) if masks else tiled, zoom=zoom)
    if plan.order is not None and len(plan.patch_size) == 3:
        held = Turned(held, plan.order)
    return Normalised(held, plan.schemes, masks, like, plan.regions)


def _read(path: Path, trust: bool) -> dict[str, Any]:
    """Read a checkpoint; its training log holds numpy's numbers, which run no code."""
    with torch.serialization.safe_globals(NUMBERS):
        held = read_weights(path, trust)
    if not isinstance(held, dict) or not {"network_weights", "init_args"} <= held.keys():
        raise ValueError(f"{path.name} is no checkpoint of nnU-Net version 2")
    return held


def _network(plan: Plans, trust: bool) -> nn.Module:
    needs("dynamic_network_architectures", "nnunet")
    kind = locate(plan.network, trust)
    try:
        network: nn.Module = kind(
            input_channels=plan.inputs + (len(plan.foreground) if plan.previous else 0),
            num_classes=plan.outputs,
            **plan.arguments(trust),
            deep_supervision=False,
        )
    except Exception as error:
        raise ValueError(f"{plan.network} cannot be built as {plan.where} says: {error}") from error
    return network
