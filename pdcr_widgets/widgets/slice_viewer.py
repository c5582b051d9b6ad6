"""A volume, slice by slice, with a region drawn on any of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import traitlets as t
from torch import Tensor

from pdcr_widgets.widgets.canvas_planes import PLANES, Plane, plane_of
from pdcr_widgets.widgets.canvas_wire import image_to_wire, suggested_window
from pdcr_widgets.widgets.named_regions import NamedRegion
from pdcr_widgets.widgets.region_canvas import RegionCanvas

USUAL = "SPL"
NO_LETTERS = ("", "", "", "")
MOST_AT_ONCE = 16
"""Slices that a page may ask for in one message."""


class SliceViewer(RegionCanvas):
    """Look through a volume and draw a region on its slices.

    Only slices that are looked at, and their neighbours, cross to the browser.

    Parameters
    ----------
    volume
        ``(slices, rows, columns)`` or ``(channels, slices, rows, columns)`` numbers, array or
        tensor, or what `pdcr_widgets.images.open_image` returned.
    orientation
        Where the axes lead, such as ``"SPL"`` (slices to the head, rows to the back, columns to the
        patient's left). Without it the axes are taken as axial slices and no letters are shown.
    spacing
        Millimetres between neighbours along the three axes.
    region, prediction, truth
        Boolean arrays of the volume's shape.
    plane
        ``"axial"``, ``"coronal"`` or ``"sagittal"``.
    index
        Slice along the plane's axis; the middle one when not given.
    **traits
        Traits of :class:`RegionCanvas`.

    Attributes
    ----------
    region_volume
        Boolean array of the volume's shape. Drawings are kept in it; ``region`` is its part on the
        slice that is shown. Named regions belong to the slice that they were drawn on.

    Raises
    ------
    TypeError, ValueError
        What was given is not a volume, or a mask does not fit it.
    """

    plane = t.Enum(tuple(PLANES), "axial").tag(sync=True)
    index = t.Int(0, min=0).tag(sync=True)
    count = t.Int(1, min=1).tag(sync=True)
    letters = t.Tuple(*[t.Unicode()] * 4, default_value=NO_LETTERS).tag(sync=True)

    _moving = False

    def __init__(
        self,
        volume: Any,
        *,
        orientation: str | None = None,
        spacing: tuple[float, float, float] | None = None,
        region: Any = None,
        prediction: Any = None,
        truth: Any = None,
        plane: str = "axial",
        index: int | None = None,
        **traits: Any,
    ) -> None:
        orientation = getattr(volume, "orientation", "") if orientation is None else orientation
        self._volume = _as_volume(volume)
        self.suggested_windows = [suggested_window(channel) for channel in self._volume]
        self._orientation = orientation
        self._spacing = getattr(volume, "spacing", None) if spacing is None else spacing
        masks = {"region": region, "prediction": prediction, "truth": truth}
        self._masks = {n: _as_mask(mask, self.volume_shape, n) for n, mask in masks.items()}
        if self._masks["region"] is None:
            self._masks["region"] = np.zeros(self.volume_shape, bool)
        self._cut = cut = plane_of(plane, orientation or USUAL)
        count = self.volume_shape[cut.axes[0]]
        start = _start(index, count, plane)
        shown = {name: self._slice_of(name, start) for name in self._masks}
        self._moving = True
        super().__init__(
            cut.take(self._volume, start),
            spacing=self._pixel(cut),
            plane=plane,
            index=start,
            count=count,
            letters=cut.letters if orientation else NO_LETTERS,
            **shown,
            **traits,
        )
        self._moving = False
        self._shown = self.place
        self._named: dict[str, tuple[NamedRegion, ...]] = {}

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take news from a page: what was drawn belongs to the slice that was shown until now.

        While a kernel is busy, a page puts its messages together.
        """
        turns = ("plane", "index")
        drawn = {name: value for name, value in sync_data.items() if name not in turns}
        turned = {name: value for name, value in sync_data.items() if name in turns}
        for news in (drawn, turned):
            if news:
                super().set_state(news)

    @property
    def moving(self) -> bool:
        """Whether another slice is being brought, so that the region belongs to none."""
        return self._moving

    @property
    def place(self) -> str:
        """What is shown, as the browser names it."""
        return f"{self.plane}/{self.index}"

    @property
    def volume_shape(self) -> tuple[int, int, int]:
        """Voxels along the three axes."""
        slices, rows, columns = self._volume.shape[1:]
        return int(slices), int(rows), int(columns)

    @property
    def region_volume(self) -> np.ndarray:
        """A copy of what is drawn, on all slices."""
        drawn = self._masks["region"]
        assert drawn is not None
        return drawn.copy()

    @region_volume.setter
    def region_volume(self, mask: Any) -> None:
        checked = _as_mask(mask, self.volume_shape, "region_volume")
        self._masks["region"] = np.zeros(self.volume_shape, bool) if checked is None else checked
        self._show(self.index)

    def _slice_of(self, name: str, index: int) -> np.ndarray | None:
        mask = self._masks[name]
        return None if mask is None else self._cut.take(mask, index)

    def _pixel(self, cut: Plane) -> tuple[float, float] | None:
        if self._spacing is None:
            return None
        return float(self._spacing[cut.axes[1]]), float(self._spacing[cut.axes[2]])

    @t.validate("index")
    def _index_fits(self, proposal: Any) -> int:
        return min(int(proposal["value"]), self.volume_shape[self._cut.axes[0]] - 1)

    @t.observe("index")
    def _index_changed(self, change: Any) -> None:
        if not self._moving:
            self._show(change["new"])

    @t.observe("plane")
    def _plane_changed(self, change: Any) -> None:
        if self._moving:
            return
        cut = self._cut = plane_of(change["new"], self._orientation or USUAL)
        count = self.volume_shape[cut.axes[0]]
        self._moving = True
        with self.hold_sync():
            self.count = count
            self.index = min(self.index, count - 1) if self.index else count // 2
            self.set_trait("spacing", self._pixel(cut))
            self.letters = cut.letters if self._orientation else NO_LETTERS
            self.set_trait("view", (1.0, 0.5, 0.5))
            self._show(self.index)

    @t.observe("region")
    def _region_drawn(self, change: Any) -> None:
        mask = self._masks["region"]
        if not self._moving and mask is not None:
            self._cut.put(mask, self.index, np.asarray(change["new"]))

    def _show(self, index: int) -> None:
        """Bring picture, region and contours of a slice, in one message."""
        self._moving = True
        self._named[self._shown] = self.regions
        self._shown = f"{self.plane}/{index}"
        try:
            with self.hold_sync():
                self.regions, self.active = (), ""
                self.image = self._cut.take(self._volume, index)
                self.regions = self._named.get(self._shown, ())
                self.probability = None
                for name in self._masks:
                    self.set_trait(name, self._slice_of(name, index))
        finally:
            self._moving = False

    def _on_message(self, widget: object, content: Any, buffers: object) -> None:
        if isinstance(content, dict) and content.get("type") == "slices":
            self._send_slices(content["plane"], content["indices"])
            return
        super()._on_message(widget, content, buffers)

    def _send_slices(self, plane: str, indices: list[int]) -> None:
        """Send slices that the page will want next."""
        cut = plane_of(plane, self._orientation or USUAL)
        count = self.volume_shape[cut.axes[0]]
        for index in indices[:MOST_AT_ONCE]:
            if not 0 <= int(index) < count:
                continue
            picture = cut.take(self._volume, int(index))
            wire = image_to_wire(picture, 0, self.suggested_windows)
            data = wire.pop("data")
            told = {"type": "slice", "plane": plane, "index": int(index), "image": wire}
            self.send(told, buffers=[data])


def _start(index: int | None, count: int, plane: str) -> int:
    start = count // 2 if index is None else int(index)
    if not 0 <= start < count:
        raise ValueError(f"there is no slice {start} among {count} {plane} slices")
    return start


def _as_volume(volume: Any) -> np.ndarray:
    array = volume.detach().cpu().numpy() if isinstance(volume, Tensor) else np.asarray(volume)
    if array.dtype.kind not in "buif":
        raise TypeError(f"volume must be real numbers, got an array of {array.dtype}")
    if array.ndim == 3:
        array = array[None]
    if array.ndim != 4 or 0 in array.shape:
        raise ValueError(
            "volume must be (slices, rows, columns) or (channels, slices, rows, columns), got "
            f"shape {np.shape(volume)}; show a single slice with RegionCanvas"
        )
    return array


def _as_mask(mask: Any, shape: tuple[int, ...], name: str) -> np.ndarray | None:
    if mask is None:
        return None
    array = mask.detach().cpu().numpy() if isinstance(mask, Tensor) else np.asarray(mask)
    if array.shape != shape:
        raise ValueError(f"{name} must have the volume's shape, {shape}, got {array.shape}")
    if array.dtype != bool and not np.isin(array, (0, 1)).all():
        raise ValueError(f"{name} must be boolean, got {array.dtype} values; compare it first")
    return array.astype(bool)
