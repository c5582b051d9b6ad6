"""Trained folders of nnU-Net version 2: network, normalisation, windows and spacing from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from pdcr_widgets.causal.needs import needs
from pdcr_widgets.models.json_file import read_object
from pdcr_widgets.models.nnunet_plans import Plans, locate
from pdcr_widgets.models.prepared import CLASSES, DECLARED, Prepared
from pdcr_widgets.models.tiled import Tiled
from pdcr_widgets.models.weights import put_weights, read_weights

PLANS, DATASET = "plans.json", "dataset.json"
CHECKPOINTS = ("checkpoint_final.pth", "checkpoint_best.pth", "checkpoint_latest.pth")
TINY = 1e-8
OWN_VALUES = ("ZScoreNormalization", "RescaleTo01Normalization")
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


def load_nnunet(folder: Path, strict: bool, trust: bool, like: Any = None) -> nn.Module:
    """Build what nnU-Net predicts with, without its mirroring.

    Parameters
    ----------
    folder
        ``TRAINER__PLANS__CONFIGURATION`` with ``fold_*`` folders, whose predictions are averaged,
        or one ``fold_*`` folder.
    strict
        Whether every weight must fit.
    trust
        Allow networks from outside dynamic_network_architectures and torch.
    like
        The opened image or volume that slices come from: its values give the mean and standard
        deviation of normalisation, its spacing the resizing. Without it, each image is normalised
        by itself and taken to have the spacing of the plans.
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
    members = [
        put_weights(_network(plan, trust), one["network_weights"], path.parent.name, strict)
        for one, path in zip(held, checkpoints, strict=True)
    ]
    whole = _prepared(members[0] if len(members) == 1 else Averaged(members), plan, like)
    setattr(whole, DECLARED, "sigmoid" if plan.regions else "softmax")
    setattr(whole, CLASSES, plan.classes)
    return whole


class Averaged(nn.Module):
    """Mean of the logits of several networks, as nnU-Net joins its folds."""

    def __init__(self, members: Sequence[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, images: Tensor) -> Tensor:
        """Scores ``(batch, classes, *spatial)``."""
        return torch.stack([member(images) for member in self.members]).mean(dim=0)


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


class Normalised(nn.Module):
    """Values brought to what nnU-Net trained on, channel by channel, by its own named schemes.

    Parameters
    ----------
    model
        Network on normalised values.
    schemes
        Name, properties of the training set, and whether zeros are left out, for each channel.
    like
        ``(channels, ...)`` values whose mean, standard deviation and range are used; None: each
        image's own.
    """

    def __init__(
        self, model: nn.Module, schemes: Sequence[tuple[str, Mapping[str, float], bool]], like: Any
    ) -> None:
        super().__init__()
        self.model, self.schemes = model, list(schemes)
        self.statistics = None
        if like is not None:
            values = torch.as_tensor(np.asarray(like), dtype=torch.float32)[None]
            self.statistics = self._measured(values)

    def forward(self, images: Tensor) -> Tensor:
        """Scores of images in the units of the file."""
        if images.shape[1] != len(self.schemes):
            raise ValueError(
                f"the network was trained on {len(self.schemes)} channels, the image has "
                f"{images.shape[1]}"
            )
        told = self.statistics or self._measured(images)
        done = [
            self._channel(values, scheme, numbers)
            for values, scheme, numbers in zip(images.unbind(1), self.schemes, told, strict=True)
        ]
        scores: Tensor = self.model(torch.stack(done, dim=1))
        return scores

    def _measured(self, images: Tensor) -> list[Tensor | None]:
        """Mean, deviation, lowest and highest value ``(4, batch)`` where a channel needs them."""
        return [
            torch.stack([_statistics(image, number, masked) for image in images], dim=1)
            if scheme in OWN_VALUES
            else None
            for number, (scheme, _, masked) in enumerate(self.schemes)
        ]

    def _channel(
        self, values: Tensor, scheme: tuple[str, Mapping[str, float], bool], told: Tensor | None
    ) -> Tensor:
        name, seen, masked = scheme
        if name == "RGBTo01Normalization":
            return values / 255
        if name == "CTNormalization":
            held = values.clamp(seen["percentile_00_5"], seen["percentile_99_5"])
            return (held - seen["mean"]) / max(seen["std"], TINY)
        if told is None:
            return values
        mean, std, low, high = told.to(values).reshape(4, -1, *(1,) * (values.ndim - 1))
        if name == "RescaleTo01Normalization":
            return (values - low) / (high - low).clamp(min=TINY)
        scaled = (values - mean) / std.clamp(min=TINY)
        return torch.where(values != 0, scaled, 0.0) if masked else scaled


def _statistics(image: Tensor, channel: int, masked: bool) -> Tensor:
    """Mean, deviation, lowest and highest value of a channel where the image is not empty.

    nnU-Net crops to the box of pixels that are not zero in every channel; with ``masked`` it counts
    those pixels only.
    """
    seen = (image != 0).any(dim=0)
    places = seen.nonzero()
    if not len(places):
        return image.new_zeros(4)
    first, last = places.amin(0).tolist(), (places.amax(0) + 1).tolist()
    box = tuple(slice(a, b) for a, b in zip(first, last, strict=True))
    values = image[channel][box][seen[box]] if masked else image[channel][box]
    return torch.stack([values.mean(), values.std(correction=0), values.amin(), values.amax()])


def _prepared(network: nn.Module, plan: Plans, like: Any) -> nn.Module:
    spacing = getattr(like, "spacing", None)
    zoom = plan.zoom(spacing) if spacing is not None else None
    held: nn.Module = Prepared(Tiled(network, plan.patch_size), zoom=zoom)
    if plan.order is not None and len(plan.patch_size) == 3:
        held = Turned(held, plan.order)
    return Normalised(held, plan.schemes, like)


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
            input_channels=plan.inputs,
            num_classes=plan.outputs,
            **plan.arguments(trust),
            deep_supervision=False,
        )
    except Exception as error:
        raise ValueError(f"{plan.network} cannot be built as {plan.where} says: {error}") from error
    return network
