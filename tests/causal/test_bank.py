"""Banks of natural patches: where they come from and where they may go."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from PIL import Image
from toys import picture, quick

from pdcr_widgets.causal.bank import PatchBank


def test_patches_come_in_any_form() -> None:
    values = np.random.default_rng(0).random((4, 2, 3, 3)).astype(np.float32)
    for given_ in (values, values.astype(">f4"), torch.from_numpy(values), values[::-1][::-1]):
        bank = PatchBank(given_)
        assert (len(bank), bank.channels, bank.patch_size) == (4, 2, 3)
        torch.testing.assert_close(bank.patches, torch.from_numpy(values), rtol=0, atol=0)


@quick
@given(
    channels=st.integers(1, 3),
    spatial=st.lists(st.integers(4, 9), min_size=2, max_size=3),
    size=st.integers(1, 4),
)
def test_cut_patches_are_patches_of_the_images(
    channels: int, spatial: list[int], size: int
) -> None:
    images = [picture(channels, *spatial, seed=s) for s in (0, 1)]
    bank = PatchBank.from_images(images, size, per_image=5, seed=3)
    assert bank.patches.shape == (10, channels, *[size] * len(spatial))
    for number, (patch, centre) in enumerate(zip(bank.patches, bank.positions, strict=True)):
        start = np.rint(centre * spatial - size / 2).astype(int)
        where = (slice(None), *(slice(a, a + size) for a in start))
        torch.testing.assert_close(patch, images[number // 5][where], rtol=0, atol=0)


def test_cutting_is_seeded_and_leaves_the_global_state() -> None:
    before = torch.get_rng_state().clone()
    one, same, other = (
        PatchBank.from_images([picture(1, 30, 30)], 4, per_image=8, seed=s).digest()
        for s in (1, 1, 2)
    )
    assert one == same != other
    assert torch.equal(torch.get_rng_state(), before)


def test_keep_chooses_patches() -> None:
    images = [picture(1, 12, 12)]
    bank = PatchBank.from_images(images, 4, keep=lambda patch: bool(patch.mean() > 0.5))
    assert 0 < len(bank) < 100
    assert (bank.patches.flatten(1).mean(dim=1) > 0.5).all()
    assert len(bank.positions) == len(bank)


def test_matched_draws_are_the_nearest_patches() -> None:
    rng = np.random.default_rng(0)
    positions = rng.random((20, 2))
    bank = PatchBank(picture(20, 1, 2, 2), positions).matched(3)
    match = bank.matching((10, 20), (2, 2))
    assert match.choices == 3
    starts = rng.integers(0, 8, (6, 2))
    for start in starts:
        centre = (start + 1) / [10, 20]
        nearest = np.argsort(np.linalg.norm(positions - centre, axis=1))[:3]
        chosen = match(np.repeat(start[None], 3, axis=0), np.arange(3))
        assert_array_equal(chosen, nearest)
    choice = np.array([0, 1, 2, 0, 1, 2])
    each = [int(match(s[None], c[None])[0]) for s, c in zip(starts, choice, strict=True)]
    assert_array_equal(match(starts, choice), each)


def test_more_nearest_than_patches() -> None:
    bank = PatchBank(picture(2, 1, 2, 2), [[0.1, 0.1], [0.9, 0.9]], nearest=9)
    assert bank.matching((10, 10), (2, 2)).choices == 2


def test_digest_names_patches_shape_and_positions() -> None:
    patches = picture(4, 1, 2, 2)
    same = PatchBank(patches.clone()).digest()
    assert PatchBank(patches).digest() == same
    others = [
        PatchBank(patches.reshape(2, 2, 2, 2)),
        PatchBank(patches.double()),
        PatchBank(patches + 1),
        PatchBank(patches, np.full((4, 2), 0.5)),
    ]
    assert len({same, *(bank.digest() for bank in others)}) == 5


def save(array: np.ndarray, file: Path, mode: str | None = None) -> None:
    picture_ = Image.fromarray(array)
    (picture_ if mode is None else picture_.convert(mode)).save(file)


def test_a_folder_of_patches(tmp_path: Path) -> None:
    gray = np.arange(16, dtype=np.uint8).reshape(4, 4) * 17
    save(gray, tmp_path / "a.png")
    save(gray.astype(np.uint16) * 257, tmp_path / "b.png")
    np.save(tmp_path / "c.npy", gray / 255)
    (tmp_path / "notes.txt").write_text("not a patch")
    bank = PatchBank.from_folder(tmp_path, patch_size=4)
    assert len(bank) == 3
    for patch in bank.patches:
        np.testing.assert_allclose(patch[0].numpy(), gray / 255, rtol=1e-6)


@pytest.mark.parametrize("mode", ["RGB", "P"])
def test_colours_are_channels(tmp_path: Path, mode: str) -> None:
    colour = np.zeros((4, 4, 3), dtype=np.uint8)
    colour[..., 1] = 255
    save(colour, tmp_path / "a.png", mode)
    bank = PatchBank.from_folder(tmp_path, patch_size=4)
    assert_array_equal(bank.patches[0].mean(dim=(1, 2)), [0, 1, 0])


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ((np.zeros((2, 1, 3, 3), dtype=np.uint8),), TypeError, "uint8; give floats"),
        ((picture(1, 3, 3),), ValueError, r"\(n, channels, \*patch\).*got \(1, 3, 3\)"),
        ((picture(0, 1, 3, 3),), ValueError, "n >= 1"),
        ((torch.full((1, 1, 2, 2), torch.nan),), ValueError, "NaN or infinite values; remove"),
        ((picture(2, 1, 3, 3), None, 4), ValueError, "need the patches' positions"),
        ((picture(2, 1, 3, 3), [[0, 0]]), ValueError, r"one row per patch \(2, axes\)"),
        ((picture(1, 1, 3, 3), [[0, np.nan]]), ValueError, "positions must be finite"),
        ((picture(1, 1, 3, 3), [[0, 0]], 0), ValueError, "nearest must be at least 1, got 0"),
    ],
)
def test_a_bad_bank_is_refused(
    arguments: tuple[object, ...], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        PatchBank(*arguments)  # type: ignore[arg-type]


def test_positions_of_another_number_of_axes() -> None:
    bank = PatchBank(picture(1, 1, 3, 3), [[0.5, 0.5, 0.5]], 1)
    with pytest.raises(ValueError, match="3 axes, the image has 2"):
        bank.matching((9, 9), (3, 3))


@pytest.mark.parametrize(
    ("images", "size", "text"),
    [
        ([], 4, "no images were given"),
        ([picture(1, 3, 9)], 4, r"images\[0\] is \(3, 9\), too small for patches of 4"),
        ([picture(1, 9, 9), picture(2, 9, 9)], 4, r"images\[1\] has 2 channels, the others 1"),
        ([picture(1, 9, 9)], 0, "patch_size must be at least 1"),
    ],
)
def test_bad_images_are_refused(images: list[torch.Tensor], size: int, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        PatchBank.from_images(images, size)


def test_keeping_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="refused every patch"):
        PatchBank.from_images([picture(1, 9, 9)], 4, keep=lambda patch: False)


def test_bad_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no folder at"):
        PatchBank.from_folder(tmp_path / "missing")
    with pytest.raises(ValueError, match="no images"):
        PatchBank.from_folder(tmp_path)
    save(np.zeros((4, 4), dtype=np.uint8), tmp_path / "a.png")
    with pytest.raises(ValueError, match=r"a.png is \(4, 4\), not 8 x 8"):
        PatchBank.from_folder(tmp_path)
    save(np.zeros((4, 4, 3), dtype=np.uint8), tmp_path / "b.png")
    with pytest.raises(ValueError, match=r"b\.png has 3 channels, a\.png has 1"):
        PatchBank.from_folder(tmp_path, patch_size=4)
