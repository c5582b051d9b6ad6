"""Where the patches of a bank come from, and which of them are nearly the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pdcr_widgets.causal.arrays import as_image, as_tensor, as_whole
from pdcr_widgets.causal.boxes import boxes

IMAGE_SUFFIXES = (".npy", ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")
AT_ONCE = 512


def cut(
    images: Iterable[Any],
    patch_size: int,
    per_image: int,
    seed: int,
    keep: Callable[[Tensor], bool] | None,
) -> tuple[Tensor, np.ndarray]:
    """Patches from random places of images, and their centres as fractions of the image."""
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
                f"images[{number}] has {image.shape[0]} channels, the others {patches[0].shape[1]}"
            )
        limits = spatial - patch_size + 1
        places = [torch.randint(int(n), (per_image,), generator=generator) for n in limits]
        starts = torch.stack(places, dim=1).numpy()
        patches.append(boxes(image, starts, [patch_size] * len(spatial)))
        positions.append((starts + patch_size / 2) / spatial)
    if not patches:
        raise ValueError("no images were given to cut patches from")
    taken, where = torch.cat(patches), np.concatenate(positions)
    if keep is None:
        return taken, where
    kept = [i for i, patch in enumerate(taken) if keep(patch)]
    if not kept:
        raise ValueError("`keep` refused every patch; loosen it or give more images")
    return taken[kept], where[kept]


def others(volume: Any, index: int, axis: int, gap: int) -> list[Tensor]:
    """Slices of a volume that are not near one of them, ``(channels, rows, columns)`` each."""
    values = as_tensor(np.asarray(volume) if hasattr(volume, "affine") else volume, "volume")
    values = values[None] if values.ndim == 3 else values
    if values.ndim != 4 or axis not in (0, 1, 2):
        raise ValueError(
            f"a volume is (channels, slices, rows, columns) and axis 0, 1 or 2; got shape "
            f"{tuple(values.shape)} and axis {axis}"
        )
    count, gap = values.shape[1 + axis], as_whole(gap, "gap", 0)
    if not -count <= index < count:
        raise ValueError(f"there is no slice {index} among {count} along axis {axis}")
    far = [n for n in range(count) if abs(n - index % count) > gap]
    if not far:
        raise ValueError(f"no slice of {count} is more than {gap} away from slice {index}")
    return [values.select(1 + axis, n) for n in far]


def distinct(patches: Tensor, tolerance: float) -> list[int]:
    """Numbers of the patches that differ from every kept one before them."""
    if not tolerance >= 0:
        raise ValueError(f"tolerance must be at least 0, got {tolerance}")
    flat = patches.flatten(1).double()
    limit = tolerance * float(flat.std(correction=0)) * flat.shape[1] ** 0.5
    kept: list[int] = []
    for first in range(0, len(flat), AT_ONCE):
        part = flat[first : first + AT_ONCE]
        new = torch.ones(len(part), dtype=torch.bool)
        if kept:
            near = torch.cdist(part, flat[kept], compute_mode="donot_use_mm_for_euclid_dist")
            new = near.amin(dim=1) > limit
        among = torch.cdist(part, part, compute_mode="donot_use_mm_for_euclid_dist") > limit
        for number in range(len(part)):
            new[number] = new[number] and bool((among[number, :number] | ~new[:number]).all())
        kept += (first + new.nonzero()[:, 0]).tolist()
    return kept


def read_folder(path: str | Path, patch_size: int) -> Tensor:
    """Every image of a folder as one patch, ``(n, channels, p, p)``."""
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
                f"pixels; give its size as patch_size, or cut patches out of whole images with "
                f"`pdcr.open_bank`"
            )
        if patch.shape[0] != channels:
            raise ValueError(
                f"{file.name} has {patch.shape[0]} channels, {files[0].name} has {channels}; "
                f"one bank holds patches of one kind"
            )
    return torch.stack(patches)


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
