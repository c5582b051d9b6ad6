"""Which model is asked, and what was recognised about it and about the image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ipywidgets as w
from torch import nn

from pdcr_widgets.causal import Segmenter
from pdcr_widgets.models import segmenter
from pdcr_widgets.models.notes import notes_of
from pdcr_widgets.request import Prediction
from pdcr_widgets.session import Session
from pdcr_widgets.widgets.style import block, markup
from pdcr_widgets.widgets.text import count, escape, plain
from pdcr_widgets.widgets.view import View

WATCHED = ("segmenter", "image", "prediction", "ate", "status")


def offered(subject: Any, models: Any) -> tuple[Any, dict[str, Segmenter]]:
    """Give what an `Explorer` begins with, and the models to choose from by name.

    Raises
    ------
    TypeError, ValueError
        Neither a subject nor a model, or models without names.
    """
    if models is None:
        return subject, {}
    if not isinstance(models, Mapping) or not models:
        raise TypeError(
            'models are given with their names, such as {"first": model, "second": ...}'
        )
    choices = {str(name): segmenter(model) for name, model in models.items()}
    if subject is None:
        return next(iter(choices.values())), choices
    own = getattr(subject, "segmenter", subject)
    if any(own is each or own is each.model for each in choices.values()):
        return subject, choices
    return subject, {str(getattr(subject, "name", "given")): segmenter(own), **choices}


class ModelCard(View):
    """Choose one of a session's models, and read what was recognised.

    Parameters
    ----------
    session
        Whose model it is.
    **traits
        Any trait of `ipywidgets.VBox`.
    """

    def __init__(self, session: Session, **traits: Any) -> None:
        super().__init__(**traits)
        self._session = session
        self._menu = w.Dropdown(description="Model")
        self._menu.observe(self._choose, names=["value"])
        self._facts = markup("pdcr-recognised")
        self.fill(block("pdcr-controls", children=[self._menu]), self._facts)
        self.watch(session, ["models", "segmenter"], self._offer)
        self.watch(session, list(WATCHED), self._tell)
        self._offer()
        self._tell()

    def _offer(self, _change: Any = None) -> None:
        session = self._session
        names = list(session.models)
        model = session.segmenter.model
        chosen = [name for name, each in session.models.items() if each.model is model]
        self._menu.unobserve(self._choose, names=["value"])
        if tuple(self._menu.options) != tuple(names):
            self._menu.options = names
        self._menu.value = chosen[0] if chosen else None
        self._menu.observe(self._choose, names=["value"])
        self._menu.layout.display = None if len(names) > 1 else "none"

    def _choose(self, change: Any) -> None:
        session = self._session
        if change.new is not None:
            with session.hold_trait_notifications():
                session.target = None
                session.segmenter = session.models[change.new]

    def _tell(self, _change: Any = None) -> None:
        session = self._session
        facts = {"Model": _network(session.segmenter), "Fed": _fed(session.image)}
        prepared = notes_of(session.segmenter.model)
        if prepared:
            facts["Prepared"] = "; ".join(prepared)
        prediction = session.prediction
        if prediction is not None:
            facts["Read as"] = _read(prediction, session)
            facts["Target"] = _target(prediction, session)
            if prediction.dice is not None:
                facts["Dice"] = f"{prediction.dice:.1f} of 100 with the truth, in the whole image"
        if session.ate is not None and session.ate.engine != "sweep":
            facts["Engine"] = ": ".join(filter(None, (session.ate.engine, session.ate.reason)))
        rows = (f"<dt>{name}</dt><dd>{escape(told)}</dd>" for name, told in facts.items())
        self._facts.value = f"<dl>{''.join(rows)}</dl>"


def _network(read: Segmenter) -> str:
    model = read.model
    if not isinstance(model, nn.Module):
        return f"{getattr(model, '__name__', type(model).__name__)}, a function"
    inner = getattr(model, "model", model)
    name = type(inner if isinstance(inner, nn.Module) else model).__name__
    parameters = sum(each.numel() for each in model.parameters())
    dtype = str(read.dtype).removeprefix("torch.")
    return f"{name}, {count(parameters)} parameters, {dtype} on {read.device}"


def _fed(image: Any) -> str:
    channels, *spatial = image.shape
    sides = " × ".join(str(side) for side in spatial)
    unit = "px" if len(spatial) == 2 else "voxels"
    low, high = float(image.min()), float(image.max())
    return (
        f"{channels} channel{'s' * (channels > 1)} of {sides} {unit}, values {plain(low)} to "
        f"{plain(high)}, mean {plain(float(image.float().mean()))}"
    )


def _read(prediction: Prediction, session: Session) -> str:
    activation = prediction.segmenter.activation
    low, high = prediction.scores
    lie = f"from {plain(low)} to {plain(high)}"
    if not isinstance(activation, str):
        return f"your own function {getattr(activation, '__name__', '')}; scores {lie}"
    name = "probabilities as they are" if activation == "identity" else activation
    number = prediction.classes
    told = f"{name} over {number} classes" if activation == "softmax" else name
    if session.segmenter.activation != "auto":
        return f"{told}, as given; scores {lie}"
    beyond = "in 0 to 1" if activation == "identity" else "beyond 0 to 1"
    if low >= 0 and activation == "softmax":
        beyond += ", none negative: say activation= if these are no logits"
    several = f"{number} classes" if number > 1 else "one class"
    return f"{told}, decided by the scores: {several}, {lie}, {beyond}"


def _target(prediction: Prediction, session: Session) -> str:
    read, number = prediction.segmenter, prediction.classes
    target = read.target or 0
    name = read.class_name(target)
    if number == 1:
        return f"{name}, the only class; predicted above {read.threshold:g}"
    chosen = session.target is not None or session.segmenter.target is not None
    how = "chosen" if chosen else "class 1 of two" if number == 2 else "most pixels of the classes"
    return f"{name} of {number} classes ({how}); predicted above {read.threshold:g}"
