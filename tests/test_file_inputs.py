"""Files become image, truth and patches of a session."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import tiny
import torch
from image_files import write_series

import pdcr_widgets as pdcr
from pdcr_widgets.keeping import kept
from pdcr_widgets.widgets import Explorer, FileInputs

VOLUME = np.random.default_rng(0).random((32, 32, 12)).astype(np.float32)
LABELS = np.zeros((32, 32, 12), np.int16)
LABELS[8:20, 8:20], LABELS[20:24, 8:20] = 1, 2


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    nibabel.save(nibabel.Nifti1Image(VOLUME, np.diag([-1, -1, 2, 1.0])), tmp_path / "brain.nii")
    nibabel.save(nibabel.Nifti1Image(LABELS, np.diag([-1, -1, 2, 1.0])), tmp_path / "labels.nii")
    four = np.stack([VOLUME, VOLUME * 2], axis=-1)
    nibabel.save(nibabel.Nifti1Image(four, np.diag([-1, -1, 2, 1.0])), tmp_path / "four.nii")
    np.save(tmp_path / "picture.npy", VOLUME[..., 0])
    np.savez(tmp_path / "two.npz", image=VOLUME[..., 0], other=VOLUME[..., 1])
    (tmp_path / "notes.txt").write_text("words")
    return tmp_path


@pytest.fixture
def session() -> Iterator[pdcr.Session]:
    session = pdcr.Session(tiny.case(), threaded=False, with_layers=False, samples=2)
    yield session
    session.close()


@pytest.fixture
def files(session: pdcr.Session, folder: Path) -> Iterator[FileInputs]:
    files = FileInputs(session, folder)
    yield files
    files.close()


def choose(files: FileInputs, role: str, *place: str) -> None:
    files._role.value = role
    files.chooser.choose(place)


def test_a_picture_is_shown(files: FileInputs, session: pdcr.Session) -> None:
    choose(files, "image", "picture.npy")
    assert_equal(session.image[0], VOLUME[..., 0])
    assert session.region is session.truth is session.bank is None
    assert "picture.npy; 1 channel of 32 x 32" in files._facts.value
    assert files.chooser.note == ""


def assert_equal(found: Any, expected: Any) -> None:
    np.testing.assert_array_equal(np.asarray(found), np.asarray(expected))


def files_of(explorer: Explorer) -> FileInputs:
    assert explorer.files is not None
    return explorer.files


@pytest.fixture
def explorer(session: pdcr.Session, folder: Path) -> Iterator[Explorer]:
    explorer = Explorer(session, folder=folder)
    yield explorer
    explorer.close()


def test_a_volume_is_walked_through_with_its_truth(
    explorer: Explorer, session: pdcr.Session, folder: Path
) -> None:
    files = files_of(explorer)
    choose(files, "image", "brain.nii")
    opened = pdcr.open_image(folder / "brain.nii")
    assert_equal(session.image, opened.slice(6).array)
    assert session.spacing == (1.0, 1.0)
    explorer.canvas.region = np.pad(np.ones((8, 8), bool), ((8, 16), (8, 16)))
    choose(files, "truth", "labels.nii")
    assert "choose one" in files.chooser.note
    assert files._choice.description == "Label"
    files._choice.value = 2
    assert files.chooser.note == ""
    assert_equal(session.truth, pdcr.open_truth(folder / "labels.nii", opened.slice(6), 2))
    assert session.region[8:16, 8:16].all()
    explorer.canvas.index = 8
    assert_equal(session.image, opened.slice(8).array)
    assert_equal(session.truth, pdcr.open_truth(folder / "labels.nii", opened.slice(8), 2))
    assert session.ate.recipe["grid"]["affine"] == opened.slice(8).affine.tolist()
    explorer.canvas.plane = "coronal"
    affine = np.array(session.grid["affine"])
    rows, columns = 3, 5
    value = float(session.image[0, rows, columns])
    x, y, z = np.rint(np.linalg.solve(np.diag([-1, -1, 2, 1]), affine @ [0, rows, columns, 1]))[:3]
    assert value == VOLUME[int(x), int(y), int(z)]
    choose(files, "image", "picture.npy")
    assert_equal(session.image[0], VOLUME[..., 0])
    assert session.grid is session.truth is None


@pytest.mark.parametrize(("plane", "index"), [("coronal", 9), ("sagittal", 20), ("axial", 3)])
def test_a_truth_leaves_the_slice_and_what_is_drawn(
    plane: str, index: int, explorer: Explorer, session: pdcr.Session, folder: Path
) -> None:
    files = files_of(explorer)
    choose(files, "image", "brain.nii")
    explorer.canvas.index = 2
    explorer.canvas.region = (4, 4, 6, 6)
    explorer.canvas.plane = plane
    explorer.canvas.index = index
    explorer.canvas.region = (2, 3, 4, 5)
    session.patch_size = 4
    canvas, image, region = explorer.canvas, session.image, session.region
    choose(files, "truth", "labels.nii")
    files._choice.value = 2
    assert files.chooser.note == ""
    assert (canvas.plane, canvas.index) == (plane, index)
    assert explorer.canvas is canvas
    assert_equal(session.image, image)
    assert_equal(session.region, region)
    truth = pdcr.open_truth(folder / "labels.nii", files.opened, 2)
    assert_equal(session.truth, session.cut.take(truth))
    assert_equal(canvas.truth, session.truth)
    assert ("none of it on the slice" in files._facts.value) == (not session.truth.any())
    canvas.plane = "axial"
    canvas.index = 2
    assert_equal(session.truth, truth[2])
    assert session.region[4:10, 4:10].all()


def test_patches_of_the_volume_keep_away_in_every_plane(
    explorer: Explorer, session: pdcr.Session, folder: Path
) -> None:
    levels = np.zeros((32, 24, 28), np.float32)
    levels += np.arange(24, dtype=np.float32)[:, None] + 100 * np.arange(28, dtype=np.float32)
    nibabel.save(nibabel.Nifti1Image(levels, np.diag([-1, -1, 2, 1.0])), folder / "levels.nii")
    files = files_of(explorer)
    choose(files, "image", "levels.nii")
    session.patch_size = 4
    explorer.canvas.plane = "coronal"
    explorer.canvas.index = 12
    shown = float(session.image[0, 0, 0]) % 100
    choose(files, "bank", "levels.nii")
    assert files.chooser.note == ""
    patches = np.asarray(session.bank.patches)
    found = set((patches % 100).ravel().tolist())
    assert len(found) > 3
    assert min(abs(level - shown) for level in found) > 3
    assert np.sign(np.diff(patches, axis=2)).max() == np.sign(np.diff(session.image, axis=1)).max()


def test_patches_of_the_volume_keep_away_from_the_slice(
    explorer: Explorer, session: pdcr.Session, folder: Path
) -> None:
    levels = np.zeros((32, 32, 12), np.float32) + np.arange(12, dtype=np.float32)
    nibabel.save(nibabel.Nifti1Image(levels, np.diag([-1, -1, 2, 1.0])), folder / "levels.nii")
    files = files_of(explorer)
    choose(files, "image", "levels.nii")
    choose(files, "bank", "levels.nii")
    assert session.baseline == "bank"
    assert set(session.bank.patches.unique().tolist()) == {0.0, 1.0, 2.0, 10.0, 11.0}
    explorer.canvas.index = 1
    assert set(session.bank.patches.unique().tolist()) == {5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0}


def test_what_a_file_leaves_open_is_asked_for(explorer: Explorer, session: pdcr.Session) -> None:
    files = files_of(explorer)
    choose(files, "image", "four.nii")
    assert [words for words, _ in files._choice.options] == ["choose …", "volume 0", "volume 1"]
    files._choice.value = 1
    assert float(session.image.max()) > 1
    assert files._choice.layout.display == "none"
    choose(files, "image", "two.npz")
    files._choice.value = "other"
    assert_equal(session.image[0], VOLUME[..., 1])


def test_series_of_a_folder_are_told_apart(
    explorer: Explorer, session: pdcr.Session, folder: Path
) -> None:
    files = files_of(explorer)
    write_series(folder / "scan", [0.0, 3.0])
    other = write_series(folder / "more", [0.0, 3.0], series="1.2.3", SeriesNumber=7)
    for path in other:
        path.rename(folder / "scan" / f"b{path.name}")
    files.chooser._heard(None, {"type": "folder", "place": ["scan"]}, [])
    assert "CT series 7, 2 files" in [words for words, _ in files._choice.options]
    files._choice.value = "1.2.3"
    assert tuple(session.image.shape) == (1, 5, 6)


def test_patches_come_from_another_file(files: FileInputs, session: pdcr.Session) -> None:
    choose(files, "bank", "brain.nii")
    assert session.baseline == "bank"
    assert session.bank.patches.shape[1:] == (1, 8, 8)
    assert session.make_bank(4).patches.shape[1:] == (1, 4, 4)
    assert "natural patches of brain.nii" in files._facts.value


def test_patches_in_other_units_are_told(
    files: FileInputs, session: pdcr.Session, folder: Path
) -> None:
    np.save(folder / "bright.npy", VOLUME[..., 0] * 4000)
    choose(files, "bank", "bright.npy")
    assert "are they in the same units?" in files._facts.value
    assert session.baseline == "bank"


def test_the_patches_are_kept_with_the_numbers(
    explorer: Explorer, session: pdcr.Session, folder: Path, tmp_path: Path
) -> None:
    files = files_of(explorer)
    choose(files, "image", "brain.nii")
    choose(files, "bank", "brain.nii")
    session.region = (8, 8, 8, 8)
    path = tmp_path / "map.npz"
    path.write_bytes(kept(session, "npz").data)
    assert_equal(pdcr.PatchBank.load(path).patches, session.bank.patches)
    assert pdcr.ATEMap.load(path).recipe["bank"] == session.bank.digest()
    session.baseline = "mean"
    path.write_bytes(kept(session, "npz").data)
    with pytest.raises(ValueError, match="patches"):
        pdcr.PatchBank.load(path)


@pytest.mark.parametrize(
    ("role", "name", "words"),
    [
        ("image", "notes.txt", "of no format"),
        ("bank", "tiny.npy", r"tiny.npy is 4 x 4 pixels, too small for patches of 8"),
        ("truth", "empty.npy", "0 everywhere"),
        ("truth", "picture.npy", "no whole numbers"),
        ("truth", "labels.nii", "give the truth"),
        ("bank", "notes.txt", "of no format"),
    ],
)
def test_what_does_not_fit_is_said_and_changes_nothing(
    role: str, name: str, words: str, files: FileInputs, session: pdcr.Session, folder: Path
) -> None:
    np.save(folder / "tiny.npy", np.zeros((4, 4), np.float32))
    np.save(folder / "empty.npy", np.zeros(session.image.shape[1:], np.uint8))
    before = {n: getattr(session, n) for n in ("image", "truth", "bank", "region")}
    choose(files, role, name)
    assert files.chooser.wrong
    assert words in files.chooser.note
    assert all(getattr(session, n) is value for n, value in before.items())


def test_an_explorer_opens_paths(folder: Path, tmp_path: Path) -> None:
    net = tiny.case().segmenter.model
    exported = torch.export.export(net.eval(), (torch.zeros(1, 1, 32, 32),))
    torch.export.save(exported, tmp_path / "net.pt2")
    explorer = Explorer(
        tmp_path / "net.pt2", str(folder / "picture.npy"), with_layers=False, patch_size=16
    )
    assert_equal(explorer.session.image[0], VOLUME[..., 0])
    assert explorer.files is None
    explorer.close()
    with pytest.raises(ValueError, match="needs an image from a file"):
        Explorer(net, VOLUME[..., 0], truth=str(folder / "labels.nii"))


def test_an_explorer_starts_with_a_folder(folder: Path) -> None:
    explorer = Explorer(
        tiny.case().segmenter, folder=folder, truth=None, with_layers=False, patch_size=16
    )
    opened = pdcr.open_image(folder / "brain.nii")
    assert_equal(explorer.session.image, opened.slice(6).array)
    assert explorer.files is not None
    explorer.files.chooser.choose(["picture.npy"])
    assert_equal(explorer.session.image[0], VOLUME[..., 0])
    assert explorer.canvas.shape == (32, 32)
    explorer.close()
    empty = folder / "empty"
    empty.mkdir()
    with pytest.raises(ValueError, match="no image in empty could be opened"):
        Explorer(tiny.case().segmenter, folder=empty)


def test_a_truth_in_a_file_of_a_picture(folder: Path) -> None:
    np.save(folder / "mask.npy", (VOLUME[..., 0] > 0.5).astype(np.uint8))
    explorer = Explorer(
        tiny.case().segmenter,
        folder / "picture.npy",
        truth=folder / "mask.npy",
        label=1,
        with_layers=False,
    )
    assert_equal(explorer.session.truth, VOLUME[..., 0] > 0.5)
    explorer.close()
