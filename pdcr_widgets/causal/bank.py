"""Banks of natural patches."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pdcr_widgets.causal.archive import read_arrays, write_npz
from pdcr_widgets.causal.arrays import as_tensor, as_whole
from pdcr_widgets.causal.bank_cutting import cut, distinct, others, read_folder
from pdcr_widgets.causal.patch_figure import PatchSheet, plot_patches
from pdcr_widgets.causal.representatives import Representatives

FORMAT = 1
PATCHES, POSITIONS, NEAREST = "bank_patches", "bank_positions", "bank_nearest"


@dataclass(frozen=True, eq=False)
class PatchBank(PatchSheet):
    """Natural patches to paste in place of others: an empirical baseline distribution.

    Parameters
    ----------
    patches
        ``(n, channels, *patch)`` floats in the image's own units, tensor or array.
    positions
        Optional ``(n, d)`` centres of the patches as fractions 0..1 of the image they came from.
    nearest
        With positions: only the ``nearest`` patches by position may be drawn at a place
        (position-matched draws). None: every patch anywhere, as in the paper.

    Raises
    ------
    TypeError, ValueError
        Integers, NaN or infinite values, an empty bank, a wrong number of dimensions, or
        ``nearest`` without positions.
    """

    patches: Tensor
    positions: np.ndarray | None = None
    nearest: int | None = None

    def __post_init__(self) -> None:
        patches = as_tensor(self.patches, "patches")
        if not patches.is_floating_point():
            raise TypeError(
                f"patches have dtype {str(patches.dtype).removeprefix('torch.')}; give floats in "
                f"the image's own units"
            )
        if patches.ndim not in (4, 5) or 0 in patches.shape:
            raise ValueError(
                f"patches must be (n, channels, *patch) with n >= 1, got {tuple(patches.shape)}"
            )
        if not bool(torch.isfinite(patches).all()):
            raise ValueError("patches have NaN or infinite values; remove those patches")
        object.__setattr__(self, "patches", patches.contiguous())
        if self.positions is not None:
            object.__setattr__(self, "positions", _positions(self.positions, patches))
        if self.nearest is not None:
            object.__setattr__(self, "nearest", as_whole(self.nearest, "nearest", 1))
            if self.positions is None:
                raise ValueError(
                    "position-matched draws need the patches' positions; give them, or cut the "
                    "patches with `PatchBank.from_images`"
                )

    def __len__(self) -> int:
        """Number of patches."""
        return len(self.patches)

    @property
    def patch_size(self) -> int:
        """Side of the patches along the last axis, pixels."""
        return int(self.patches.shape[-1])

    @property
    def channels(self) -> int:
        """Number of channels."""
        return int(self.patches.shape[1])

    @cached_property
    def representatives(self) -> Representatives:
        """Patches that stand for all of them, nested (chosen once per bank)."""
        return Representatives.of(self.patches)

    def digest(self) -> str:
        """SHA-256 of the patches' bytes and shape, and their positions, to name it in a recipe."""
        return self._digest

    @cached_property
    def _digest(self) -> str:
        values = self.patches.cpu()
        seen = hashlib.sha256(str((tuple(values.shape), values.dtype)).encode())
        seen.update(values.view(torch.uint8).numpy().data)
        if self.positions is not None:
            seen.update(self.positions.data)
        return seen.hexdigest()

    def matched(self, nearest: int) -> PatchBank:
        """Give the same bank with position-matched draws among the ``nearest`` patches."""
        return replace(self, nearest=nearest)

    def matching(self, spatial: Sequence[int], size: Sequence[int]) -> Match:
        """How a choice number becomes a patch of the bank at a place of an image.

        Raises
        ------
        ValueError
            Position-matched draws from positions of another number of axes.
        """
        if self.nearest is not None and self.positions is not None:
            axes = self.positions.shape[1]
            if axes != len(spatial):
                raise ValueError(
                    f"the bank's positions have {axes} axes, the image has {len(spatial)}; give "
                    f"one fraction per axis"
                )
        return Match(self, np.asarray(spatial), np.asarray(size))

    @classmethod
    def from_images(
        cls,
        images: Iterable[Any],
        patch_size: int = 8,
        per_image: int = 100,
        seed: int = 0,
        keep: Callable[[Tensor], bool] | None = None,
    ) -> PatchBank:
        """Cut patches at random places of other images.

        Parameters
        ----------
        images
            Images as for `ate_map`, all of one channel count.
        patch_size
            Side, pixels.
        per_image
            Patches cut from each image.
        seed
            Of the places; the global random state is not touched.
        keep
            Optional test ``(channels, *patch) -> bool``; patches that fail it are left out.

        Raises
        ------
        ValueError
            No image, no patch kept, an image smaller than a patch, or different channel counts.
        """
        return cls(*cut(images, patch_size, per_image, seed, keep))

    @classmethod
    def from_slices(
        cls, volume: Any, index: int, axis: int = 0, gap: int = 3, **options: Any
    ) -> PatchBank:
        """Cut patches from the other slices of a volume.

        Parameters
        ----------
        volume
            ``(channels, slices, rows, columns)`` or ``(slices, rows, columns)``, array, tensor or
            opened volume.
        index
            The slice that is explained; negative counts from the end.
        axis
            0 (slices), 1 (rows) or 2 (columns): what ``index`` counts.
        gap
            Slices on either side of it that are left out as well, because they show the same.
        **options
            As for `from_images`: ``patch_size``, ``per_image`` (patches per slice), ``seed``,
            ``keep``.

        Raises
        ------
        ValueError
            Not a volume, no such slice, or no slice left.
        """
        return cls.from_images(others(volume, index, axis, gap), **options)

    @classmethod
    def from_folder(cls, path: str | Path, patch_size: int = 8) -> PatchBank:
        """Read every image of a folder as one patch, scaled to 0..1.

        Parameters
        ----------
        path
            Folder of ``.npy`` (floats in the image's own units) or PNG, JPEG, TIFF or BMP files
            (read with Pillow, divided by the maximum of their integer type).
        patch_size
            Side that every file must have, pixels.

        Raises
        ------
        ValueError
            No such folder, no images in it, or a file of another size.
        """
        return cls(read_folder(path, patch_size))

    def distinct(self, tolerance: float = 0.02) -> PatchBank:
        """Leave out patches that are nearly those before them, such as flat background.

        What remains is another distribution: a kind of patch that was common is no longer drawn
        more often.

        Parameters
        ----------
        tolerance
            Root mean square difference that counts as none, as a share of the standard deviation of
            all values of the bank. 0 leaves out exact copies only.

        Raises
        ------
        ValueError
            A negative tolerance.
        """
        kept = distinct(self.patches, tolerance)
        places = None if self.positions is None else self.positions[kept]
        return replace(self, patches=self.patches[torch.as_tensor(kept)], positions=places)

    def plot(self, count: int = 48, ax: Any = None) -> Any:
        """Draw patches of the bank side by side (matplotlib), evenly chosen from all of it.

        Parameters
        ----------
        count
            Patches at most.
        ax
            Axes to draw on; new ones when not given.

        Returns
        -------
        matplotlib.axes.Axes
        """
        return plot_patches(self.patches, count, ax)

    def save(self, path: str | Path) -> None:
        """Write the bank to an ``.npz`` file, whole or not at all."""
        write_npz(path, {"format": FORMAT, "kind": "bank"}, self.arrays())

    def arrays(self) -> dict[str, np.ndarray]:
        """Everything that makes the bank, as arrays of a file."""
        held = {PATCHES: self.patches.cpu().numpy()}
        if self.positions is not None:
            held[POSITIONS] = self.positions
        if self.nearest is not None:
            held[NEAREST] = np.array(self.nearest)
        return held

    @classmethod
    def load(cls, path: str | Path) -> PatchBank:
        """Read a bank that was saved, alone or with a map.

        Raises
        ------
        ValueError
            No bank in the file, or a damaged one.
        """
        held = read_arrays(path, (PATCHES, POSITIONS, NEAREST))
        if PATCHES not in held:
            raise ValueError(f"{str(path)!r} holds no patch bank")
        nearest = int(held[NEAREST]) if NEAREST in held else None
        return cls(torch.from_numpy(held[PATCHES]), held.get(POSITIONS), nearest)


def _positions(values: Any, patches: Tensor) -> np.ndarray:
    places = as_tensor(values, "positions").double().cpu().numpy()
    if places.ndim != 2 or len(places) != len(patches) or not np.isfinite(places).all():
        raise ValueError(
            f"positions must be finite, one row per patch ({len(patches)}, axes), got shape "
            f"{places.shape}"
        )
    return np.ascontiguousarray(places)


class Match:
    """Choice number and place -> patch number."""

    def __init__(self, bank: PatchBank, spatial: np.ndarray, size: np.ndarray) -> None:
        self._bank, self._spatial, self._size = bank, spatial, size
        self.choices = min(bank.nearest or len(bank), len(bank))

    def __call__(self, starts: np.ndarray, choice: np.ndarray) -> np.ndarray:
        """Patch numbers ``(n,)`` for boxes that start at ``(n, d)``."""
        if self._bank.nearest is None:
            return choice
        centres = (starts + self._size / 2) / self._spatial
        places, which = np.unique(centres, axis=0, return_inverse=True)
        distance = ((places[:, None] - self._bank.positions) ** 2).sum(axis=2)
        near = np.argsort(distance, axis=1, kind="stable")[:, : self.choices]
        return near[which.reshape(-1), choice]
