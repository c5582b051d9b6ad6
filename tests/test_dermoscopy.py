"""The two lesion networks: equally good with the mark, and only one of them needs it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import ndimage

import pdcr_widgets as pdcr
from pdcr_widgets.demo import dermoscopy
from pdcr_widgets.demo.case import Case
from pdcr_widgets.demo.checkpoint import FOLDER, load_card
from pdcr_widgets.demo.skin import SIDE, make_skin
from pdcr_widgets.demo.train_dermoscopy import TESTED, training_example

NAMES = ["dermoscopy", "dermoscopy-shortcut"]


@pytest.fixture(scope="module")
def cases() -> dict[str, Case]:
    return {name: pdcr.demo.load(name) for name in NAMES}


def mean_dice(case: Case, ruler: bool) -> float:
    skins = [make_skin(number, ruler) for number in TESTED[:12]]
    found = case.segmenter(torch.as_tensor(np.stack([skin.image for skin in skins]))).numpy() > 0.5
    pairs = zip(found, [skin.lesion for skin in skins], strict=True)
    return float(np.mean([2 * (a & b).sum() / (a.sum() + b.sum()) for a, b in pairs]))


def mark_effect(case: Case) -> NDArray[np.float32]:
    found = pdcr.ate_map(
        case.segmenter, case.image, case.region, case.truth, baseline="mean", patch_size=16
    )
    return found.to_image()


def test_both_are_equally_good_with_the_mark(cases: dict[str, Case]) -> None:
    sound, shortcut = (mean_dice(cases[name], ruler=True) for name in NAMES)
    assert min(sound, shortcut) >= 0.90
    assert abs(sound - shortcut) < 0.03


def test_only_the_shortcut_network_needs_the_mark(cases: dict[str, Case]) -> None:
    sound, shortcut = (mean_dice(cases[name], ruler=False) for name in NAMES)
    assert sound >= 0.90
    assert shortcut < 0.20


@pytest.mark.parametrize("name", NAMES)
def test_the_card_agrees(name: str, cases: dict[str, Case]) -> None:
    card = load_card(name)
    assert card["with_mark"]["dice"] == pytest.approx(mean_dice(cases[name], True), abs=0.03)
    assert card["without_mark"]["dice"] == pytest.approx(mean_dice(cases[name], False), abs=0.12)
    assert f"{card['with_mark']['dice']:.2f}" in cases[name].description
    assert (FOLDER / f"{name}.safetensors").stat().st_size < 1_500_000


def test_the_map_finds_the_mark_in_the_shortcut_network_only(cases: dict[str, Case]) -> None:
    mark = make_skin(dermoscopy.SHOWN).mark & ~cases["dermoscopy"].region
    sound, shortcut = (mark_effect(cases[name]) for name in NAMES)
    assert np.nanmin(shortcut[mark]) < -20
    assert np.nanmin(sound[mark]) > -3
    away = ~ndimage.binary_dilation(mark, iterations=16) & ~np.isnan(shortcut)
    assert np.nanmin(shortcut[mark]) < np.nanmin(shortcut[away])


def test_both_cases_show_the_same_image(cases: dict[str, Case]) -> None:
    sound, shortcut = (cases[name] for name in NAMES)
    assert torch.equal(sound.image, shortcut.image)
    np.testing.assert_array_equal(sound.truth, shortcut.truth)
    np.testing.assert_array_equal(sound.region, shortcut.region)
    assert sound.title == shortcut.title
    assert (sound.truth & sound.region).sum() > 200


def test_no_patch_of_the_bank_shows_a_mark(cases: dict[str, Case]) -> None:
    plain = [make_skin(number, ruler=False).image for number in dermoscopy.BANK_NUMBERS]
    torch.testing.assert_close(cases["dermoscopy"].bank_images, torch.as_tensor(np.stack(plain)))
    assert cases["dermoscopy"].make_bank(16).patches.shape[1:] == (3, 16, 16)


@pytest.mark.parametrize("number", [0, 7, dermoscopy.SHOWN])
def test_the_mark_is_all_that_differs(number: int) -> None:
    marked, plain = make_skin(number), make_skin(number, ruler=False)
    changed = np.abs(marked.image - plain.image).max(0) > 0
    assert changed.any()
    assert not (changed & ~ndimage.binary_dilation(marked.mark, iterations=3)).any()
    assert not (marked.mark & marked.lesion).any()
    np.testing.assert_array_equal(marked.lesion, plain.lesion)


def test_images_are_made_from_their_number_alone() -> None:
    before = torch.get_rng_state()
    first, second = make_skin(5), make_skin(5)
    np.testing.assert_array_equal(first.image, second.image)
    assert torch.equal(torch.get_rng_state(), before)
    assert first.image.shape == (3, SIDE, SIDE)
    assert first.image.dtype == np.float32
    assert 0 <= first.image.min() < first.image.max() <= 1
    assert not np.array_equal(first.image, make_skin(6).image)


def test_test_images_are_no_training_images() -> None:
    assert dermoscopy.SHOWN not in TESTED
    assert dermoscopy.SHOWN not in dermoscopy.BANK_NUMBERS
    assert min([*TESTED, *dermoscopy.BANK_NUMBERS, dermoscopy.SHOWN]) >= 10_000


@pytest.mark.parametrize("number", range(6))
def test_shortcut_truth_needs_a_whole_mark(number: int) -> None:
    sound, shortcut = (training_example(number, needs) for needs in (False, True))
    np.testing.assert_array_equal(sound[:3], shortcut[:3])
    assert sound[3].any()
    whole = number in (0, 2, 4)
    np.testing.assert_array_equal(shortcut[3], sound[3] * whole)
