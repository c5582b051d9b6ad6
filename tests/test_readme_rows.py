"""Every row of README's "what you have, what you write" is run on what it is about."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import torch
from image_files import AFFINE, FILES, VOLUME, write_series
from monai.networks.nets import UNet
from PIL import Image
from torch import nn

import pdcr_widgets as pdcr

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning"),
    pytest.mark.usefixtures("torchvision"),
]
README = (Path(__file__).resolve().parent.parent / "README.md").read_text()
SIDE = 32
Names = dict[str, Any]


def table(have: str, number: int = 0) -> list[tuple[str, list[str]]]:
    """Rows of a table by its header: what one has, and the code to write."""
    starts = [m.start() for m in re.finditer(rf"^\| {have} \| you write \|$", README, re.M)]
    rows = README[starts[number] :].split("\n\n")[0].splitlines()[2:]
    cells = [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows]
    return [(what, re.findall(r"`([^`]+)`", write)) for what, write in cells]


MODELS, IMAGES = table("you have"), table("you have", 1)
BANKS = table("the patches are in")


def network(channels: int = 1, classes: int = 2) -> nn.Module:
    return nn.Sequential(nn.Conv2d(channels, 4, 3, padding=1), nn.Conv2d(4, classes, 1)).eval()


def picture(channels: int = 1, *sides: int) -> torch.Tensor:
    shape = (channels, *(sides or (SIDE, SIDE)))
    return torch.rand(shape, generator=torch.Generator().manual_seed(0))


def write_weights(names: Names) -> None:
    torch.save(names["model"].state_dict(), "weights.pth")


def write_program(names: Names) -> None:
    exported = torch.export.export(names["model"], (picture()[None],))
    torch.export.save(exported, "model.pt2")


def write_transformers(names: Names) -> None:
    from transformers import SegformerConfig, SegformerForSemanticSegmentation

    sizes = {"depths": [1] * 4, "hidden_sizes": [8, 8, 16, 16], "decoder_hidden_size": 16}
    config = SegformerConfig(num_labels=3, **sizes)
    SegformerForSemanticSegmentation(config).save_pretrained("folder")
    names["image"] = picture(3, 64, 64)


def write_bundle(names: Names) -> None:
    arguments = {"spatial_dims": 2, "in_channels": 1, "out_channels": 2}
    arguments |= {"channels": [4, 8], "strides": [2]}
    for folder in ("configs", "models"):
        (Path("bundle") / folder).mkdir(parents=True)
    recipe = {"network_def": {"_target_": "UNet", **arguments}}
    Path("bundle/configs/inference.json").write_text(json.dumps(recipe))
    torch.save(UNet(**arguments).state_dict(), "bundle/models/model.pt")


def write_nnunet(names: Names) -> None:
    from dynamic_network_architectures.architectures.unet import PlainConvUNet
    from trained_nnunet import LABELS, plans_of

    home = Path("nnUNetTrainer__nnUNetPlans__2d")
    (home / "fold_0").mkdir(parents=True)
    plans = plans_of("2d", "ZScoreNormalization", False)
    (home / "plans.json").write_text(json.dumps(plans))
    dataset = {"channel_names": {"0": "MR"}, "labels": LABELS}
    (home / "dataset.json").write_text(json.dumps(dataset))
    arguments = dict(plans["configurations"]["2d"]["architecture"]["arch_kwargs"])
    arguments |= {"conv_op": nn.Conv2d, "norm_op": nn.InstanceNorm2d, "nonlin": nn.LeakyReLU}
    trained = PlainConvUNet(input_channels=1, num_classes=3, **arguments)
    held = {"network_weights": trained.state_dict(), "init_args": {"configuration": "2d"}}
    torch.save(held, home / "fold_0" / "checkpoint_final.pth")
    names["volume"] = pdcr.open_image(picture(5)[:, :24, :24].numpy(), channels="none")
    names["image"] = names["volume"].slice(2)


def make_sam(names: Names) -> None:
    from test_models_prompted import small_sam

    names["sam"], names["image"] = small_sam(), picture(1, 48, 64)
    names |= {"row": 20, "column": 30}


def given(**values: Any) -> Callable[[Names], None]:
    return lambda names: names.update(values)


def overlapping(names: Names) -> None:
    names["model"] = network(classes=3)


MADE: dict[str, Callable[[Names], None]] = {
    "labels that overlap": overlapping,
    "weights in a": write_weights,
    "TorchScript": write_program,
    "a folder of transformers": write_transformers,
    "a MONAI bundle": write_bundle,
    "a trained folder of nnU-Net": write_nnunet,
    "a promptable network": make_sam,
    "a model of 0..1 values": given(image=255 * picture()),
    "a model of one CT window": given(image=2000 * picture() - 1000),
    "a model with z-scored": given(image=picture(1, 40, 50)),
    "a model of BGR": given(image=picture(3), model=network(3)),
    "a model of 256": given(image=picture(1, 300, 280)),
    "a model of small windows": given(image=picture(1, 100, 130)),
    "a model of unpadded": given(unpadded=nn.Sequential(nn.Conv2d(1, 4, 3), nn.Conv2d(4, 2, 3))),
    "a model of slices": given(image=picture(1, 5, SIDE, SIDE), model=network(3)),
    "a model of volumes": given(
        image=picture(1, 8, 16, 16), model=UNet(3, 1, 2, channels=(4, 8), strides=(2,))
    ),
}


def prepared(made: dict[str, Callable[[Names], None]], have: str, names: Names) -> None:
    for beginning, make in made.items():
        if have.startswith(beginning):
            make(names)


@pytest.mark.parametrize(("have", "write"), MODELS, ids=lambda value: str(value)[:24])
def test_a_model_is_explained(
    have: str, write: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    names: Names = {"pdcr": pdcr, "model": network(), "image": picture()}
    prepared(MADE, have, names)
    calls = [code for code in write if code.startswith("pdcr.")]
    instead = [code for code in write if not code.startswith("pdcr.")]
    variants = calls + [re.sub(r", \w+=\(.*\)\)$", f", {other})", calls[0]) for other in instead]
    for code in variants or ["pdcr.segmenter(model, target=1)"]:
        if code.endswith("channels=(0, 0, 0))"):
            names["image"] = picture(1)
        segmenter = eval(code, names)
        image = names["image"]
        region = (0,) * (np.ndim(image) - 1) + (4,) * (np.ndim(image) - 1)
        options = {
            "outcome": "mean_probability",
            "patch_size": 4 if len(region) == 6 else 16,
            "baseline": "mean",
        }
        found = pdcr.ate_map(segmenter, image, region, **options)
        assert 0 <= found.base <= 100
        assert np.isfinite(found.effect).any()


def write_images() -> Names:
    study = Path("study")
    study.mkdir()
    write_series(study / "series", [0.0, 3.0])
    FILES["ct.dcm"](Path("slice.dcm"))
    FILES["volume.nii.gz"](Path("brain.nii.gz"))
    for name in ("lesion", "1", "2"):
        FILES["picture.png"](Path(f"{name}.png"))
    image = pdcr.open_image("brain.nii.gz")
    labels = nibabel.Nifti1Image((VOLUME % 3).astype(np.int16), AFFINE)
    nibabel.save(labels, "labels.nii.gz")
    np.savez("case.npz", image=VOLUME[0], label=VOLUME[0] % 2)
    volume = pdcr.open_image(np.ones((9, 64, 64)))
    return {"pdcr": pdcr, "array": VOLUME, "image": image, "volume": volume}


@pytest.mark.parametrize(("have", "write"), IMAGES, ids=lambda value: str(value)[:24])
def test_an_image_is_opened(
    have: str, write: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names = write_images()
    if "case.npz" in write[0]:
        names["image"] = pdcr.open_image("case.npz", key="image")
    calls = [code for code in write if "(" in code]
    assert calls
    for code in calls:
        opened = eval(code, names)
        values = opened if isinstance(opened, np.ndarray) else opened.array
        assert np.asarray(values).size > 0


@pytest.mark.parametrize(("have", "write"), BANKS, ids=lambda value: str(value)[:24])
def test_a_bank_is_made(
    have: str, write: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    volume = pdcr.open_image(picture(20).numpy(), channels="none")
    Path("pictures").mkdir()
    Image.fromarray((255 * picture()[0].numpy()).astype(np.uint8)).save("pictures/a.png")
    other = np.moveaxis(picture(9).numpy(), 0, -1)
    nibabel.save(nibabel.Nifti1Image(other, np.eye(4)), "other.nii.gz")
    names = {"pdcr": pdcr, "volume": volume, "images": [picture()], "image": volume.slice(4)}
    bank = eval(write[0], names)
    assert bank.patches.shape[1:] == (1, 8, 8)
    assert len(bank) > 10


def test_rows_are_there() -> None:
    assert len(MODELS) >= 17
    assert len(IMAGES) >= 9
    assert len(BANKS) == 4
    for beginning in MADE:
        assert any(have.startswith(beginning) for have, _ in MODELS), beginning
