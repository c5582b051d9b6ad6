"""MONAI bundles: network, preprocessing, windows and activation of the inference configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import Tensor, nn

from pdcr_widgets.causal.needs import needs
from pdcr_widgets.causal.scores import scores_in
from pdcr_widgets.models.bundle_config import After, Before
from pdcr_widgets.models.bundle_steps import Transformed, moves, told
from pdcr_widgets.models.prepared import DECLARED, NOTES
from pdcr_widgets.models.weights import put_weights, read_weights, state_in

RECIPES = ("configs/inference.json", "configs/inference.yaml", "configs/inference.yml")


def recipe_of(folder: Path) -> Path | None:
    """Inference configuration of a bundle, or None where the folder is none."""
    return next((folder / name for name in RECIPES if (folder / name).is_file()), None)


def load_bundle(folder: Path, recipe: Path, strict: bool, trust: bool, like: Any) -> nn.Module:
    """Build what a MONAI bundle predicts with; its configuration may hold Python expressions.

    The transforms of its preprocessing that are meant for an open image are applied, and undone
    for the scores by their inverse; its inferer and its activation are taken over.

    Raises
    ------
    ValueError
        It is not trusted, builds no network, or asks for what one open image cannot give: several
        files, or a place in space without ``like``.
    """
    if not trust:
        raise ValueError(
            f"{folder.name} is a MONAI bundle, whose configuration can run code; if you trust "
            "where it came from, say trust=True"
        )
    parser = needs("monai.bundle", "models").ConfigParser()
    try:
        parser.read_config(str(recipe))
        network = parser.get_parsed_content("network_def", instantiate=True)
        inferer = parser.get_parsed_content("inferer") if "inferer" in parser.config else None
    except Exception as error:
        raise ValueError(f"{recipe.name} of {folder.name} builds no network: {error}") from error
    weights = folder / "models" / "model.pt"
    if not weights.is_file():
        raise ValueError(f"{folder.name} has no models/model.pt")
    state = state_in(read_weights(weights, trust=False), weights.name)
    network = put_weights(network, state, folder.name, strict)
    if inferer is not None and hasattr(inferer, "roi_size"):
        network = Inferred(network, inferer)
    return _whole(network, parser, folder.name, like)


class Inferred(nn.Module):
    """A network that a bundle's own inferer covers larger images with."""

    def __init__(self, model: nn.Module, inferer: Any) -> None:
        super().__init__()
        self.model, self.inferer = model, inferer
        for place in ("sw_device", "device"):
            if hasattr(inferer, place):
                setattr(inferer, place, None)

    def forward(self, images: Tensor) -> Tensor:
        """Scores ``(batch, classes, *spatial)``."""
        if tuple(images.shape[2:]) == tuple(self.inferer.roi_size):
            return self._scores(images)
        covered: Tensor = self.inferer(images, self._scores)
        return covered

    def _scores(self, images: Tensor) -> Tensor:
        scores = scores_in(self.model(images))
        if scores is None:
            raise TypeError("the network returned no tensor")
        return scores


def _whole(network: nn.Module, parser: Any, where: str, like: Any) -> nn.Module:
    """Put preprocessing and activation around a network."""
    after, before = After(parser), _before(parser, where)
    activation, notes = after.activation, [*_windows(network), *after.notes]
    if before is not None and (before.steps or before.turned):
        if before.placed and like is None:
            raise ValueError(
                f"{where} prepares images by where they are in space ({told(before.placed)}); "
                "say like=image, the opened image or the volume of its slices"
            )
        stored = before.stored(like)
        grid = any(moves(step) for step in before.steps)
        first = activation if grid and after.activated_first else ""
        network = Transformed(
            network,
            before.steps,
            before.key,
            turned=before.turned,
            stored=stored,
            like=like,
            activation=first,
            nearest=after.nearest,
        )
        activation = "identity" if first else activation
        notes = [*before.notes(stored, first), *notes]
    setattr(network, NOTES, notes or ["the bundle prepares images in no way"])
    if activation:
        setattr(network, DECLARED, activation)
    return network


def _before(parser: Any, where: str) -> Before | None:
    if "preprocessing" not in parser.config:
        return None
    try:
        return Before(parser)
    except Exception as error:
        raise ValueError(f"the preprocessing of {where} cannot be applied: {error}") from error


def _windows(network: nn.Module) -> list[str]:
    if not isinstance(network, Inferred):
        return []
    sides = " × ".join(map(str, network.inferer.roi_size))
    return [f"windows of {sides} by {type(network.inferer).__name__}"]
