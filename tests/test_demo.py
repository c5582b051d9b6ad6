"""The brain case: what its card and description promise."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import ndimage

import pdcr_widgets as pdcr
from pdcr_widgets.demo import brain, template
from pdcr_widgets.demo.case import Case
from pdcr_widgets.demo.checkpoint import FOLDER, load_card, load_unet, save_unet
from pdcr_widgets.demo.template import AxialStack, axial_stack
from pdcr_widgets.demo.train_brain import BLOCKS, Crops, outside, train
from pdcr_widgets.demo.truth import lateral_ventricles
from pdcr_widgets.demo.unet import UNet


@pytest.fixture(scope="module")
def stack() -> AxialStack:
    return axial_stack()


@pytest.fixture(scope="module")
def case() -> Case:
    return pdcr.demo.load("brain")


@pytest.fixture(scope="module")
def effect(case: Case) -> NDArray[np.float32]:
    found = pdcr.ate_map(case.segmenter, case.image, case.region, case.truth, baseline=0.0)
    return found.effect


def overlap(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    return 2.0 * float((one & other).sum()) / float(one.sum() + other.sum())


def band_overlap(images: NDArray[np.float32], truth: NDArray[np.bool_]) -> float:
    levels = np.arange(0, 256, 8) / 255
    bands = [(low, high) for low in levels for high in levels if low < high]
    return max(overlap((images >= low) & (images < high), truth) for low, high in bands)


def test_held_out_dice_beats_the_best_intensity_band(case: Case, stack: AxialStack) -> None:
    held = slice(brain.HELD_OUT.start, brain.HELD_OUT.stop)
    images, truth = stack.images[held], stack.truth[held]
    found = case.segmenter(torch.as_tensor(images)[:, None]).numpy() > 0.5
    dice, card = overlap(found, truth), case.card["held_out"]
    assert dice >= 0.90
    assert dice == pytest.approx(card["dice"], abs=1e-3)
    band = band_overlap(images, truth)
    assert band == pytest.approx(card["intensity_band_dice"], abs=0.02)
    assert band < dice - 0.2


def test_every_validation_on_the_card_is_good(case: Case) -> None:
    validation = case.card["validation"]
    assert len(validation["other_blocks"]) == 3
    folds = [*validation["other_blocks"], validation["hemisphere"], case.card["held_out"]]
    assert min(fold["dice"] for fold in folds) >= 0.85
    assert all(fold["dice"] > fold["intensity_band_dice"] + 0.1 for fold in folds)


def test_readme_states_the_held_out_figures(repository: Path) -> None:
    text = " ".join((repository / "README.md").read_text(encoding="utf-8").split())
    held = load_card("brain")["held_out"]
    assert f"its Dice is {held['dice']:.2f}; the best intensity band" in text
    assert f"reaches {held['intensity_band_dice']:.2f}" in text


def test_the_shown_slice_was_held_out_and_gives_no_patches() -> None:
    assert brain.SLICE in brain.HELD_OUT
    assert min(abs(z - brain.SLICE) for z in brain.bank_slices()) > brain.BANK_GAP


def test_the_bank_comes_from_the_other_slices(case: Case, stack: AxialStack) -> None:
    assert torch.equal(case.bank_images[:, 0], torch.as_tensor(stack.images[brain.bank_slices()]))
    assert case.bank.patches.shape[1:] == (1, 8, 8)
    assert len(case.bank) >= 300
    assert case.make_bank(12).patches.shape[1:] == (1, 12, 12)
    windows = case.bank_images.unfold(2, 8, 1).unfold(3, 8, 1)
    patch = case.bank.patches[7, 0]
    assert (windows == patch).flatten(-2).all(-1).any()


def test_truth_is_two_mirror_images_of_a_plausible_size(stack: AxialStack) -> None:
    parts, count = ndimage.label(stack.truth, np.ones((3, 3, 3)))
    sizes = np.bincount(parts.ravel())[1:]
    assert count == 2
    assert sizes[0] == sizes[1]
    assert 12_000 < stack.truth.sum() < 25_000  # mm3
    levels = np.flatnonzero(stack.truth.any(axis=(1, 2)))
    np.testing.assert_array_equal(levels, np.arange(levels[0], levels[-1] + 1))


def test_truth_is_dark_and_leaves_the_third_ventricle_out(stack: AxialStack) -> None:
    assert np.quantile(stack.images[stack.truth], 0.95) < 0.48
    midline = 197 // 2 - (197 - template.COLUMNS) // 2
    assert not stack.truth[..., midline].any()
    rows, columns = np.nonzero(stack.truth[84])
    assert not (np.hypot(rows - 117, columns - midline) < 5).any()


def test_the_rule_refuses_other_heads() -> None:
    with pytest.raises(ValueError, match=r"\(197, 233, 189\) MNI152 template, got \(4, 4, 4\)"):
        lateral_ventricles(*np.zeros((3, 4, 4, 4), dtype=np.float32))


def test_the_front_of_the_head_is_up(stack: AxialStack) -> None:
    """The frontal horns are darker and nearer the midline than the atria behind them."""
    rows, columns = np.nonzero(stack.truth[brain.SLICE])
    off_midline = np.abs(columns - columns.mean())
    assert off_midline[rows < rows.mean()].max() < off_midline[rows > rows.mean()].max()


def test_right_is_on_the_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Axis 0 of the template runs to the patient's right (its affine), so it is mirrored."""
    volume = np.zeros((197, 233, 189), dtype=np.float32)
    volume[150, 40, 80] = 1
    (row,), (column,) = np.nonzero(template._as_slices(volume)[80])
    assert column < template.COLUMNS / 2
    assert row > template.ROWS / 2


def test_default_map_has_both_signs_and_reaches_far(
    case: Case, effect: NDArray[np.float32]
) -> None:
    strong = np.abs(np.nan_to_num(effect)) > 0.5
    near = ndimage.binary_dilation(np.isnan(effect), np.ones((3, 3)))
    assert np.nanmin(effect) < -1
    assert np.nanmax(effect) > 1
    assert (strong & ~near).sum() >= 5


def test_default_region_leaves_room_to_gain(case: Case) -> None:
    found = case.segmenter(case.image[None])[0].numpy() > 0.5
    dice = 100 * overlap(found & case.region, case.truth & case.region)
    assert 60 <= dice <= 95


def test_case_says_what_it_is(case: Case) -> None:
    assert case.name == "brain"
    for word in ("average", "not a patient", "derived", "not drawn by an expert"):
        assert word in case.description.replace("\n", " ")
    assert f"{case.card['held_out']['dice']:.2f}" in case.description
    assert case.image.shape == (1, *case.truth.shape) == (1, *case.region.shape)
    assert case.image.dtype == torch.float32
    assert 0 <= case.image.min() < case.image.max() <= 1
    assert case.spacing == (1.0, 1.0)


def test_loading_leaves_the_global_random_state_alone() -> None:
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    first, second = pdcr.demo.load("brain"), pdcr.demo.load("brain")
    assert torch.equal(torch.get_rng_state(), before[0])
    np.testing.assert_array_equal(np.random.get_state()[1], before[1])  # noqa: NPY002
    assert torch.equal(first.bank.patches, second.bank.patches)
    assert first.image is not second.image


def test_loading_does_not_need_training_or_widget_packages() -> None:
    code = (
        "import sys, pdcr_widgets.demo as demo; demo.load('brain'); "
        "bad = {'traitlets', 'ipywidgets', 'anywidget', 'matplotlib', 'sklearn'}; "
        "sys.exit(str(bad & set(sys.modules)) if bad & set(sys.modules) else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("package", ["nilearn", "nibabel", "safetensors.torch"])
def test_a_missing_package_names_the_extra(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ModuleNotFoundError, match=r'pip install "pdcr-widgets\[demo\]"'):
        pdcr.demo.load("brain")


def test_unknown_names_are_refused_with_the_known_ones() -> None:
    assert "brain" in pdcr.demo.names()
    with pytest.raises(ValueError, match=r"no demo case 'heart'; choose one of \['brain'"):
        pdcr.demo.load("heart")


def test_training_again_gives_the_same_weights(stack: AxialStack) -> None:
    before = torch.get_rng_state()
    first, second = (train(Crops(stack, [80, 120]), steps=2).state_dict() for _ in range(2))
    for key, value in first.items():
        torch.testing.assert_close(value, second[key], rtol=0, atol=1e-6)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_held_out_block_and_its_margin_are_not_learnt_from() -> None:
    learnt = outside(brain.HELD_OUT)
    assert min(abs(z - held) for z in learnt for held in brain.HELD_OUT) > 3
    assert brain.HELD_OUT in BLOCKS


def test_learning_from_the_left_hemisphere_alone(stack: AxialStack) -> None:
    """Left of the head is the right half of the picture."""
    weight = Crops(stack, [80], left_only=True).layers[80, 2]
    assert weight[:, 96:].min() == 1
    assert weight[:, :96].max() == 0


def test_weights_are_small_and_described() -> None:
    assert (FOLDER / "brain.safetensors").stat().st_size < 3_000_000
    parameters = sum(weight.numel() for weight in load_unet("brain").parameters())
    assert parameters == load_card("brain")["parameters"]


def test_weights_survive_being_saved(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = {"in_channels": 2, "out_channels": 3, "base": 4, "levels": 2, "norm": "instance"}
    model = UNet(**network).eval()
    save_unet(model, {"network": network}, "tiny", tmp_path)
    monkeypatch.setattr("pdcr_widgets.demo.checkpoint.FOLDER", tmp_path)
    images = torch.rand(2, 2, 6, 10, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(load_unet("tiny")(images), model(images), rtol=0, atol=0)


@pytest.mark.parametrize("norm", ["batch", "instance", "none"])
@pytest.mark.parametrize("levels", [1, 2, 4])
def test_unet_keeps_the_size(norm: str, levels: int) -> None:
    model = UNet(3, 2, base=4, levels=levels, norm=norm).eval()
    assert model(torch.zeros(2, 3, 16, 24)).shape == (2, 2, 16, 24)


def test_unet_says_what_sizes_it_takes() -> None:
    with pytest.raises(ValueError, match="must divide by 8, got 20 x 24"):
        UNet(levels=4)(torch.zeros(1, 1, 20, 24))
    with pytest.raises(ValueError, match=r"\['batch', 'instance', 'none'\], got 'layer'"):
        UNet(norm="layer")
    with pytest.raises(ValueError, match="at least 1, got 8 and 0"):
        UNet(base=8, levels=0)
