"""Ground truth from files: labels on the grid of an image, never resampled."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np

from pdcr_widgets.images.opened import OpenedImage
from pdcr_widgets.images.opening import open_image
from pdcr_widgets.images.request import ChoiceNeeded

NEAR = 0.1  # of a pixel: how far two grids may be apart and still be the same
MOST_LABELS = 256
SHOWN = 12


def open_truth(
    source: Any, like: OpenedImage, label: int | Sequence[int] | None = None, **choices: Any
) -> np.ndarray:
    """Open labels that belong to an image.

    Parameters
    ----------
    source
        What `open_image` opens: a file of labels, one that holds image and labels (with ``key`` or
        ``volume``), or an array. A volume of labels gives the slice that ``like`` is of its own
        volume. Several channels of zeros and ones are labels 0, 1, ... that may overlap.
    like
        The opened image or slice that it is the truth of.
    label
        Which label is meant; several are joined. None is enough where there is one besides 0.
    **choices
        As for `open_image`: ``key``, ``volume``, ``series``, ``channels``.

    Returns
    -------
    ndarray
        Booleans of the shape of ``like``.

    Raises
    ------
    ValueError
        The grids differ, the values are no labels, or it is not clear which label is meant; the
        message lists those that there are. Labels are not resampled: there is nothing between two
        of them, and a shifted truth would blame the model.
    """
    labels = _on_grid_of(open_image(source, **choices), like)
    known = labels_in(labels)
    wanted = [label] if isinstance(label, int | np.integer) else label
    if wanted is None:
        wanted = [value for value in known if value]
        if not wanted:
            raise ValueError(
                "the truth is 0 everywhere, there is no label in it; choose another file, or give "
                "an empty mask as an array if nothing is to be found"
            )
        if len(wanted) != 1 or labels.channels > 1:
            raise ChoiceNeeded(
                f"the truth has the labels {_told(known)}; choose with label=, or several of them",
                "label",
                {value: f"{value} ({count} pixels)" for value, count in known.items()},
            )
    missing = [value for value in wanted if value not in known]
    if missing:
        raise ValueError(f"the truth has no label {missing}; it has {_told(known)}")
    if labels.channels > 1:
        return np.any(labels.array[list(wanted)] > 0, axis=0, keepdims=True)[0]
    return np.isin(labels.array[0], list(wanted))


def labels_in(opened: OpenedImage) -> dict[int, int]:
    """Labels and the number of pixels of each.

    Raises
    ------
    ValueError
        Values that are no whole numbers, or too many to be labels.
    """
    array = opened.array
    if opened.channels > 1:
        if not np.isin(array, (0, 1)).all():
            raise ValueError(
                f"a truth of {opened.channels} channels must hold zeros and ones, one channel per "
                f"label; it has values from {array.min():g} to {array.max():g}"
            )
        return {channel: int(mask.sum()) for channel, mask in enumerate(array)}
    values, counts = np.unique(array, return_counts=True)
    if not np.isfinite(values).all() or (values != np.rint(values)).any():
        raise ValueError(
            f"the truth has values from {array.min():g} to {array.max():g} that are no whole "
            "numbers; give labels, or compare probabilities with a threshold first"
        )
    if len(values) > MOST_LABELS:
        raise ValueError(
            f"the truth has {len(values)} different values, which look like an image and not like "
            "labels; give the file with the labels"
        )
    return {int(value): int(count) for value, count in zip(values, counts, strict=True)}


def _on_grid_of(labels: OpenedImage, like: OpenedImage) -> OpenedImage:
    """Take the slice that ``like`` is, and check that both have the same pixels."""
    told = like.provenance
    if len(labels.spatial) == 3 and len(like.spatial) == 2:
        if "slice" not in told:
            raise ValueError(
                f"the truth is a volume of {labels.spatial}, the image a picture of "
                f"{like.spatial}; give the truth's slice: open_image(...).slice(index)"
            )
        axis = int(told["axis"])
        if int(told["slice"]) < labels.spatial[axis]:
            labels = labels.slice(int(told["slice"]), axis)
    if labels.spatial != like.spatial or apart(labels, like) > NEAR:
        raise ValueError(
            f"the truth is on another grid than the image: {_grid(labels)} against {_grid(like)}. "
            "It is not resampled here; do that with the nearest neighbour, for example "
            "SimpleITK.Resample(truth, image, SimpleITK.Transform(), "
            "SimpleITK.sitkNearestNeighbor), and open the result"
        )
    return labels


def apart(one: OpenedImage, other: OpenedImage) -> float:
    """Largest distance of the corners of two images of one shape, in pixels of the second.

    0 where one of them does not tell where it lies.
    """
    if one.affine is None or other.affine is None or not (one.oriented and other.oriented):
        return 0.0
    sides = (1, *one.spatial)[-3:]
    corners = np.array([[*c, 1] for c in product(*((0, side - 1) for side in sides))], dtype=float)
    moved = (corners @ (one.affine - other.affine).T)[:, :3]
    return float(np.linalg.norm(moved, axis=1).max() / min(other.spacing or (1.0,)))


def _grid(image: OpenedImage) -> str:
    size = " x ".join(map(str, image.spatial))
    if image.affine is None:
        return f"{size} pixels"
    steps = " x ".join(f"{step:.4g}" for step in image.spacing or ())
    place = ", ".join(f"{value:.4g}" for value in image.affine[:3, 3])
    return f"{size} pixels of {steps} mm at ({place}) mm"


def _told(known: dict[int, int]) -> str:
    listed = ", ".join(f"{label} ({count} pixels)" for label, count in list(known.items())[:SHOWN])
    return listed + (f" and {len(known) - SHOWN} more" if len(known) > SHOWN else "")
