"""Arrays: .npy and .npz files, and what is already in memory."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from pdcr_widgets.images.metered import MeteredFile
from pdcr_widgets.images.nifti import from_xyz
from pdcr_widgets.images.opened import OpenedImage, finished
from pdcr_widgets.images.request import ChoiceNeeded, Request, decoding

MAGIC = 8  # bytes before the length of a .npy header
LONGEST_HEADER = 2**16
LONGEST_LIST = 2**21  # bytes of an archive's list of members
SHOWN = 12


def read_npy(path: Path, request: Request) -> OpenedImage:
    """Read a .npy file; pickled objects are refused."""
    with decoding(path.name, "a .npy array"), path.open("rb") as file:
        shape = _shape_ahead(file)
    request.check_size(shape, path.name)
    with decoding(path.name, "a .npy array"):
        array = np.load(path, allow_pickle=False)
    return from_array(array, request, path.name)


def read_npz(path: Path, request: Request) -> OpenedImage:
    """Read one array of a .npz file, chosen by ``key`` where there are several."""
    with (
        decoding(path.name, "a .npz archive"),
        MeteredFile(path, length=LONGEST_LIST) as file,
        zipfile.ZipFile(file) as archive,
    ):
        names = [name.removesuffix(".npy") for name in archive.namelist() if name[-4:] == ".npy"]
    key = request.key or (names[0] if len(names) == 1 else None)
    if key not in names:
        raise ChoiceNeeded(
            f"{path.name} holds the arrays {_listed(names)}; choose one with key=, got {key!r}",
            "key",
            {name: name for name in names},
        )
    with (
        decoding(path.name, "a .npz archive"),
        zipfile.ZipFile(path) as archive,
        archive.open(f"{key}.npy") as member,
    ):
        shape = _shape_ahead(member)
    request.check_size(shape, path.name)
    with decoding(path.name, "a .npz archive"), np.load(path, allow_pickle=False) as arrays:
        array = arrays[key]
    return from_array(array, request, path.name)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return str(names[:SHOWN]) + more


def _shape_ahead(file: Any) -> tuple[int, ...]:
    """Shape that a .npy header promises."""
    version = np.lib.format.read_magic(file)
    length = int.from_bytes(file.read(2 if version == (1, 0) else 4), "little")
    if length > LONGEST_HEADER:
        raise ValueError(f"its header claims {length} bytes, more than {LONGEST_HEADER}")
    file.seek(MAGIC)
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }.get(version)
    if read is None:
        raise ValueError(f"version {version} of the format is not read")
    shape, _, dtype = read(file)
    if dtype.hasobject:
        raise ValueError("it holds Python objects, which are not loaded")
    if dtype.kind not in "biuf":
        raise ValueError(f"it holds {dtype} values; an image holds real numbers")
    return tuple(shape)


def from_array(values: Any, request: Request, where: str = "the array") -> OpenedImage:
    """Take numpy arrays, torch tensors, xarray.DataArray and MONAI's MetaTensor."""
    spacing = request.spacing
    if hasattr(values, "dims") and hasattr(values, "coords"):
        spacing = spacing or _coordinate_spacing(values)
    affine = getattr(values, "affine", None)
    array = np.asarray(values.detach().cpu() if hasattr(values, "detach") else values)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{where} must hold real numbers, got {array.dtype}")
    request.check_size(array.shape, where)
    if affine is not None and array.ndim == 4:
        matrix = np.asarray(affine, dtype=np.float64)
        turned = [from_xyz(channel, matrix) for channel in array]
        stacked = np.concatenate([channel for channel, _, _ in turned])
        facts = {"format": "MetaTensor", "shape": array.shape}
        return finished(
            stacked, where, spacing, turned[0][1], oriented=turned[0][2], provenance=facts
        )
    array, note = _channels_first(array, request.channels, where)
    facts = {"format": type(values).__name__, "shape": np.shape(values)}
    if spacing is not None:
        spacing = spacing[-(array.ndim - 1) :]
    return finished(array, where, spacing, provenance=facts, notes=note)


def _channels_first(
    array: np.ndarray, channels: str | None, where: str
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Find the channel axis, or take the user's word for it; say what was assumed."""
    if channels not in (None, "first", "last", "none"):
        raise ValueError(f"channels must be 'first', 'last' or 'none', got {channels!r}")
    note: tuple[str, ...] = ()
    if channels is None:
        channels = _guess(array.shape)
        if array.ndim > 2:
            note = (f"shape {array.shape} was taken as: channel axis {channels}",)
    axes = array.ndim - (channels != "none")
    if axes not in (2, 3):
        raise ValueError(
            f"{where} has the shape {array.shape}; an image is (rows, columns) or (slices, rows, "
            "columns) with at most one axis of channels, told by channels='first', 'last' or 'none'"
        )
    if channels == "none":
        return array[None], note
    return (np.moveaxis(array, -1, 0) if channels == "last" else array), note


def _guess(shape: tuple[int, ...]) -> str:
    if len(shape) == 3 and shape[-1] in (3, 4) and shape[0] > 4:
        return "last"
    if len(shape) == 2 or (len(shape) == 3 and shape[0] > 4):
        return "none"
    return "first"


def _coordinate_spacing(values: Any) -> tuple[float, ...] | None:
    """Spacing of the last axes of a DataArray whose coordinates are evenly spaced numbers."""
    steps: list[float] = []
    for name in reversed(values.dims):
        if name not in values.coords or values.sizes[name] < 2:
            break
        at = np.asarray(values.coords[name])
        if at.dtype.kind not in "iuf" or not np.allclose(np.diff(at), at[1] - at[0]):
            break
        steps.insert(0, abs(float(at[1] - at[0])))
    named = {str(name).lower() for name in values.dims[-len(steps) :]} if steps else set()
    if len(steps) < 2 or named & {"c", "channel", "channels"}:
        return None
    return tuple(steps)
