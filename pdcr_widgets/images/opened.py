"""An image that was opened: its values, where they are and where they came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from pdcr_widgets.causal.pictured import Pictured
from pdcr_widgets.images.grid import FloatArray, affine_of, is_usable, orientation_of, spacing_of


@dataclass(frozen=True, eq=False)
class OpenedImage(Pictured):
    """An image in the units of its file.

    It can be given wherever an image is asked for: ``np.asarray(opened)`` is ``opened.array``.

    Parameters
    ----------
    array
        ``(channels, rows, columns)`` or ``(channels, slices, rows, columns)``, float32. Rescaled
        as the file says (Hounsfield units for CT); never normalised: 8-bit pictures are 0..255.
    affine
        (4, 4) from the index (slice, row, column) to millimetres, x to the patient's right, y to
        the front, z to the head. None where the file does not tell sizes.
    oriented
        Whether the directions in ``affine`` are the patient's, or only its lengths count.
    window
        (lowest, highest) value to display, in the array's units.
    modality
        As DICOM calls it, such as ``"CT"``; empty when unknown.
    provenance
        Format, file name and how values were decoded. Holds no names of patients.
    notes
        What was assumed or odd, in words; empty when all was plain.
    """

    array: np.ndarray
    window: tuple[float, float]
    affine: FloatArray | None = None
    oriented: bool = False
    modality: str = ""
    provenance: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def _draw(self, figure: Any, **_options: Any) -> None:
        """Show it in its window, of a volume the middle slice."""
        low, high = self.window
        volume = len(self.spatial) == 3
        shown = self.array[:, self.spatial[0] // 2] if volume else self.array
        colors = len(shown) == 3
        grey = np.clip((shown if colors else shown[:1]) - low, 0, high - low) / (high - low)
        rows, columns = (1.0, 1.0) if self.spacing is None else self.spacing[-2:]
        height, width = shown.shape[1] * rows, shown.shape[2] * columns
        figure.set_size_inches(4 * width / max(height, width), 4 * height / max(height, width))
        figure.set_layout_engine("none")
        ax = figure.add_axes((0, 0, 1, 1))
        ax.imshow(np.moveaxis(grey, 0, -1), cmap="gray", vmin=0, vmax=1, aspect=rows / columns)
        ax.set_axis_off()

    @property
    def channels(self) -> int:
        """Number of channels."""
        return int(self.array.shape[0])

    @property
    def spatial(self) -> tuple[int, ...]:
        """``(rows, columns)`` or ``(slices, rows, columns)``."""
        return self.array.shape[1:]

    @property
    def spacing(self) -> tuple[float, ...] | None:
        """Millimetres between neighbours, one per spatial axis; None when unknown."""
        return None if self.affine is None else spacing_of(self.affine)[-len(self.spatial) :]

    @property
    def orientation(self) -> str:
        """Where each spatial axis leads, as ``"SPL"``; empty when unknown."""
        if self.affine is None or not self.oriented:
            return ""
        return orientation_of(self.affine)[-len(self.spatial) :]

    def slice(self, index: int, axis: int = 0, neighbours: int = 0) -> OpenedImage:
        """Take one slice of a volume, for a 2.5-D model with its neighbours as channels.

        Parameters
        ----------
        index
            Position along ``axis``; negative counts from the end.
        axis
            0 (slices), 1 (rows) or 2 (columns).
        neighbours
            Slices before and after, which become channels in their order; outermost ones repeat.

        Returns
        -------
        OpenedImage
            Two-dimensional, in the place of the slice in space, with the same window.

        Raises
        ------
        ValueError
            When this is no volume, or there is no such slice.
        """
        if len(self.spatial) != 3 or axis not in (0, 1, 2):
            raise ValueError(f"there is no axis {axis} to slice an image of {self.spatial} along")
        if neighbours < 0:
            raise ValueError(f"neighbours must be at least 0, got {neighbours}")
        count = self.spatial[axis]
        if not -count <= index < count:
            raise ValueError(f"there is no slice {index} among {count} along axis {axis}")
        index %= count
        affine = self.affine
        if affine is not None:
            order = [axis, *(other for other in range(3) if other != axis), 3]
            affine = affine[:, order].copy()
            affine[:3, 3] += affine[:3, 0] * index
        provenance = {**self.provenance, "slice": index, "axis": axis, "neighbours": neighbours}
        around = np.arange(index - neighbours, index + neighbours + 1).clip(0, count - 1)
        taken = np.moveaxis(np.take(self.array, around, axis=1 + axis), 1 + axis, 0)
        array = np.ascontiguousarray(taken.reshape(-1, *taken.shape[2:]))
        return replace(self, array=array, affine=affine, provenance=provenance)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.array, dtype=dtype, copy=copy)

    def __repr__(self) -> str:
        size = " x ".join(str(side) for side in self.spatial)
        spacing = " x ".join(f"{step:.3g}" for step in self.spacing or ())
        low, high = self.window
        told = [
            f"{self.channels} channel{'s' * (self.channels > 1)} of {size}",
            self.modality,
            self.orientation,
            f"{spacing} mm" if spacing else "",
            f"window {low:g} to {high:g}",
        ]
        return f"<OpenedImage: {', '.join(filter(None, told))}>"


def finished(
    array: np.ndarray,
    where: str,
    spacing: tuple[float, ...] | None = None,
    affine: FloatArray | None = None,
    window: tuple[float, float] | None = None,
    oriented: bool = False,
    **facts: Any,
) -> OpenedImage:
    """Bring a reader's ``(channels, *spatial)`` values to their final form.

    ``spacing`` is the user's and overrides the file's.
    """
    if affine is not None and not is_usable(affine):
        if spacing is None:
            raise ValueError(
                f"{where} claims a spacing of {spacing_of(affine)} mm (slice, row, column) or "
                "directions that cannot be; give the true lengths as spacing=(...)"
            )
        affine, oriented = None, False
    if array.ndim == 4 and array.shape[1] == 1:
        array = array[:, 0]
    if spacing is not None:
        affine = _respaced(affine, spacing, array.ndim - 1)
    values = np.ascontiguousarray(array, dtype=np.float32)
    provenance = {"file": where, **facts.pop("provenance", {}), "stored": str(array.dtype)}
    window = window or usual_window(array, values)
    return OpenedImage(values, window, affine, oriented, provenance=provenance, **facts)


def _respaced(affine: FloatArray | None, spacing: tuple[float, ...], axes: int) -> FloatArray:
    if len(spacing) != axes or not all(np.isfinite(step) and step > 0 for step in spacing):
        raise ValueError(f"spacing must be {axes} lengths above 0 in mm, got {spacing}")
    if affine is None:
        return affine_of((1.0, *spacing)[-3:])
    lengths = (*spacing_of(affine)[: 3 - axes], *spacing)
    return affine_of(lengths, affine[:3, :3] / spacing_of(affine), affine[:3, 3].tolist())


def usual_window(stored: np.ndarray, values: np.ndarray) -> tuple[float, float]:
    """Window for display: the range of bytes, else from the 0.5th to the 99.5th percentile."""
    if stored.dtype == np.uint8:
        return 0.0, 255.0
    sample = values.reshape(-1)[:: max(1, values.size // 1_000_000)]
    sample = sample[np.isfinite(sample)]
    if not sample.size:
        return 0.0, 1.0
    low, high = (float(value) for value in np.percentile(sample, (0.5, 99.5)))
    return low, high if high > low else low + 1.0
