"""`pdcr.segmenter` takes a model from anywhere, with what it needs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from monai.networks.nets import UNet
from torch import Tensor, nn
from torch.testing import assert_close

import pdcr_widgets as pdcr
from pdcr_widgets.models.tiled import gaussian, starts

REGION = (8, 8, 8, 8)


def image(*shape: int) -> Tensor:
    """Give random pixels, always the same."""
    return torch.rand(shape, generator=torch.Generator().manual_seed(3))


def network(channels: int = 1, classes: int = 2, padding: int = 1) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layers = [nn.Conv2d(channels, 4, 3, padding=padding), nn.ReLU(), nn.Conv2d(4, classes, 1)]
        return nn.Sequential(*layers).eval()


def test_a_path_is_a_model(tmp_path: Path) -> None:
    trained = network()
    torch.save(trained.state_dict(), tmp_path / "weights.pth")
    torch.export.save(torch.export.export(trained, (image(1, 1, 16, 16),)), tmp_path / "whole.pt2")
    picture = image(1, 16, 16)
    expected = trained(picture[None]).softmax(1)[:, 1].detach()
    for found in (
        pdcr.segmenter(tmp_path / "weights.pth", network=network()),
        pdcr.segmenter(str(tmp_path / "whole.pt2")),
        pdcr.segmenter(trained),
    ):
        assert_close(found.resolve(picture)(picture[None]), expected)


def test_preprocessing_is_declared_in_the_call() -> None:
    trained, picture = network(), 255 * image(1, 13, 18)
    found = pdcr.segmenter(trained, 0, "sigmoid", 0.3, scale=1 / 255, multiple=8)
    same = pdcr.Prepared(trained, scale=1 / 255, multiple=8)
    assert (found.target, found.activation, found.threshold) == (0, "sigmoid", 0.3)
    assert_close(found.model(picture[None]), same(picture[None]))
    with pytest.raises(TypeError, match="unexpected keyword argument 'sise'"):
        pdcr.segmenter(trained, sise=(8, 8))


def test_what_is_a_segmenter_already_takes_no_options() -> None:
    held = pdcr.segmenter(network())
    assert pdcr.segmenter(held) is held
    with pytest.raises(ValueError, match="a Segmenter already"):
        pdcr.segmenter(held, target=1)
    with pytest.raises(ValueError, match=r"\['trust'\] are for the path of a model"):
        pdcr.segmenter(network(), trust=True)
    with pytest.raises(ValueError, match=r"\['box'\] are prompts for promptable networks"):
        pdcr.segmenter(network(), box=REGION)
    with pytest.raises(TypeError, match="must be a module or a callable"):
        pdcr.segmenter(3)


def test_a_path_given_to_the_method_itself_says_what_to_do() -> None:
    with pytest.raises(TypeError, match=r"got str.*pdcr\.segmenter"):
        pdcr.ate_map("weights.pth", image(1, 16, 16), REGION)
    with pytest.raises(TypeError, match=r"image is a path; .*pdcr\.open_image\(path\)"):
        pdcr.ate_map(network(), "slice.png", REGION)
    with pytest.raises(TypeError, match=r"truth is a path; .*pdcr\.open_truth\(path, like=image"):
        pdcr.ate_map(network(), image(1, 16, 16), REGION, Path("labels.nii"))


def test_values_are_clipped_and_normalised_by_their_own_image() -> None:
    fed: list[Tensor] = []

    def model(images: Tensor) -> Tensor:
        fed.append(images)
        return images

    picture = 100 * image(2, 1, 9, 9)
    pdcr.segmenter(model, 0, "sigmoid", clip=(20, 80), mean="image", std="image").scores(picture)
    for one, original in zip(fed[0], picture, strict=True):
        held = original.numpy().clip(20, 80)
        np.testing.assert_allclose(one, (held - held.mean()) / held.std(), atol=1e-5)


def test_a_zoom_brings_the_image_to_the_models_spacing() -> None:
    shapes: list[torch.Size] = []

    def model(images: Tensor) -> Tensor:
        shapes.append(images.shape[2:])
        return images

    assert pdcr.Prepared(model, zoom=(0.5, 2.0))(image(1, 1, 12, 10)).shape == (1, 1, 12, 10)
    assert pdcr.Prepared(model, zoom=0.5)(image(1, 1, 12, 10)).shape == (1, 1, 12, 10)
    assert shapes == [(6, 20), (6, 5)]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"clip": (3, 3)}, "clip must be a lower and a higher value"),
        ({"border": -1}, "border and neighbours at least 0"),
        ({"neighbours": -1}, "border and neighbours at least 0"),
        ({"zoom": 2.0, "size": (8, 8)}, "not both"),
        ({"mean": "volume"}, "mean must be numbers or 'image', got 'volume'"),
        ({"scale": "image"}, "scale must be numbers"),
    ],
)
def test_options_that_cannot_be(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        pdcr.segmenter(network(), **options)


def test_unpadded_convolutions_are_aligned_not_stretched() -> None:
    unpadded = nn.Sequential(nn.Conv2d(1, 3, 5), nn.ReLU(), nn.Conv2d(3, 2, 3)).eval()
    picture = image(1, 20, 24)
    with pytest.raises(ValueError, match=r"\(14, 18\) for an input of \(20, 24\).*border=3\)"):
        pdcr.Prepared(unpadded)(picture[None])
    with pytest.raises(ValueError, match=r"same batch and spatial shape.*pdcr\.Prepared"):
        pdcr.segmenter(unpadded).resolve(picture)
    with pytest.raises(ValueError, match="border must be at least that"):
        pdcr.Prepared(unpadded, border=2)(picture[None])
    whole = pdcr.Prepared(unpadded, border=3)(picture[None])
    assert whole.shape == (1, 2, 20, 24)
    assert_close(whole[..., 3:-3, 3:-3], unpadded(picture[None]))
    wider = pdcr.Prepared(unpadded, border=5, multiple=8)(picture[None])
    assert_close(wider[..., 3:-3, 3:-3], unpadded(picture[None]))


def test_an_image_too_small_to_be_mirrored_repeats_its_edge() -> None:
    picture = image(1, 1, 3, 3)
    shown: list[Tensor] = []

    def model(images: Tensor) -> Tensor:
        shown.append(images)
        return images

    assert_close(pdcr.Prepared(model, multiple=16)(picture), picture)
    assert (shown[0][..., :6, 6:9] == picture[..., :1, :]).all()


@pytest.mark.parametrize("neighbours", [0, 1, 2])
def test_slices_with_their_neighbours(neighbours: int) -> None:
    trained = network(channels=2 * neighbours + 1)
    volume = image(1, 7, 16, 16)
    segmenter = pdcr.segmenter(trained, neighbours=neighbours).resolve(volume)
    found = segmenter(volume[None])[0]
    for index in range(7):
        around = [min(max(index + step, 0), 6) for step in range(-neighbours, neighbours + 1)]
        slab = volume[0, around]
        assert_close(found[index], trained(slab[None]).softmax(1)[0, 1].detach())
        opened = pdcr.open_image(volume, channels="first").slice(index, neighbours=neighbours)
        np.testing.assert_array_equal(opened.array, slab)
    with pytest.raises(ValueError, match=r"for volumes.*volume\.slice"):
        segmenter(image(1, 1, 16, 16))


def test_patches_of_a_volume_go_through_a_model_of_three_slices() -> None:
    volume = image(1, 5, 16, 16)
    segmenter = pdcr.segmenter(network(channels=3), 1, neighbours=1)
    options = {"patch_size": 4, "outcome": "mean_probability", "engine": "full"}
    found = pdcr.ate_map(segmenter, volume, (0, 0, 0, 1, 4, 4), **options)
    assert found.spatial == (5, 16, 16)
    assert np.isnan(found.effect[0, 0, 0])
    assert np.abs(found.effect[0]).max(initial=0, where=~np.isnan(found.effect[0])) > 0
    assert (found.effect[1] == 0).all()


def test_batch_statistics_are_taken_one_image_at_a_time() -> None:
    seen: list[int] = []
    mixing = nn.Sequential(nn.BatchNorm2d(1, track_running_stats=False), network())
    mixing.register_forward_pre_hook(lambda module, given: seen.append(len(given[0])))
    found = pdcr.ate_map(mixing, image(1, 16, 16), REGION, patch_size=4, outcome="soft_dice")
    assert "one image at a time" in found.reason
    assert set(seen) == {1}
    seen.clear()
    windows = pdcr.Prepared(mixing, window=(8, 8))
    pdcr.ate_map(windows, image(1, 16, 16), REGION, patch_size=8, outcome="soft_dice")
    assert set(seen) == {1}


def test_labels_that_overlap_are_read_by_a_sigmoid() -> None:
    trained, picture = network(classes=3), image(1, 16, 16)
    scores = trained(picture[None]).detach()
    labels = pdcr.segmenter(trained, 2, "sigmoid").resolve(picture)
    classes = pdcr.segmenter(trained, 2).resolve(picture)
    assert_close(labels(picture[None]), scores[:, 2].sigmoid())
    assert_close(classes(picture[None]), scores.softmax(1)[:, 2])


def test_a_network_of_volumes_is_explained_in_cubes() -> None:
    volume = image(1, 8, 16, 16)
    trained = UNet(3, 1, 2, channels=(4, 8), strides=(2,)).eval()
    segmenter = pdcr.segmenter(trained, window=(8, 8, 8), neighbours=None)
    options = {"patch_size": 8, "outcome": "mean_probability"}
    found = pdcr.ate_map(segmenter, volume, (0, 0, 0, 8, 8, 8), **options)
    assert found.effect.shape == (1, 2, 2)
    assert np.isfinite(found.effect).sum() == 3


@pytest.mark.parametrize(
    ("side", "window", "expected"),
    [(16, 16, [0]), (26, 16, [0, 5, 10]), (17, 16, [0, 1]), (40, 16, [0, 8, 16, 24])],
)
def test_windows_reach_both_ends(side: int, window: int, expected: list[int]) -> None:
    assert starts(side, window) == expected


def test_weights_of_windows_are_highest_in_the_middle_and_nowhere_nothing() -> None:
    weights = gaussian((8, 16))
    assert weights[4, 8] == weights.max() == 1
    assert weights.min() > 0
    assert_close(weights[4, 8 + 2], torch.tensor(np.exp(-0.5)).float())
