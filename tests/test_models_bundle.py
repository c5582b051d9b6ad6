"""MONAI bundles against MONAI itself: the file is read, prepared, predicted and put back by it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser
from monai.networks.nets import UNet
from PIL import Image
from torch import Tensor, nn
from torch.testing import assert_close

import pdcr_widgets as pdcr
from pdcr_widgets.models.notes import notes_of

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning",
    "ignore::FutureWarning",
    "ignore:NvImgCodec:UserWarning",
    "ignore:inverse has been called but no invertible:UserWarning",
)
Config = dict[str, Any]
LOAD: list[Config] = [
    {"_target_": "LoadImaged", "keys": ["image"]},
    {"_target_": "EnsureChannelFirstd", "keys": ["image"]},
]
RAS: Config = {"_target_": "Orientationd", "keys": ["image"], "axcodes": "RAS"}
SPACING: Config = {
    "_target_": "Spacingd", "keys": ["image"], "pixdim": [2.0, 1.5, 1.5], "mode": "bilinear",
}  # fmt: skip
RANGE: Config = {
    "_target_": "ScaleIntensityRanged", "keys": ["image"],
    "a_min": 20, "a_max": 80, "b_min": -1.0, "b_max": 1.0, "clip": True,
}  # fmt: skip
PERCENTILES: Config = {
    "_target_": "ScaleIntensityRangePercentilesd", "keys": ["image"],
    "lower": 5, "upper": 95, "b_min": 0.0, "b_max": 1.0,
}  # fmt: skip
NORMAL: Config = {"_target_": "NormalizeIntensityd", "keys": ["image"], "nonzero": True}
CROP: Config = {
    "_target_": "CropForegroundd", "keys": ["image", "label"], "source_key": "image", "margin": 1,
    "allow_missing_keys": True,
}  # fmt: skip
PAD: Config = {"_target_": "DivisiblePadd", "keys": ["image"], "k": 4}
RESIZE: Config = {"_target_": "Resized", "keys": ["image"], "spatial_size": [24, 32]}
ENSURE: Config = {"_target_": "EnsureTyped", "keys": ["image"], "device": "@device"}
SOFTMAX: Config = {"_target_": "Activationsd", "keys": "pred", "softmax": True}
SIGMOID: Config = {"_target_": "Activationsd", "keys": "pred", "sigmoid": True}
WINDOWS: Config = {
    "_target_": "SlidingWindowInferer", "roi_size": "$[8] * @axes", "overlap": 0.25,
    "sw_batch_size": 2, "device": "@device",
}  # fmt: skip


def inverse(nearest: bool = False) -> Config:
    return {
        "_target_": "Invertd", "keys": "pred", "transform": "@preprocessing",
        "orig_keys": "image", "nearest_interp": nearest,
    }  # fmt: skip


def write(
    folder: Path, before: list[Config], after: list[Config], axes: int = 3, **more: Any
) -> Config:
    """Write a bundle with weights that were never trained."""
    arguments = {"spatial_dims": axes, "in_channels": 1, "out_channels": 3}
    arguments |= {"channels": [4, 8], "strides": [2]}
    recipe = {
        "device": "$torch.device('cpu')",
        "imports": ["$import torch"],
        "axes": axes,
        "network_def": {"_target_": "UNet", **arguments},
        "preprocessing": {"_target_": "Compose", "transforms": before},
        "postprocessing": {"_target_": "Compose", "transforms": after},
        **more,
    }
    for name in ("configs", "models"):
        (folder / name).mkdir(parents=True)
    (folder / "configs" / "inference.json").write_text(json.dumps(recipe))
    torch.manual_seed(0)
    torch.save(UNet(**arguments).state_dict(), folder / "models" / "model.pt")
    return recipe


def monai(folder: Path, recipe: Config, file: Path) -> Tensor:
    """Predict for a file as the bundle's own workflow does; ``(classes, x, y[, z])``."""
    parser = ConfigParser(recipe)
    parser.parse()
    before, after = (parser.get_parsed_content(f"{n}processing") for n in ("pre", "post"))
    network = parser.get_parsed_content("network_def").eval()
    network.load_state_dict(torch.load(folder / "models" / "model.pt", weights_only=True))
    data = before({"image": str(file)})
    given = data["image"][None]
    with torch.no_grad():
        windows = parser.get_parsed_content("inferer") if "inferer" in recipe else None
        data["pred"] = (network(given) if windows is None else windows(given, network))[0]
    return after(data)["pred"].as_tensor()


def scan(path: Path, axes: str = "RAS") -> Path:
    """Write a volume with empty edges, stored along the given axes, tilted a little."""
    values = np.random.default_rng(0).random((18, 22, 12)).astype(np.float32) * 90 + 5
    values[:2], values[:, -4:], values[..., :1] = 0, 0, 0
    tilt = nibabel.eulerangles.euler2mat(0.05, 0.02, 0.03)
    affine = np.eye(4)
    affine[:3, :3] = tilt @ np.diag([1.0, 1.2, 2.0])
    affine[:3, 3] = [-9, 5, 30]
    image = nibabel.Nifti1Image(values, affine)
    codes = nibabel.orientations.axcodes2ornt(axes)
    stored = image.as_reoriented(
        nibabel.orientations.ornt_transform(nibabel.io_orientation(affine), codes)
    )
    nibabel.save(stored, path)
    return path


def seen(pred: Tensor, file: Path, where: Path) -> np.ndarray:
    """Bring a prediction on the file's grid to where slices are seen as usual."""
    affine = nibabel.load(file).affine
    nibabel.save(nibabel.Nifti1Image(pred.numpy().astype(np.float32), affine), where)
    return pdcr.open_image(where).array[0]


PIPELINES: dict[str, tuple[list[Config], list[Config], Config]] = {
    "values": ([PERCENTILES, NORMAL], [SOFTMAX], {}),
    "one window of values": ([RANGE], [SIGMOID, inverse()], {"inferer": WINDOWS}),
    "spacing": ([RAS, SPACING, RANGE, ENSURE], [SOFTMAX, inverse()], {"inferer": WINDOWS}),
    "crop": ([SPACING, RAS, CROP, NORMAL, PAD], [inverse(), SIGMOID], {}),
    "nearest": ([RAS, PERCENTILES, SPACING, PAD], [SOFTMAX, inverse(nearest=True)], {}),
}


@pytest.mark.parametrize("axes", ["RAS", "LPS", "PIR"])
@pytest.mark.parametrize("name", PIPELINES)
def test_predictions_of_volumes_are_those_of_monai(name: str, axes: str, tmp_path: Path) -> None:
    before, after, more = PIPELINES[name]
    recipe = write(tmp_path / "bundle", [*LOAD, *before], after, **more)
    file = scan(tmp_path / "scan.nii.gz", axes)
    expected = monai(tmp_path / "bundle", recipe, file)
    image = pdcr.open_image(file)
    segmenter = pdcr.segmenter(tmp_path / "bundle", trust=True, like=image)
    for target in range(3):
        found = pdcr.segmenter(segmenter.model, target, segmenter.activation)(
            torch.from_numpy(image.array)[None]
        )[0]
        there = seen(expected[target], file, tmp_path / "pred.nii")
        assert there.std() > 0.01
        away = np.abs(found.numpy() - there)
        assert (away > 1e-3).mean() < (0.02 if name == "nearest" else 1e-9)


@pytest.mark.parametrize("before", [[RESIZE, PERCENTILES], [RANGE], [NORMAL, PAD]])
def test_predictions_of_pictures_are_those_of_monai(before: list[Config], tmp_path: Path) -> None:
    after = [SOFTMAX, inverse()]
    recipe = write(tmp_path / "bundle", [*LOAD, *before], after, 2, inferer=WINDOWS)
    pixels = np.random.default_rng(0).integers(1, 100, (30, 44), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "picture.png")
    expected = monai(tmp_path / "bundle", recipe, tmp_path / "picture.png")
    image = pdcr.open_image(tmp_path / "picture.png")
    segmenter = pdcr.segmenter(tmp_path / "bundle", 1, trust=True).resolve(image)
    given = torch.from_numpy(image.array)
    assert_close(segmenter(given[None])[0], expected[1].T, atol=1e-4, rtol=1e-4)
    both = segmenter(torch.stack([given, given.flip(-1)]))
    assert_close(both[0], expected[1].T, atol=1e-4, rtol=1e-4)
    assert_close(both[1], segmenter(given.flip(-1)[None])[0])


def test_a_bundle_is_explained_on_the_grid_of_its_image(tmp_path: Path) -> None:
    write(tmp_path / "bundle", [*LOAD, RAS, SPACING, RANGE], [SOFTMAX, inverse()])
    image = pdcr.open_image(scan(tmp_path / "scan.nii.gz"))
    segmenter = pdcr.segmenter(tmp_path / "bundle", 1, trust=True, like=image)
    options = {"patch_size": 6, "outcome": "mean_probability", "baseline": "mean"}
    found = pdcr.ate_map(segmenter, image, (4, 8, 8, 4, 4, 4), **options)
    assert found.spatial == image.spatial
    assert np.nanmax(np.abs(found.effect)) > 0
    told = "; ".join(notes_of(segmenter.model))
    assert "Orientationd, Spacingd, ScaleIntensityRanged" in told
    assert "softmax before scores go back" in told


def test_a_slice_has_the_spacing_of_its_volume(tmp_path: Path) -> None:
    fine = {**SPACING, "pixdim": [0.6, 0.5]}
    write(tmp_path / "bundle", [*LOAD, fine, PAD], [], 2)
    volume = pdcr.open_image(scan(tmp_path / "scan.nii.gz"))
    network = pdcr.load_model(tmp_path / "bundle", trust=True, like=volume)
    slice_ = torch.from_numpy(volume.slice(5).array)
    rows, columns = volume.spacing[1:]
    resampled = round((columns * 17) / 0.6) + 1, round((rows * 21) / 0.5) + 1
    assert network.feed(slice_).shape[1:] == tuple(-(-side // 4) * 4 for side in resampled)
    assert network(slice_[None]).shape == (1, 3, 22, 18)


def test_a_volume_of_unknown_directions_keeps_its_axes(tmp_path: Path) -> None:
    write(tmp_path / "bundle", [*LOAD, RAS, {**SPACING, "pixdim": [1.0, 1.0, 1.0]}], [])
    volume = pdcr.open_image(np.random.default_rng(0).random((6, 10, 12)), spacing=(2.0, 1.0, 1.0))
    network = pdcr.load_model(tmp_path / "bundle", trust=True, like=volume)
    given = torch.from_numpy(volume.array)
    shown = network.feed(given)
    assert shown.shape == (1, 12, 10, 11)
    assert_close(shown.as_tensor()[0, :, :, ::2], given[0].permute(2, 1, 0), atol=1e-4, rtol=1e-4)


def test_what_cannot_be_honoured_is_said(tmp_path: Path) -> None:
    keep = {"_target_": "KeepLargestConnectedComponentd", "keys": "pred"}
    cut = {"_target_": "AsDiscreted", "keys": "pred", "threshold": 0.3}
    flip = {"_target_": "RandFlipd", "keys": ["image"], "prob": 1.0}
    write(tmp_path / "bundle", [*LOAD, flip], [SIGMOID, cut, keep], 2)
    told = notes_of(pdcr.load_model(tmp_path / "bundle", trust=True))
    assert "not applied, for it is random: RandFlipd" in told
    assert "not applied to predictions: KeepLargestConnectedComponent" in told
    assert "its threshold is 0.3: say threshold=0.3" in told


def test_what_would_be_wrong_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "one", [*LOAD, RAS, SPACING], [])
    with pytest.raises(ValueError, match=r"\(Orientationd, Spacingd\); say like=image"):
        pdcr.load_model(tmp_path / "one", trust=True)
    join = {"_target_": "ConcatItemsd", "keys": ["image", "other"], "name": "image"}
    write(tmp_path / "two", [*LOAD, join], [])
    with pytest.raises(ValueError, match=r"joins several entries \(ConcatItems\)"):
        pdcr.load_model(tmp_path / "two", trust=True)
    lost = {"_target_": "Lambdad", "keys": ["image"], "func": "$lambda x: x[..., ::2, ::2]"}
    write(tmp_path / "three", [*LOAD, lost], [], 2)
    segmenter = pdcr.segmenter(tmp_path / "three", trust=True)
    with pytest.raises(ValueError, match=r"\(16, 20\) came back as \(8, 10\).*Lambdad"):
        segmenter.scores(torch.rand(1, 1, 16, 20))
    with pytest.raises(ValueError, match=r"MONAI bundle.*trust=True"):
        pdcr.segmenter(tmp_path / "one")
    unknown = {"_target_": "Nowhered", "keys": ["image"]}
    write(tmp_path / "four", [*LOAD, unknown], [])
    with pytest.raises(ValueError, match="the preprocessing of four cannot be applied"):
        pdcr.load_model(tmp_path / "four", trust=True)


def test_without_preprocessing_images_are_given_as_they_are(tmp_path: Path) -> None:
    recipe = write(tmp_path, [], [SIGMOID], 2)
    recipe.pop("preprocessing")
    (tmp_path / "configs" / "inference.json").write_text(json.dumps(recipe))
    segmenter = pdcr.segmenter(tmp_path, trust=True)
    assert segmenter.activation == "sigmoid"
    trained = UNet(2, 1, 3, channels=(4, 8), strides=(2,)).eval()
    trained.load_state_dict(torch.load(tmp_path / "models" / "model.pt", weights_only=True))
    image = torch.rand(1, 1, 16, 16)
    with torch.no_grad():
        assert_close(segmenter.scores(image), trained(image))
    assert isinstance(segmenter.model, nn.Module)
    assert notes_of(segmenter.model) == ["the bundle prepares images in no way"]
