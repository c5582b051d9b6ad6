"""Answers to several questions about one image, gathered before nobody can be asked any more."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from pdcr_widgets.causal import ATEMap, ATEUpdate
from pdcr_widgets.causal.arrays import as_region, as_whole
from pdcr_widgets.causal.components import LayerEffects, LayerEffectUpdate, iter_channel_effects
from pdcr_widgets.request import Prediction, Request
from pdcr_widgets.session import Session
from pdcr_widgets.turns import stepwise, turn
from pdcr_widgets.twin import Turns, lock_of

MOST_PARTS = 24
"""Groups of channels per layer that are measured."""


@dataclass(frozen=True, eq=False)
class Picture:
    """What lies under the maps.

    Parameters
    ----------
    image
        ``(channels, H, W)`` or ``(H, W)`` numbers.
    spacing
        Millimetres per row and column, or None.
    prediction, truth
        Boolean masks, or None.
    """

    image: Any
    spacing: Sequence[float] | None = None
    prediction: Any = None
    truth: Any = None


Region = tuple[str, np.ndarray, LayerEffects | None, dict[str, LayerEffects]]


@dataclass(frozen=True, eq=False)
class Shown:
    """Maps of an image, each with the number of its region.

    Parameters
    ----------
    regions
        Name, mask, layer effects, and effects of the channels by layer.
    """

    picture: Picture
    regions: list[Region]
    maps: list[tuple[int, ATEMap]]


def from_maps(maps: Sequence[ATEMap], picture: Picture, layers: LayerEffects | None) -> Shown:
    """Gather maps that were computed before.

    Raises
    ------
    TypeError, ValueError
        No maps, something else, no image, or shapes that do not fit.
    """
    wrong = [type(each).__name__ for each in maps if not isinstance(each, ATEMap)]
    if wrong or not maps:
        raise TypeError(f"give one or more ATEMap, got {wrong[0] if wrong else 'none'}")
    if picture.image is None:
        raise ValueError("a map does not hold its image; give it as image=")
    spatial = tuple(np.shape(picture.image)[-2:])
    for ate in maps:
        if ate.spatial != spatial:
            raise ValueError(f"a map of {ate.spatial} pixels does not fit the image of {spatial}")
    regions: list[Region] = []
    numbered = []
    for ate in maps:
        known = [n for n, region in enumerate(regions) if np.array_equal(region[1], ate.region)]
        if not known:
            known = [len(regions)]
            found = layers if not regions else None
            regions.append((f"Region {len(regions) + 1}", ate.region, found, {}))
        numbered.append((known[0], ate))
    masks = [
        None if m is None else np.asarray(m).astype(bool)
        for m in (picture.prediction, picture.truth)
    ]
    return Shown(Picture(picture.image, picture.spacing, *masks), regions, numbered)


def from_session(
    session: Session,
    regions: Mapping[str, Any] | None,
    patch_sizes: Iterable[int] | None,
    channels: bool,
) -> Shown:
    """Gather what a session shows, and compute what else is asked for.

    Raises
    ------
    ValueError
        The session has no region and none is given, or one that does not fit the image.
    """
    if not regions and session.region is None:
        raise ValueError("the session has no region; set session.region, or give regions=")
    spatial = session.image.shape[1:]
    masks = {name: as_region(r, spatial) for name, r in (regions or {}).items()}
    masks = masks or {"Region": session.region}
    sizes = [as_whole(size, "patch size", 1) for size in patch_sizes or [session.patch_size]]
    session.wait()
    asked = session._request()
    gathered: list[Region] = []
    maps: list[tuple[int, ATEMap]] = []
    guard = lock_of(session.segmenter.model)
    with turn(), guard:
        prediction = asked.predict()
    for number, (name, mask) in enumerate(masks.items()):
        for size in dict.fromkeys(sizes):
            question = dataclasses.replace(
                asked, region=mask, patch_size=size, with_layers=size == sizes[0]
            )
            ate, layers = _answer(session, question, guard)
            maps.append((number, ate))
            if size == sizes[0]:
                found = _channels(question, prediction, layers, guard) if channels else {}
                gathered.append((name, mask, layers, found))
    picture = Picture(asked.image.cpu().numpy(), session.spacing, prediction.mask, prediction.truth)
    return Shown(picture, gathered, maps)


def _answer(
    session: Session, question: Request, guard: Turns
) -> tuple[ATEMap, LayerEffects | None]:
    """What the session has found already, or computed now."""
    same = session.patch_size == question.patch_size and np.array_equal(
        np.asarray(session.region), np.asarray(question.region)
    )
    if same and session.status == "done" and session.ate is not None:
        return session.ate, session.layers
    events = list(stepwise(question.updates, guard))
    maps = [event.map for event in events if isinstance(event, ATEUpdate)]
    layers = [event.effects for event in events if isinstance(event, LayerEffectUpdate)]
    return maps[-1], layers[-1] if layers else None


def _channels(
    question: Request, prediction: Prediction, layers: LayerEffects | None, guard: Turns
) -> dict[str, LayerEffects]:
    """Effects of each layer's channels, in groups where there are many."""
    found = {}
    for row in layers or ():
        edge = " -> " in row.layer or ".head[" in row.layer
        if edge or row.layer in found or row.shape[0] < 2:
            continue
        start = partial(
            iter_channel_effects,
            prediction.segmenter,
            question.image,
            question.region,
            question.truth,
            layer=row.layer,
            size=-(-row.shape[0] // MOST_PARTS),
            intervention=question.intervention,
            samples=question.layer_samples,
            donors=question.donors,
            outcome=question.outcome,
            seed=question.seed,
        )
        *_, last = stepwise(start, guard)
        found[row.layer] = last.effects
    return found
