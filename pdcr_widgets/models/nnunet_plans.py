"""What the plans of nnU-Net say about one configuration."""

from __future__ import annotations

import pydoc
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

HARMLESS = ("dynamic_network_architectures.", "torch.nn.")
SCHEMES = (
    "ZScoreNormalization",
    "CTNormalization",
    "NoNormalization",
    "RescaleTo01Normalization",
    "RGBTo01Normalization",
)
AXES = [0, 1, 2]


class Plans:
    """One configuration of a trained folder.

    Parameters
    ----------
    plans, dataset
        Content of ``plans.json`` and ``dataset.json``.
    configuration
        Such as ``"2d"`` or ``"3d_fullres"``.
    where
        Name of the folder, for errors.

    Raises
    ------
    ValueError
        Something is missing.
    """

    def __init__(
        self, plans: Mapping[str, Any], dataset: Mapping[str, Any], configuration: str, where: str
    ) -> None:
        self.where, self.configuration = where, configuration
        try:
            self._read(plans, dataset, _inherited(plans["configurations"], configuration))
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                f"the plans of {where} for {configuration!r} are not those of nnU-Net version 2.5 "
                f"or later: {type(error).__name__} {error}"
            ) from error
        unknown = [name for name, *_ in self.schemes if name not in SCHEMES]
        if unknown:
            raise ValueError(f"{where} normalises by {unknown}; known are {list(SCHEMES)}")

    def _read(
        self, plans: Mapping[str, Any], dataset: Mapping[str, Any], one: Mapping[str, Any]
    ) -> None:
        self.previous = str(one.get("previous_stage") or "")
        architecture = one["architecture"]
        self.network = str(architecture["network_class_name"])
        self._arguments = dict(architecture["arch_kwargs"])
        self._located = list(architecture["_kw_requires_import"])
        self.patch_size = tuple(int(side) for side in one["patch_size"])
        self.spacing = tuple(float(step) for step in one["spacing"])
        order = list(plans.get("transpose_forward", AXES))
        self.order = None if order == AXES else order
        labels = {k: v for k, v in dataset["labels"].items() if k != "ignore"}
        self.regions = any(isinstance(v, list) and len(v) > 1 for v in labels.values())
        if self.regions:
            self.classes = [name for name, value in labels.items() if value not in (0, [0])]
        else:
            self.classes = sorted(labels, key=lambda name: _number(labels[name]))
        self.outputs = len(self.classes)
        held = [v if isinstance(v, list) else [v] for v in labels.values()]
        self.foreground = sorted({int(label) for several in held for label in several} - {0})
        self._written = [int(label) for label in dataset.get("regions_class_order") or ()]
        names = dataset["channel_names"] if "channel_names" in dataset else dataset["modality"]
        self.inputs = len(names)
        seen = plans.get("foreground_intensity_properties_per_channel", {})
        told = zip(one["normalization_schemes"], one["use_mask_for_norm"], strict=True)
        self.schemes = [
            (str(name), seen.get(str(number), {}), bool(masked))
            for number, (name, masked) in enumerate(told)
        ]

    def arguments(self, trust: bool) -> dict[str, Any]:
        """Arguments of the network, with the classes among them looked up."""
        found = dict(self._arguments)
        for name in self._located:
            if found.get(name) is not None:
                found[name] = locate(str(found[name]), trust)
        return found

    def labels_of(self, scores: Tensor) -> Tensor:
        """Labels ``(batch, *spatial)`` that nnU-Net writes for scores; later regions cover earlier.

        Parameters
        ----------
        scores
            Logits ``(batch, classes, *spatial)``.
        """
        if not self.regions:
            return scores.argmax(dim=1)
        labels = torch.zeros_like(scores[:, 0], dtype=torch.long)
        for label, score in zip(self._written, scores.unbind(1), strict=True):
            labels[score > 0] = label
        return labels

    def zoom(self, spacing: Sequence[float]) -> list[float]:
        """Factors that bring an image of this spacing, mm, to that of the training."""
        wanted = list(self.spacing)
        if self.order is not None and len(wanted) == len(AXES):
            turned = [list(spacing)[axis] for axis in self.order]
            return [had / want for had, want in zip(turned, wanted, strict=True)]
        held = list(spacing)[-len(wanted) :]
        return [had / want for had, want in zip(held, wanted, strict=True)]


def _number(label: Any) -> int:
    """A label as dataset.json gives it: a number, alone or in a list."""
    return int(label[0] if isinstance(label, list) else label)


def locate(name: str, trust: bool) -> Any:
    """Find a class by its dotted name; only known libraries are imported unless trusted."""
    if not name.startswith(HARMLESS) and not trust:
        raise ValueError(
            f"the plans ask for {name}, which is outside {HARMLESS}; if you trust where the folder "
            "came from, say trust=True"
        )
    found = pydoc.locate(name)
    if found is None:
        raise ValueError(f"{name} is not installed, or not in this version of its library")
    return found


def _inherited(configurations: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Give a configuration with what it takes from others."""
    chain: list[str] = []
    found: dict[str, Any] = {}
    while name:
        if name in chain or name not in configurations:
            raise KeyError(name)
        chain.append(name)
        found = {**configurations[name], **found}
        name = configurations[name].get("inherits_from", "")
    return found
