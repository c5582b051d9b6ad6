"""Pictures and arrays: values untouched, channels first, every guess told."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
import xarray
from image_files import FILES, SLICE, VOLUME
from monai.data import MetaTensor
from numpy.testing import assert_allclose
from PIL import Image

import pdcr_widgets as pdcr
from pdcr_widgets.images import OpenedImage, open_image

COLOUR = np.stack([SLICE, SLICE[::-1], SLICE.T.reshape(5, 6)], axis=-1)


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif", "gif"])
def test_grey_bytes_are_untouched(suffix: str, tmp_path: Path) -> None:
    Image.fromarray(SLICE).save(tmp_path / f"a.{suffix}")
    opened = open_image(tmp_path / f"a.{suffix}")
    assert_allclose(opened.array, SLICE[None])
    assert opened.window == (0, 255)
    assert opened.spacing is None


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif"])
def test_colour_bytes_are_three_channels(suffix: str, tmp_path: Path) -> None:
    Image.fromarray(COLOUR).save(tmp_path / f"a.{suffix}")
    assert_allclose(open_image(tmp_path / f"a.{suffix}").array, np.moveaxis(COLOUR, -1, 0))


def test_a_photograph_is_near_and_upright(tmp_path: Path) -> None:
    photograph = Image.fromarray(np.full((8, 16), 200, dtype=np.uint8))
    turned = Image.Exif()
    turned[0x0112] = 6
    photograph.save(tmp_path / "a.jpg", exif=turned, quality=95)
    opened = open_image(str(tmp_path / "a.jpg"))
    assert opened.spatial == (16, 8)
    assert_allclose(opened.array, 200, atol=2)


def test_transparency_is_dropped_and_told(tmp_path: Path) -> None:
    clear = np.dstack([COLOUR, np.full((5, 6), 9, dtype=np.uint8)])
    Image.fromarray(clear).save(tmp_path / "a.png")
    opened = open_image(tmp_path / "a.png")
    assert_allclose(opened.array, np.moveaxis(COLOUR, -1, 0))
    assert opened.notes == ("transparency was dropped",)


def test_palettes_and_bits_become_values(tmp_path: Path) -> None:
    Image.fromarray(COLOUR).quantize(256).save(tmp_path / "palette.png")
    assert open_image(tmp_path / "palette.png").channels == 3
    Image.fromarray(SLICE > 100).save(tmp_path / "bits.png")
    assert_allclose(open_image(tmp_path / "bits.png").array, 255.0 * (SLICE[None] > 100))


def test_sixteen_bits_stay_sixteen_bits(tmp_path: Path) -> None:
    deep = (SLICE.astype(np.uint16) << 8) + 3
    Image.fromarray(deep).save(tmp_path / "a.png")
    assert_allclose(open_image(tmp_path / "a.png").array, deep[None])


@pytest.mark.parametrize("compression", [None, "zlib", "lzw", "jpeg2000"])
def test_pages_of_a_tiff_are_slices(compression: str | None, tmp_path: Path) -> None:
    pages = VOLUME.astype(np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", pages, compression=compression, photometric="minisblack")
    opened = open_image(tmp_path / "a.tif")
    assert_allclose(opened.array, pages[None])


def test_planes_of_a_tiff_are_channels(tmp_path: Path) -> None:
    stack = np.arange(2 * 3 * 5 * 6, dtype=np.uint16).reshape(2, 3, 5, 6)
    tifffile.imwrite(tmp_path / "a.tif", stack, imagej=True, metadata={"axes": "ZCYX"})
    assert_allclose(open_image(tmp_path / "a.tif").array, stack.transpose(1, 0, 2, 3))
    moving = stack.reshape(1, 2, 3, 5, 6).repeat(2, axis=0)
    tifffile.imwrite(tmp_path / "b.tif", moving, imagej=True, metadata={"axes": "TZCYX"})
    with pytest.raises(ValueError, match="axes TZCYX"):
        open_image(tmp_path / "b.tif")


def test_pictures_of_one_size_make_a_volume(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.png" for number in range(3)]
    for number, path in enumerate(paths):
        Image.fromarray(SLICE + np.uint8(number)).save(path)
    opened = open_image(paths, spacing=(3, 1, 1))
    assert_allclose(opened.array[0, 2], SLICE + 2)
    assert opened.spacing == (3, 1, 1)
    FILES["array.npy"](tmp_path / "a.npy")
    with pytest.raises(ValueError, match="only slices of one shape"):
        open_image([paths[0], tmp_path / "a.npy"])


@pytest.mark.parametrize(
    ("shape", "channels", "found"),
    [
        ((5, 6), None, (1, 5, 6)),
        ((1, 5, 6), None, (1, 5, 6)),
        ((3, 5, 6), None, (3, 5, 6)),
        ((5, 6, 3), None, (3, 5, 6)),
        ((9, 5, 6), None, (1, 9, 5, 6)),
        ((9, 5, 6), "first", (9, 5, 6)),
        ((2, 9, 5, 6), None, (2, 9, 5, 6)),
        ((9, 5, 6, 2), "last", (2, 9, 5, 6)),
        ((3, 5, 6), "none", (1, 3, 5, 6)),
    ],
)
def test_the_axes_of_arrays(
    shape: tuple[int, ...], channels: str | None, found: tuple[int, ...]
) -> None:
    values = np.arange(np.prod(shape), dtype=float).reshape(shape)
    opened = open_image(values, channels=channels)
    assert opened.array.shape == found
    assert sorted(opened.array.ravel()) == sorted(values.ravel())
    assert bool(opened.notes) == (channels is None and len(shape) > 2)


def test_arrays_of_other_libraries(tmp_path: Path) -> None:
    tensor = torch.arange(30.0).reshape(5, 6).requires_grad_()
    assert_allclose(open_image(tensor).array[0], tensor.detach())
    grid = {"z": np.arange(4) * 3.0, "y": np.arange(5) * 1.5, "x": np.arange(6) * 2.0}
    data = xarray.DataArray(VOLUME, coords=grid, dims=("z", "y", "x"))
    opened = open_image(data, channels="none")
    assert opened.spacing == (3, 1.5, 2)
    assert_allclose(opened.array[0], VOLUME)


def test_a_metatensor_is_its_nifti_file(tmp_path: Path) -> None:
    path = FILES["volume.nii"](tmp_path / "a.nii")
    expected = open_image(path)
    from_file = MetaTensor(torch.tensor(VOLUME)[None], affine=torch.tensor(_affine(path)))
    opened = open_image(from_file)
    assert_allclose(opened.array, expected.array)
    assert opened.affine is not None
    assert expected.affine is not None
    assert_allclose(opened.affine, expected.affine)


def _affine(path: Path) -> np.ndarray:
    import nibabel

    return np.asarray(nibabel.load(path).affine)


def test_an_archive_of_several_arrays_needs_a_choice(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", image=VOLUME, truth=VOLUME > 3)
    with pytest.raises(ValueError, match=r"holds the arrays \['image', 'truth'\]; choose one"):
        open_image(tmp_path / "a.npz")
    assert_allclose(open_image(tmp_path / "a.npz", key="image", channels="none").array[0], VOLUME)


def test_an_opened_image_is_an_image_for_the_method(tmp_path: Path) -> None:
    opened = open_image(FILES["picture.png"](tmp_path / "a.png"))
    assert open_image(opened) is opened
    found = pdcr.ate_map(lambda x: x / 255, opened, (1, 1, 2, 2), patch_size=2, outcome="area")
    assert found.effect.shape == (3, 3)
    sized = open_image(opened.array, spacing=(0.5, 0.75))
    session = pdcr.Session(lambda x: x / 255, sized, region=(1, 1, 2, 2))
    assert session.spacing == (0.5, 0.75)
    session.close()


@pytest.mark.parametrize(("name", "module"), [("volume.nii", "nibabel"), ("stack.tif", "tifffile")])
def test_a_missing_reader_says_how_to_get_it(
    name: str, module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = FILES[name](tmp_path / name)
    monkeypatch.setitem(sys.modules, module, None)
    wanted = rf'{module} is needed.*pip install "pdcr-widgets\[images\]"'
    with pytest.raises(ImportError, match=wanted):
        open_image(path)


def test_the_words_about_an_image() -> None:
    told = repr(open_image(np.zeros((5, 6)), spacing=(0.5, 0.25)))
    assert told == "<OpenedImage: 1 channel of 5 x 6, 0.5 x 0.25 mm, window 0 to 1>"
    assert isinstance(open_image(np.zeros((5, 6), dtype=bool)), OpenedImage)
