"""Trained folders of nnU-Net, written by its own trainer, against its own predictor."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.testing import assert_close
from trained_nnunet import LABELS, REGIONS, plans_of, write_trained

import pdcr_widgets as pdcr
from pdcr_widgets.models import load_model
from pdcr_widgets.models.nnunet_plans import Plans

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning"),
    pytest.mark.usefixtures("torchvision"),
]
Train = Callable[..., Path]


@pytest.fixture
def train(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Train:
    for name in ("raw", "preprocessed", "results"):
        monkeypatch.setenv(f"nnUNet_{name}", str(tmp_path / name))
    return partial(write_trained, tmp_path)


def predicted(
    folder: Path,
    image: np.ndarray,
    spacing: list[float],
    mirror: bool = True,
    earlier: np.ndarray | None = None,
) -> tuple[np.ndarray, torch.Tensor]:
    """Labels and probabilities of nnU-Net's own predictor."""
    from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor

    predictor = nnUNetPredictor(use_mirroring=mirror, device=torch.device("cpu"), verbose=False)
    predictor.initialize_from_trained_model_folder(str(folder), None)
    labels, probabilities = predictor.predict_single_npy_array(
        image, {"spacing": spacing}, earlier, None, True
    )
    return labels, torch.from_numpy(np.asarray(probabilities, dtype=np.float32))


def differ(found: torch.Tensor, expected: torch.Tensor) -> torch.Tensor:
    """Where probabilities differ by more than nnU-Net's half precision explains."""
    return (found - expected).abs() > 4e-3


def picture(*shape: int) -> np.ndarray:
    return (100 * np.random.default_rng(0).random(shape)).astype(np.float32) + 1


@pytest.mark.parametrize(
    ("configuration", "scheme", "masked", "labels", "folds", "mirror"),
    [
        ("2d", "CTNormalization", False, LABELS, 2, True),
        ("2d", "ZScoreNormalization", False, REGIONS, 1, False),
        ("3d_fullres", "ZScoreNormalization", True, LABELS, 1, False),
        ("3d_fullres", "RescaleTo01Normalization", False, LABELS, 1, True),
    ],
)
def test_predictions_are_those_of_nnunet_but_for_its_half_precision_in_corners(
    train: Train,
    configuration: str,
    scheme: str,
    masked: bool,
    labels: dict[str, Any],
    folds: int,
    mirror: bool,
) -> None:
    folder = train(configuration, scheme, masked, labels, folds)
    flat = configuration == "2d"
    image = picture(1, 1, 21, 26) if flat else picture(1, 9, 21, 26)
    _, expected = predicted(folder, image, [1.0, 1.0, 1.0], mirror)
    given = torch.from_numpy(image[:, 0] if flat else image)
    for target in range(len(labels) - (labels is REGIONS)):
        segmenter = pdcr.segmenter(folder, target, mirror=mirror).resolve(given)
        assert segmenter.activation == ("sigmoid" if labels is REGIONS else "softmax")
        found = segmenter(given[None])[0]
        other = differ(found, expected[target, 0] if flat else expected[target])
        assert other.float().mean() < 0.03
        assert not other[tuple(slice(3, -3) for _ in other.shape)].any()


def test_mirroring_is_what_is_deployed_and_can_be_left_out(train: Train) -> None:
    folder = train()
    image = torch.from_numpy(picture(1, 16, 16))[None]
    with_flips, without = load_model(folder), load_model(folder, mirror=False)
    by_hand = [without(image.flip(axes)).flip(axes) for axes in ([], [2], [3], [2, 3])]
    assert_close(with_flips(image), torch.stack(by_hand).mean(0))
    assert not torch.allclose(with_flips(image), without(image), atol=1e-2)
    assert "mean over 4 flips of the image" in with_flips.declared_notes
    assert "not mirrored" in without.declared_notes


def surrounded(channels: int = 1) -> np.ndarray:
    """A volume whose outer voxels are empty, with a hole in it, and one channel emptier still."""
    image = picture(channels, 12, 26, 30)
    empty = np.ones(image.shape[1:], bool)
    empty[2:-1, 3:-4, 5:-3] = False
    empty[2, 3:8, 5:12] = empty[5:7, 10:13, 12:15] = True
    image[:, empty] = 0
    image[-1, 4:6, 8:12] = 0
    return image


@pytest.mark.parametrize(
    ("labels", "channels"), [(LABELS, 1), (LABELS, 2), (REGIONS, 1)], ids=["one", "two", "regions"]
)
def test_what_is_empty_around_the_body_is_cropped_and_is_background(
    train: Train, labels: dict[str, Any], channels: int
) -> None:
    folder = train("3d_fullres", "ZScoreNormalization", True, labels, channels=channels)
    image = surrounded(channels)
    _, expected = predicted(folder, image, [1.0, 1.0, 1.0], mirror=False)
    for like in (None, image):
        network = load_model(folder, mirror=False, like=like)
        segmenter = pdcr.segmenter(network).resolve(image)
        for target, probabilities in enumerate(expected):
            found = replace(segmenter, target=target)(torch.from_numpy(image)[None])[0]
            assert differ(found, probabilities).float().mean() < 0.03
    outside = network(torch.from_numpy(image)[None])[0, :, 0]
    if labels is REGIONS:
        assert (outside.sigmoid() == 0).all()
    else:
        assert (outside.softmax(0)[0] == 1).all()


def test_the_second_stage_of_a_cascade_sees_the_first_ones_segmentation(train: Train) -> None:
    first, second = train("3d_lowres"), train("3d_cascade_fullres")
    volume = pdcr.open_image(picture(12, 24, 20), spacing=(1.0, 1.0, 1.0), channels="none")
    written, _ = predicted(first, volume.array, [1.0] * 3, mirror=False)
    given = torch.from_numpy(volume.array)[None]
    labels = load_model(first, like=volume, mirror=False)(given).argmax(1).numpy().astype(np.int8)
    assert (labels[0] != written).mean() < 0.02
    assert np.unique(labels).tolist() == [0, 1, 2]
    _, expected = predicted(second, volume.array, [1.0] * 3, False, labels)
    _, blind = predicted(second, volume.array, [1.0] * 3, False, 0 * labels)
    found = load_model(second, like=volume, mirror=False)(given).softmax(1)[0].detach()
    other = differ(found, expected)
    assert other.float().mean() < 0.05
    assert not other[:, 3:-3, 3:-3, 3:-3].any()
    assert differ(blind, expected).float().mean() > 0.1
    first.rename(first.with_name("elsewhere"))
    with pytest.raises(ValueError, match=r"second stage of a cascade.*nnUNetPlans__3d_lowres besi"):
        load_model(second)


@pytest.mark.parametrize("labels", [LABELS, REGIONS], ids=["labels", "regions"])
def test_labels_are_those_that_nnunet_writes(labels: dict[str, Any]) -> None:
    from nnunetv2.utilities.label_handling.label_handling import LabelManager

    regions = labels is REGIONS
    written = [1, 2] if regions else None
    dataset = {"labels": labels, "regions_class_order": written, "channel_names": {"0": "CT"}}
    scores = torch.randn(len(labels) - regions, 5, 6, 7, generator=torch.Generator().manual_seed(0))
    expected = LabelManager(labels, written).convert_logits_to_segmentation(scores)
    assert expected.unique().tolist() == [0, 1, 2]
    plan = Plans(plans_of("2d", "CTNormalization", False), dataset, "2d", "folder")
    assert torch.equal(plan.labels_of(scores[None])[0], expected.long())


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        ({"organ": 2, "background": 0, "lesion": 1}, ("background", "lesion", "organ")),
        (REGIONS, ("whole", "core")),
    ],
)
def test_classes_have_the_names_of_the_dataset(
    train: Train, labels: dict[str, Any], names: tuple[str, ...]
) -> None:
    segmenter = pdcr.segmenter(train(labels=labels))
    assert segmenter.classes == names
    found = segmenter.scores(torch.from_numpy(picture(1, 16, 16))[None])
    assert found.shape[1] == len(names)


def test_a_slice_is_normalised_and_resampled_as_its_volume(train: Train) -> None:
    folder = train(scheme="ZScoreNormalization")
    volume = pdcr.open_image(picture(5, 24, 20) - 1, spacing=(3.0, 0.5, 0.5), channels="none")
    network = load_model(folder, like=volume)
    values = torch.from_numpy(volume.slice(2).array)[None]
    by_hand = (values - volume.array.mean()) / volume.array.std()
    assert_close(network.model(by_hand), network(values), atol=1e-4, rtol=1e-4)
    assert network.model.zoom == [0.5, 0.5]
    assert network(values).shape == (1, 3, 24, 20)


def test_one_fold_is_taken_alone(train: Train) -> None:
    folder = train(folds=2)
    image = torch.from_numpy(picture(1, 16, 16))[None]
    each = [load_model(folder / f"fold_{fold}")(image) for fold in (0, 1)]
    assert not torch.equal(*each)
    assert_close(load_model(folder)(image), (each[0] + each[1]) / 2)


def test_it_is_explained(train: Train) -> None:
    segmenter = pdcr.segmenter(train(), target=1)
    image = picture(1, 20, 24)
    found = pdcr.ate_map(segmenter, image, (4, 4, 8, 8), patch_size=8, outcome="mean_probability")
    assert found.spatial == (20, 24)
    assert np.isfinite(found.effect).any()


def test_what_the_folder_lacks_is_said(train: Train) -> None:
    folder = train()
    dataset = json.loads((folder / "dataset.json").read_text())
    dataset["labels"]["another"] = 3
    (folder / "dataset.json").write_text(json.dumps(dataset))
    with pytest.raises(ValueError, match=r"of another shape: .*seg_layers"):
        load_model(folder)
    dataset["labels"].pop("another")
    (folder / "dataset.json").write_text(json.dumps(dataset))
    network = load_model(folder)
    with pytest.raises(ValueError, match="trained on 1 channels, the image has 2"):
        network(torch.zeros(1, 2, 16, 16))
    (folder / "fold_0" / "checkpoint_final.pth").unlink()
    with pytest.raises(ValueError, match="it was not trained"):
        load_model(folder)


def changed(**changes: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    plans = plans_of("2d", "CTNormalization", False)
    plans["configurations"]["2d"] |= changes
    return plans, {"channel_names": {"0": "CT"}, "labels": LABELS}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"architecture": None}, "are not those of nnU-Net version 2.5"),
        ({"normalization_schemes": ["Own"]}, r"normalises by \['Own'\]"),
        ({"inherits_from": "2d"}, "are not those"),
    ],
)
def test_plans_that_are_not_understood(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Plans(*changed(**changes), "2d", "folder")


def test_classes_from_elsewhere_need_trust() -> None:
    plans, dataset = changed()
    plans["configurations"]["2d"]["architecture"]["arch_kwargs"]["nonlin"] = "os.system"
    held = Plans(plans, dataset, "2d", "folder")
    with pytest.raises(ValueError, match=r"os\.system, which is outside.*trust=True"):
        held.arguments(trust=False)
