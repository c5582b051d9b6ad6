"""NIfTI, NRRD and MetaImage: one volume opens the same whatever its axes and its format."""

from __future__ import annotations

import gzip
import itertools
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK as itk
from image_files import AFFINE, VOLUME, write_itk, write_nifti
from numpy.testing import assert_allclose

from pdcr_widgets.images import OpenedImage, open_image, save_nifti


def brightest(opened: OpenedImage) -> np.ndarray:
    """Millimetres of the largest value."""
    assert opened.affine is not None
    at = np.unravel_index(opened.array[0].argmax(), opened.spatial)
    place: np.ndarray = (opened.affine @ [*at, 1])[:3]
    return place


def test_a_volume_is_seen_from_the_feet_with_the_front_on_top(tmp_path: Path) -> None:
    opened = open_image(write_nifti(tmp_path / "a.nii"))
    assert opened.orientation == "SPL"
    assert opened.spacing == (3, 1.5, 2)
    assert opened.spatial == (5, 6, 4)
    assert_allclose(brightest(opened), (AFFINE @ [3, 4, 5, 1])[:3])


AXES = ["".join(letters) for letters in itertools.product("LR", "AP", "SI")]
ORDERS = [tuple(order) for order in itertools.permutations(range(3))]


@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize("order", ORDERS)
def test_the_order_of_axes_in_a_file_does_not_matter(
    axes: str, order: tuple[int, ...], tmp_path: Path
) -> None:
    plain = nibabel.Nifti1Image(VOLUME, AFFINE)
    wanted = nibabel.orientations.axcodes2ornt([axes[i] for i in order])
    turn = nibabel.orientations.ornt_transform(nibabel.io_orientation(AFFINE), wanted)
    nibabel.save(plain.as_reoriented(turn), tmp_path / "turned.nii")
    expected = open_image(write_nifti(tmp_path / "a.nii"))
    opened = open_image(tmp_path / "turned.nii")
    assert_allclose(opened.array, expected.array)
    assert opened.affine is not None
    assert expected.affine is not None
    assert_allclose(opened.affine, expected.affine, atol=1e-5)


@pytest.mark.parametrize("name", ["a.nrrd", "a.mha", "a.mhd"])
def test_formats_agree_about_values_and_places(name: str, tmp_path: Path) -> None:
    path = write_itk(tmp_path / name)
    itk.WriteImage(itk.ReadImage(str(path)), str(tmp_path / "same.nii.gz"))
    nifti, other = open_image(tmp_path / "same.nii.gz"), open_image(path)
    assert_allclose(other.array, nifti.array)
    assert other.affine is not None
    assert nifti.affine is not None
    assert_allclose(other.affine, nifti.affine, atol=1e-4)
    assert other.orientation == nifti.orientation == "SPL"


def test_a_map_lands_on_the_grid_of_its_slice(tmp_path: Path) -> None:
    opened = open_image(write_nifti(tmp_path / "a.nii"))
    one = opened.slice(3)
    values = np.full(one.spatial, np.nan, dtype=np.float32)
    values[2, 1] = 7
    save_nifti(values, one, tmp_path / "map.nii.gz")
    again = nibabel.load(tmp_path / "map.nii.gz")
    at = np.argwhere(np.asanyarray(again.dataobj) == 7)[0]
    assert opened.affine is not None
    assert_allclose(again.affine @ [*at, 1], opened.affine @ [3, 2, 1, 1], atol=1e-5)
    reopened = open_image(tmp_path / "map.nii.gz")
    assert_allclose(reopened.array[0], values)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_slice_is_the_volumes_own_plane_in_its_place(axis: int, tmp_path: Path) -> None:
    opened = open_image(write_nifti(tmp_path / "a.nii"))
    one = opened.slice(-1, axis)
    assert_allclose(one.array, np.take(opened.array, -1, axis=1 + axis))
    assert opened.affine is not None
    assert one.affine is not None
    corner = [0.0, 0.0, 0.0, 1.0]
    corner[axis] = opened.spatial[axis] - 1
    assert_allclose(one.affine @ [0, 0, 0, 1], opened.affine @ corner)
    assert len(one.spacing or ()) == 2
    with pytest.raises(ValueError, match="no slice 99"):
        opened.slice(99, axis)


def test_four_axes_need_a_choice(tmp_path: Path) -> None:
    moving = np.stack([VOLUME, VOLUME + 1000], axis=-1)
    nibabel.save(nibabel.Nifti1Image(moving, AFFINE), tmp_path / "a.nii")
    with pytest.raises(ValueError, match=r"holds 2 volumes.*volume=0 to 1"):
        open_image(tmp_path / "a.nii")
    first, second = (open_image(tmp_path / "a.nii", volume=number) for number in (0, 1))
    assert_allclose(second.array, first.array + 1000)


def test_a_flat_file_is_a_slice(tmp_path: Path) -> None:
    nibabel.save(nibabel.Nifti1Image(VOLUME[:, :, :1], AFFINE), tmp_path / "a.nii")
    opened = open_image(tmp_path / "a.nii")
    assert_allclose(opened.array[0], VOLUME[:, :, 0].T)


def test_a_header_that_lies_about_its_length_is_refused(tmp_path: Path) -> None:
    path = write_nifti(tmp_path / "a.nii")
    content = bytearray(path.read_bytes())
    content[42:48] = np.array([1000, 1000, 200], dtype="<i2").tobytes()
    path.write_bytes(content)
    with pytest.raises(ValueError, match="cut short, or its header lies"):
        open_image(path)
    (tmp_path / "b.nii.gz").write_bytes(gzip.compress(bytes(content)))
    with pytest.raises(ValueError, match="cut short, or its header lies"):
        open_image(tmp_path / "b.nii.gz")


def test_a_header_may_not_send_the_reader_elsewhere(tmp_path: Path) -> None:
    secret = tmp_path / "secret.raw"
    secret.write_bytes(VOLUME.tobytes())
    path = write_itk(tmp_path / "a.mhd")
    path.write_text(path.read_text().replace("a.raw", "../secret.raw"))
    with pytest.raises(ValueError, match="only a file in the same folder"):
        open_image(path)


def test_a_nameless_orientation_stays_nameless(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(VOLUME, AFFINE)
    image.set_sform(AFFINE, code=0)
    image.set_qform(AFFINE, code=0)
    nibabel.save(image, tmp_path / "a.nii")
    opened = open_image(tmp_path / "a.nii")
    assert opened.orientation == ""
    assert sorted(opened.spacing or ()) == [1.5, 2, 3]


def test_only_nifti_names_are_written(tmp_path: Path) -> None:
    opened = open_image(write_nifti(tmp_path / "a.nii"))
    with pytest.raises(ValueError, match=r"ends in \.nii"):
        save_nifti(opened.array[0], opened, tmp_path / "a.png")
    with pytest.raises(ValueError, match="the values have shape"):
        save_nifti(np.zeros((2, 2)), opened, tmp_path / "b.nii")
