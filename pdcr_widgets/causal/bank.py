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

from pdcr_widgets.causal.arrays import as_image, as_tensor, as_whole
from pdcr_widgets.causal.boxes import boxes
from pdcr_widgets.causal.design import Design

IMAGE_SUFFIXES = (".npy", ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")


@dataclass(frozen=True, eq=False)
class PatchBank:
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
    def design(self) -> Design:
        """Balanced orders of the patches (made once per bank)."""
        return Design(self.patches)

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
        patch_size = as_whole(patch_size, "patch_size", 1)
        per_image = as_whole(per_image, "per_image", 1)
        generator = torch.Generator().manual_seed(as_whole(seed, "seed", 0))
        patches: list[Tensor] = []
        positions: list[np.ndarray] = []
        for number, each in enumerate(images):
            image = as_image(each, f"images[{number}]")
            spatial = np.array(image.shape[1:])
            if (spatial < patch_size).any():
                raise ValueError(
                    f"images[{number}] is {tuple(spatial.tolist())}, too small for patches of "
                    f"{patch_size} pixels"
                )
            if patches and patches[0].shape[1] != image.shape[0]:
                raise ValueError(
                    f"images[{number}] has {image.shape[0]} channels, the others "
                    f"{patches[0].shape[1]}"
                )
            limits = spatial - patch_size + 1
            places = [torch.randint(int(n), (per_image,), generator=generator) for n in limits]
            starts = torch.stack(places, dim=1).numpy()
            patches.append(boxes(image, starts, [patch_size] * len(spatial)))
            positions.append((starts + patch_size / 2) / spatial)
        if not patches:
            raise ValueError("no images were given to cut patches from")
        cut, where = torch.cat(patches), np.concatenate(positions)
        if keep is not None:
            kept = [i for i, patch in enumerate(cut) if keep(patch)]
            if not kept:
                raise ValueError("`keep` refused every patch; loosen it or give more images")
            cut, where = cut[kept], where[kept]
        return cls(cut, where)

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
        folder = Path(path)
        if not folder.is_dir():
            raise ValueError(f"no folder at {str(folder)!r}")
        files = sorted(f for f in folder.iterdir() if f.suffix.lower() in IMAGE_SUFFIXES)
        if not files:
            raise ValueError(f"no images ({', '.join(IMAGE_SUFFIXES)}) in {str(folder)!r}")
        patches = [_read_patch(file) for file in files]
        channels = patches[0].shape[0]
        for file, patch in zip(files, patches, strict=True):
            if patch.shape[-2:] != (patch_size, patch_size):
                raise ValueError(
                    f"{file.name} is {tuple(patch.shape[-2:])}, not {patch_size} x {patch_size} "
                    f"pixels; give its size as patch_size, or cut patches with from_images"
                )
            if patch.shape[0] != channels:
                raise ValueError(
                    f"{file.name} has {patch.shape[0]} channels, {files[0].name} has {channels}; "
                    f"one bank holds patches of one kind"
                )
        return cls(torch.stack(patches))


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


def _read_patch(file: Path) -> Tensor:
    if file.suffix.lower() == ".npy":
        return as_image(np.load(file, allow_pickle=False), file.name)
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError(f"reading {file.name} needs Pillow: pip install pillow") from error
    with Image.open(file) as picture:
        pixels = np.asarray(picture.convert("RGB") if picture.mode == "P" else picture)
    if pixels.dtype.kind == "u":
        pixels = pixels.astype(np.float32) / np.iinfo(pixels.dtype).max
    elif pixels.dtype == bool:
        pixels = pixels.astype(np.float32)
    return as_image(pixels[None] if pixels.ndim == 2 else np.moveaxis(pixels, -1, 0), file.name)
