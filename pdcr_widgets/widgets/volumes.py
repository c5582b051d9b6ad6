"""A volume that is explained slice by slice, or as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pdcr_widgets.causal.arrays import as_image, grid_of
from pdcr_widgets.causal.segmenter import segmenter
from pdcr_widgets.fed import channels_of, dimensions_of


@dataclass(frozen=True, eq=False)
class Volume:
    """A volume and what is known of it.

    Parameters
    ----------
    values
        ``(channels, slices, rows, columns)`` floating point numbers, in the model's units.
    truth
        Boolean mask or labels ``(slices, rows, columns)``, or None.
    spacing
        Millimetres per axis, or None.
    orientation
        Where the axes lead, such as ``"SPL"``; empty when unknown.
    plane, index
        What to show first; the middle slice for None.
    learnt_from
        Plane of the slices that the model learnt from; empty when unknown.
    whole
        Whether the model takes the volume as a whole, and not its slices.
    grid
        Where the voxels are, as `pdcr_widgets.causal.iter_ate` takes it; None when unknown.
    """

    values: np.ndarray
    truth: Any = None
    spacing: tuple[float, float, float] | None = None
    orientation: str = ""
    plane: str = "axial"
    index: int | None = None
    learnt_from: str = ""
    whole: bool = False
    grid: dict[str, Any] | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Voxels along the three axes."""
        return self.values.shape[1:]


def volume_of(subject: Any, image: Any, truth: Any = None) -> Volume | None:
    """Recognise a volume in what an `Explorer` was given; None for a picture.

    An image with slices, rows and columns (and perhaps channels) is a volume. Three axes without
    names are channels, rows and columns, unless the model takes one channel and there are more, or
    takes volumes.

    Raises
    ------
    TypeError, ValueError
        Values that no model takes: integers, NaN, other numbers of axes.
    """
    if isinstance(image, Volume):
        return image
    known = getattr(subject, "volume", None)
    if image is None and known is not None:
        told = {name: getattr(known, name) for name in _KNOWN}
        return Volume(np.asarray(known.values), learnt_from=known.plane, **told)
    if image is None or not _is_volume(subject, image):
        return None
    values = image.array if hasattr(image, "orientation") else image
    values = values[None] if np.ndim(values) == 3 else values
    checked = as_image(values).cpu().numpy()
    spacing, orientation = (getattr(image, name, None) for name in ("spacing", "orientation"))
    shape = checked.shape[1:]
    if truth is not None and np.shape(truth) not in (shape, (1, *shape)):
        raise ValueError(
            f"truth has shape {np.shape(truth)}, the volume is {shape}; they must agree"
        )
    return Volume(
        checked,
        None if truth is None else np.asarray(truth).reshape(shape),
        spacing,
        orientation or "",
        whole=_takes_volumes(segmenter(subject).model),
        grid=grid_of(image),
    )


_KNOWN = ("truth", "spacing", "orientation", "plane", "index")


def _is_volume(subject: Any, image: Any) -> bool:
    axes = np.ndim(image)
    if axes != 3 or hasattr(image, "spatial"):
        return axes == 4
    model = segmenter(subject).model
    return _takes_volumes(model) or (channels_of(model) == 1 and np.shape(image)[0] > 1)


def _takes_volumes(model: Any) -> bool:
    """Whether a model is fed volumes: by its layers, or because it cuts their slices itself."""
    return dimensions_of(model) == 3 or getattr(model, "neighbours", None) is not None
