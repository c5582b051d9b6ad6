"""Truth, maps and banks that belong to an image in a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from image_files import AFFINE, write_series
from PIL import Image

import pdcr_widgets as pdcr

RNG = np.random.default_rng(0)
VALUES = RNG.random((12, 20, 16)).astype(np.float32)  # x, y, z
LABELS = (3 * RNG.random((12, 20, 16))).astype(np.int16)


def write(path: Path, values: np.ndarray, affine: np.ndarray = AFFINE) -> Path:
    nibabel.save(nibabel.Nifti1Image(values, affine), path)
    return path


@pytest.fixture
def volume(tmp_path: Path) -> pdcr.OpenedImage:
    return pdcr.open_image(write(tmp_path / "image.nii.gz", VALUES))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_slice_gets_its_own_slice_of_the_labels(
    axis: int, volume: pdcr.OpenedImage, tmp_path: Path
) -> None:
    path = write(tmp_path / "labels.nii", LABELS)
    one = volume.slice(5, axis)
    whole = pdcr.open_image(path)
    truth = pdcr.open_truth(path, one, label=2)
    assert truth.dtype == bool
    np.testing.assert_array_equal(truth, np.take(whole.array[0], 5, axis) == 2)
    both = pdcr.open_truth(path, one, label=[1, 2])
    np.testing.assert_array_equal(both, np.take(whole.array[0], 5, axis) > 0)
    np.testing.assert_array_equal(pdcr.open_truth(path, volume, 1), whole.array[0] == 1)


def test_labels_stored_in_another_order_are_the_same(
    volume: pdcr.OpenedImage, tmp_path: Path
) -> None:
    turned = AFFINE[:, [1, 0, 2, 3]]
    path = write(tmp_path / "turned.nii", LABELS.transpose(1, 0, 2), turned)
    plain = write(tmp_path / "plain.nii", LABELS)
    np.testing.assert_array_equal(
        pdcr.open_truth(path, volume, 1), pdcr.open_truth(plain, volume, 1)
    )


def test_one_label_needs_no_choice_and_several_are_listed(
    volume: pdcr.OpenedImage, tmp_path: Path
) -> None:
    mask = write(tmp_path / "mask.nii", np.where(LABELS == 2, 255, 0).astype(np.uint8))
    assert pdcr.open_truth(mask, volume).sum() == (LABELS == 2).sum()
    labels = write(tmp_path / "labels.nii", LABELS)
    counted = ", ".join(rf"{n} \({(n == LABELS).sum()} pixels\)" for n in range(3))
    with pytest.raises(ValueError, match=f"has the labels {counted}; choose with label="):
        pdcr.open_truth(labels, volume)
    with pytest.raises(ValueError, match=r"has no label \[7\]; it has 0 "):
        pdcr.open_truth(labels, volume, 7)


def test_image_and_labels_in_one_file(tmp_path: Path) -> None:
    np.savez(tmp_path / "case.npz", image=VALUES[0], label=LABELS[0])
    image = pdcr.open_image(tmp_path / "case.npz", key="image")
    truth = pdcr.open_truth(tmp_path / "case.npz", image, label=1, key="label")
    np.testing.assert_array_equal(truth, LABELS[0] == 1)
    both = np.stack([VALUES, LABELS], axis=-1)
    path = write(tmp_path / "both.nii", both)
    image = pdcr.open_image(path, volume=0)
    assert pdcr.open_truth(path, image, 2, volume=1).sum() == (LABELS == 2).sum()


def test_one_channel_per_label() -> None:
    image = pdcr.open_image(VALUES[0])
    overlapping = np.stack([LABELS[0] >= 1, LABELS[0] >= 2]).astype(np.uint8)
    truth = pdcr.open_truth(overlapping, image, label=1, channels="first")
    np.testing.assert_array_equal(truth, LABELS[0] == 2)
    with pytest.raises(ValueError, match=r"has the labels 0 \(.*choose with label="):
        pdcr.open_truth(overlapping, image, channels="first")


@pytest.mark.parametrize(
    ("values", "affine", "words"),
    [
        (LABELS[:-1], AFFINE, r"another grid.*20 x 16 x 11 .*not resampled.*sitkNearestNeighbor"),
        (LABELS, AFFINE + np.eye(4, k=3) * 5, "another grid than the image"),
        (LABELS, AFFINE * [1.02, 1, 1, 1], "another grid than the image"),
        (LABELS + 0.25, AFFINE, "are no whole numbers"),
        ((1000 * VALUES).astype(np.int16), AFFINE, "look like an image and not like labels"),
    ],
)
def test_what_is_no_truth_of_an_image(
    values: np.ndarray, affine: np.ndarray, words: str, volume: pdcr.OpenedImage, tmp_path: Path
) -> None:
    path = write(tmp_path / "labels.nii", values, affine)
    with pytest.raises(ValueError, match=words):
        pdcr.open_truth(path, volume, 1)


def test_a_picture_and_a_volume_of_labels_do_not_meet(tmp_path: Path) -> None:
    path = write(tmp_path / "labels.nii", LABELS)
    with pytest.raises(ValueError, match=r"truth is a volume.*give the truth's slice"):
        pdcr.open_truth(path, pdcr.open_image(VALUES[0]), 1)


def test_a_map_goes_back_to_the_place_of_its_slice(
    volume: pdcr.OpenedImage, tmp_path: Path
) -> None:
    one = volume.slice(4)
    found = pdcr.ate_map(lambda x: x, one, (4, 4, 4, 4), patch_size=4, outcome="soft_dice")
    found.save(tmp_path / "map.npz")
    loaded = pdcr.load(tmp_path / "map.npz")
    loaded.to_nifti(tmp_path / "map.nii.gz")
    pdcr.save(found, tmp_path / "saved.nii")
    pdcr.save_nifti(found, one, tmp_path / "like.nii")
    written = [nibabel.load(tmp_path / n) for n in ("map.nii.gz", "saved.nii", "like.nii")]
    for image in written:
        np.testing.assert_allclose(image.affine, written[2].affine)
        np.testing.assert_array_equal(image.get_fdata(), written[2].get_fdata())
        assert int(image.header["sform_code"]) > 0
    index = written[0].affine @ [3, 2, 0, 1]
    np.testing.assert_allclose(index, one.affine @ [0, 2, 3, 1])
    back = pdcr.open_image(tmp_path / "map.nii.gz")
    assert back.spatial == one.spatial
    plain = pdcr.ate_map(lambda x: x, one.array, (4, 4, 4, 4), patch_size=4, outcome="soft_dice")
    with pytest.raises(ValueError, match="where the image lies is not known"):
        plain.to_nifti(tmp_path / "plain.nii")
    with pytest.raises(ValueError, match="values must be one of"):
        found.to_nifti(tmp_path / "map.nii", values="draws")


def test_a_session_keeps_the_place_of_its_image(volume: pdcr.OpenedImage, tmp_path: Path) -> None:
    one = volume.slice(4)
    options: dict[str, Any] = {"patch_size": 4, "with_layers": False, "outcome": "soft_dice"}
    session = pdcr.Session(lambda x: x, one, region=(4, 4, 4, 4), threaded=False, **options)
    session.run()
    assert session.ate.recipe["grid"]["affine"] == one.affine.tolist()
    session.show(session.segmenter, VALUES[0], region=(4, 4, 4, 4))
    assert session.ate.recipe["grid"] is None
    session.close()


def test_a_bank_from_the_other_slices_of_a_volume(volume: pdcr.OpenedImage) -> None:
    planes = np.zeros((1, 16, 20, 12), np.float32) + np.arange(16)[None, :, None, None]
    bank = pdcr.PatchBank.from_slices(planes, 8, gap=2, patch_size=4, per_image=3)
    kept = set(bank.patches.unique().tolist())
    assert kept == set(range(16)) - {6, 7, 8, 9, 10}
    stepped = pdcr.open_image(planes[0], channels="none")
    same = pdcr.open_bank(stepped, stepped.slice(8), 4, gap=2, per_image=3, tolerance=None)
    assert set(same.patches.unique().tolist()) == kept
    assert len(pdcr.open_bank(stepped, stepped.slice(8), 4, gap=2, per_image=3)) == len(kept)
    for wrong, words in [
        ((40,), "no slice 40"),
        ((3, 5), "axis 0, 1 or 2"),
        ((3, 0, 99), "no slic"),
    ]:
        with pytest.raises(ValueError, match=words):
            pdcr.PatchBank.from_slices(volume, *wrong)


def test_a_bank_from_a_folder_and_from_another_case(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(3):
        pixels = RNG.integers(0, 256, (20, 30, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    (folder / "notes.txt").write_text("not a picture")
    like = pdcr.open_image(folder / "0.png")
    bank = pdcr.open_bank(folder, like, 8, per_image=5)
    assert bank.patches.shape == (15, 3, 8, 8)
    assert bank.patches.max() > 200
    grey = pdcr.open_image(VALUES[0])
    with pytest.raises(ValueError, match="have 3 channels, the image that it is for has 1"):
        pdcr.open_bank(folder, grey, 8)
    with pytest.warns(UserWarning, match="in the same units"):
        pdcr.open_bank(like.array / 255, like, 8, channels="first")
    write_series(tmp_path / "series", [0.0, 3.0, 6.0])
    other = pdcr.open_bank(tmp_path / "series", None, 4, per_image=2)
    assert other.patches.unique().tolist() == [-800.0, -794.0, -788.0]
    small = tmp_path / "small"
    small.mkdir()
    for number in range(2):
        np.save(small / f"{number}.npy", np.full((4, 4), number, np.float32))
    assert len(pdcr.open_bank(small, None, 4)) == 2
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(small / "larger.png")
    with pytest.raises(ValueError, match="2 images are single patches of 4 pixels and 1 are not"):
        pdcr.open_bank(small, None, 4)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="holds no images"):
        pdcr.open_bank(tmp_path / "empty")


def test_a_bank_is_kept_with_its_map(tmp_path: Path) -> None:
    image = VALUES[0][None]
    bank = pdcr.PatchBank.from_images([VALUES[1:3]], 4, per_image=6).matched(3)
    single = pdcr.PatchBank(bank.patches[:, :1], bank.positions, 3)
    options = {"patch_size": 4, "outcome": "soft_dice", "samples": 4}
    found = pdcr.ate_map(lambda x: x, image, (4, 4, 4, 4), baseline=single, **options)
    pdcr.save(found, tmp_path / "case.npz", bank=single)
    kept = pdcr.PatchBank.load(tmp_path / "case.npz")
    assert kept.digest() == single.digest() == found.recipe["bank"]
    assert kept.nearest == 3
    loaded = pdcr.load(tmp_path / "case.npz")
    again = pdcr.recompute(loaded, lambda x: x, image, baseline=kept)
    np.testing.assert_array_equal(again.effect, found.effect)
    with pytest.raises(ValueError, match="not made with this bank"):
        found.save(tmp_path / "other.npz", bank=bank)
    single.save(tmp_path / "bank.npz")
    assert pdcr.PatchBank.load(tmp_path / "bank.npz").digest() == single.digest()
    found.save(tmp_path / "plain.npz")
    with pytest.raises(ValueError, match="holds no patch bank"):
        pdcr.PatchBank.load(tmp_path / "plain.npz")
