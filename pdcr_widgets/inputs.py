"""What a person may choose: traits that are checked when they are set."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import traitlets as t
from torch import Tensor

from pdcr_widgets.causal import PatchBank, Segmenter, segmenter
from pdcr_widgets.causal.arrays import as_image, as_region, grid_of
from pdcr_widgets.causal.baseline import BASELINES
from pdcr_widgets.causal.components import INTERVENTIONS
from pdcr_widgets.causal.outcome import OUTCOMES
from pdcr_widgets.causal.sampling import SAMPLING
from pdcr_widgets.cut import Cut

AREAS = ("inside", "outside")
ENGINES = ("auto", "incremental", "full")
OF_A_CASE = ("truth", "region", "bank", "make_bank", "spacing")


def _same(old: Any, new: Any) -> bool:
    if old is new or old is None or new is None:
        return old is new
    if isinstance(old, Tensor) and isinstance(new, Tensor):
        return old.device == new.device and old.dtype == new.dtype and torch.equal(old, new)
    return type(old) is type(new) and np.array_equal(old, new)


class Array(t.Any):
    """An array or None; setting an equal one is no change."""

    def set(self, obj: t.HasTraits, value: Any) -> None:
        """Store the value and notify, unless it equals the old one."""
        new = self._validate(obj, value)
        old = obj._trait_values.get(str(self.name))
        if not _same(old, new):
            super().set(obj, new)


class Inputs(t.HasTraits):
    """Every input of an explanation.

    Setting one to something that can never be right raises a `ValueError` or `TypeError` that says
    what to do, and changes nothing.
    """

    segmenter = t.Instance(Segmenter)
    image = Array(help="(channels, height, width) tensor, in the model's units")
    region = Array(None, help="booleans (height, width), a box (top, left, height, width), or None")
    truth = Array(None, help="ground truth of the image, or None")
    spacing = t.Tuple(None, allow_none=True, help="millimetres per row and column")
    grid: Any = t.Dict(None, allow_none=True, help="where the pixels are, as `iter_ate` takes it")
    target = t.Int(None, allow_none=True, help="class; None: decided on the image")
    patch_size = t.Int(8, min=1, help="pixels")
    baseline = t.Enum(list(BASELINES), "mean")
    baseline_value = t.Float(0.0, help="of the constant baseline, in the image's units")
    bank = t.Instance(PatchBank, None, allow_none=True)
    make_bank = t.Callable(None, allow_none=True, help="patch size -> PatchBank")
    outcome = t.Enum(list(OUTCOMES), "dice")
    samples = t.Int(50, min=1, help="most draws per patch")
    sampling = t.Enum(list(SAMPLING), "adaptive")
    seed = t.Int(0, min=0)
    engine = t.Enum(list(ENGINES), "auto")
    with_layers = t.Bool(True, help="whether layer effects are computed too")
    components = t.Any(("stages", "skips"), help="which layers, as `layer_effects(layers=)`")
    intervention = t.Enum(list(INTERVENTIONS), "mean", help="what replaces a layer's output")
    layer_samples = t.Int(8, min=1, help="draws per layer")
    where = Array(None, help='None, "inside", "outside" or an area: where layers are replaced')
    elsewhere = t.Bool(True, help="whether layer effects on the rest of the image are measured too")
    donors = Array(None, help="(n, channels, height, width) images for donor interventions")

    models = t.Dict(value_trait=t.Instance(Segmenter), help="models to choose from, by name")
    patch: Any = t.Tuple(None, allow_none=True, help="selected patch: (row, column) of the grid")
    layer = t.Unicode(None, allow_none=True, help="selected layer")
    cut = t.Instance(Cut, None, allow_none=True, help="how the image was cut out of a volume")

    @t.validate("image")
    def _valid_image(self, proposal: Any) -> Any:
        return as_image(proposal["value"])

    @t.validate("region")
    def _valid_region(self, proposal: Any) -> Any:
        value = proposal["value"]
        if value is None or (np.ndim(value) > 1 and not np.any(value)):
            return None
        return as_region(value, self.image.shape[1:])

    @t.validate("where")
    def _valid_where(self, proposal: Any) -> Any:
        value = proposal["value"]
        if isinstance(value, str) and value not in AREAS:
            raise ValueError(f"where must be None, one of {AREAS} or an area, got {value!r}")
        known = value is None or isinstance(value, str)
        return value if known else as_region(value, self.image.shape[1:])


LOOKS = ("models", "patch", "layer", "spacing", "grid", "cut")
OF_LAYERS = ("components", "intervention", "layer_samples", "donors", "where", "elsewhere")
QUESTION = tuple(name for name in Inputs.class_own_traits() if name not in LOOKS)


def read_subject(subject: Any, image: Any = None) -> dict[str, Any]:
    """Give the inputs that a case brings along, or a model with an image.

    Raises
    ------
    TypeError
        A model without an image, or something that is neither a model nor a case.
    """
    if image is not None:
        told = {"segmenter": segmenter(subject), "image": as_image(image)}
        spacing, grid = getattr(image, "spacing", None), grid_of(image)
        told |= {} if grid is None else {"grid": grid}
        return told if spacing is None else {**told, "spacing": tuple(spacing)}
    if not hasattr(subject, "segmenter") or not hasattr(subject, "image"):
        raise TypeError(
            f"give a case, or a model and an image; got {type(subject).__name__} without an image"
        )
    given = {name: getattr(subject, name) for name in OF_A_CASE if hasattr(subject, name)}
    donors = getattr(subject, "bank_images", None)
    return {"segmenter": segmenter(subject.segmenter), "image": subject.image, **given} | (
        {} if donors is None else {"donors": donors}
    )
