"""A volume that is explained as a whole: patches are cubes, and its map is looked at in slices."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import ipywidgets as w
import numpy as np
import traitlets as t

from pdcr_widgets.causal import ATEMap
from pdcr_widgets.widgets.slice_viewer import SliceViewer
from pdcr_widgets.widgets.style import markup
from pdcr_widgets.widgets.view import View
from pdcr_widgets.widgets.volumes import Volume

ELSEWHERE = (
    "One patch's draws, the inside of the network and the map's faithfulness are shown for "
    "pictures only; of a volume, <code>pdcr.channel_effects</code> and <code>pdcr.compare</code> "
    "measure the last two in Python."
)


class VolumeTarget(SliceViewer):
    """Draw a target region in a volume, and look at the map of the whole of it.

    Parameters
    ----------
    volume
        The volume.
    **traits
        As for `SliceViewer`.

    Attributes
    ----------
    depth
        Slices that a drawing reaches over, the one that is shown in the middle.
    """

    depth = t.Int(1, min=1)

    def __init__(self, volume: Volume, **traits: Any) -> None:
        self._map: tuple[ATEMap, int] | None = None
        self._probabilities: np.ndarray | None = None
        super().__init__(
            volume.values,
            orientation=volume.orientation,
            spacing=volume.spacing,
            plane=volume.plane,
            index=volume.index,
            **traits,
        )

    @property
    def spatial(self) -> tuple[int, ...]:
        """Shape of the maps that are shown, voxels."""
        return self.volume_shape

    @property
    def target(self) -> np.ndarray:
        """The region that is asked about: what is drawn on all slices."""
        return self.region_volume

    @target.setter
    def target(self, mask: Any) -> None:
        if not np.array_equal(self.region_volume, mask):
            self.region_volume = mask

    def show_effect(self, ate: ATEMap, generation: int = 0) -> int:
        """Paint a map of the volume on every slice, or one of the slice that is shown."""
        if tuple(ate.spatial) != self.volume_shape:
            return super().show_effect(ate, generation)
        self._map = ate, generation
        return super().show_effect(self._slice_of_map(ate), generation)

    def clear_effect(self) -> None:
        """Take the effect map away."""
        if not self._moving:
            self._map = None
        super().clear_effect()

    def set_contours(
        self, *, prediction: Any = None, truth: Any = None, probability: Any = None
    ) -> None:
        """Draw the contours of prediction and truth, masks of the volume, on every slice."""
        if self._moving:
            return
        self._masks |= {"prediction": prediction, "truth": truth}
        self._probabilities = probability
        self._show_contours()

    @t.observe("region")
    def _region_drawn(self, change: Any) -> None:
        mask = self._masks["region"]
        if self._moving or mask is None:
            return
        half = (self.depth - 1) // 2
        for index in range(self.index - half, self.index + self.depth - half):
            if 0 <= index < self.count:
                self._cut.put(mask, index, np.asarray(change["new"]))

    def _show(self, index: int) -> None:
        super()._show(index)
        self._show_contours()
        if self._map is not None:
            self.show_effect(*self._map)

    def _show_contours(self) -> None:
        values = self._probabilities
        super().set_contours(
            prediction=self._slice_of("prediction", self.index),
            truth=self._slice_of("truth", self.index),
            probability=None if values is None else self._cut.take(values, self.index),
        )

    def _slice_of_map(self, ate: ATEMap) -> ATEMap:
        """Cut a map; patch by patch where the picture's corner is a corner of a patch."""
        cut, index, size = self._cut, self.index, ate.patch_size
        turned = [axis for axis, flip in zip(cut.axes[1:], cut.flips, strict=True) if flip]
        cropped = any(self.volume_shape[axis] % size for axis in turned)

        def take(values: np.ndarray) -> np.ndarray:
            if cropped:
                return cut.take(ate.to_image(values), index)
            return cut.take(values, index // size)

        return replace(
            ate,
            effect=take(ate.effect),
            stderr=take(ate.stderr),
            samples=take(ate.samples),
            region=cut.take(ate.region, index),
            patch_size=1 if cropped else size,
        )


class VolumeWords(View):
    """Says that the model is fed the whole volume, and how deep a drawing reaches.

    Parameters
    ----------
    canvas
        The volume.
    """

    def __init__(self, canvas: VolumeTarget) -> None:
        super().__init__()
        sides = " × ".join(str(side) for side in canvas.volume_shape)
        words = markup("pdcr-hint")
        words.value = (
            f"The model is fed the whole volume, {sides} voxels. Patches are cubes, and this is a "
            f"slice of their map. {ELSEWHERE}"
        )
        depth = w.BoundedIntText(min=1, max=max(canvas.volume_shape), description="Slices drawn")
        depth.style.description_width = "initial"
        depth.layout.width = "160px"
        self.link((canvas, "depth"), (depth, "value"))
        self.fill(depth, words)
