"""Checkpoints: weights arrive, differences are named, and nothing is executed unasked."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from monai.networks.nets import UNet
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.testing import assert_close

from pdcr_widgets.models import load_model


def network(width: int = 4) -> nn.Module:
    """Give a network whose weights differ at every call."""
    return nn.Sequential(nn.Conv2d(1, width, 3, padding=1), nn.Conv2d(width, 2, 1))


State = dict[str, Tensor]


@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: state,
        lambda state: {"state_dict": state, "epoch": 7, "optimizer": {"lr": 0.1}},
        lambda state: {"model_state_dict": {f"module.{k}": v for k, v in state.items()}},
        lambda state: {"state_dict": {f"model._orig_mod.{k}": v for k, v in state.items()}},
        lambda state: {"network_weights": state, "trainer_name": "trainer"},
    ],
    ids=["bare", "lightning", "data parallel", "compiled", "nnU-Net"],
)
def test_weights_are_found_in_what_frameworks_save(
    wrap: Callable[[State], Any], tmp_path: Path
) -> None:
    trained, fresh = network(), network()
    torch.save(wrap(trained.state_dict()), tmp_path / "a.pth")
    loaded = load_model(tmp_path / "a.pth", fresh)
    assert loaded is fresh
    assert not loaded.training
    picture = torch.rand(1, 1, 8, 8)
    assert_close(loaded(picture), trained(picture))


def test_safetensors_are_loaded(tmp_path: Path) -> None:
    trained = network()
    save_file(trained.state_dict(), tmp_path / "a.safetensors")
    loaded = load_model(tmp_path / "a.safetensors", network())
    assert_close(loaded.state_dict(), trained.state_dict())


def test_differences_are_told_name_by_name(tmp_path: Path) -> None:
    state = network().state_dict()
    state["0.weight"] = torch.zeros(5, 1, 3, 3)
    state["extra.weight"] = state.pop("1.bias")
    torch.save(state, tmp_path / "a.pth")
    words = (
        r"1 missing from the file: 1\.bias; 1 not in the model: extra\.weight; "
        r"1 of another shape: 0\.weight \(5, 1, 3, 3\) for \(4, 1, 3, 3\)"
    )
    with pytest.raises(ValueError, match=words):
        load_model(tmp_path / "a.pth", network())
    fresh = network()
    kept = fresh.state_dict()["0.weight"].clone()
    with pytest.warns(UserWarning, match=words):
        load_model(tmp_path / "a.pth", fresh, strict=False)
    assert_close(fresh.state_dict()["0.weight"], kept)
    assert_close(fresh.state_dict()["1.weight"], state["1.weight"])


def test_a_file_that_does_not_fit_changes_nothing(tmp_path: Path) -> None:
    torch.save(network(6).state_dict(), tmp_path / "a.pth")
    fresh = network()
    before = {name: value.clone() for name, value in fresh.state_dict().items()}
    with pytest.raises(ValueError, match="of another shape"):
        load_model(tmp_path / "a.pth", fresh)
    assert_close(dict(fresh.state_dict()), before)


class Command:
    """Pickle that leaves a file behind when it is loaded."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.trace),)


def test_a_pickle_is_not_run(tmp_path: Path) -> None:
    trace = tmp_path / "executed"
    torch.save({"state_dict": Command(trace)}, tmp_path / "a.pth")
    with pytest.raises(ValueError, match=r"runs code when it is loaded.*trust=True"):
        load_model(tmp_path / "a.pth", network())
    (tmp_path / "b.pth").write_bytes(pickle.dumps(Command(trace)))
    with pytest.raises(ValueError, match=r"b\.pth"):
        load_model(tmp_path / "b.pth", network())
    assert not trace.exists()


def test_a_whole_network_is_loaded_only_when_trusted(tmp_path: Path) -> None:
    trained = network()
    torch.save(trained, tmp_path / "a.pth")
    with pytest.raises(ValueError, match="trust=True"):
        load_model(tmp_path / "a.pth")
    loaded = load_model(tmp_path / "a.pth", trust=True)
    assert_close(loaded(torch.ones(1, 1, 8, 8)), trained(torch.ones(1, 1, 8, 8)))


def test_a_monai_bundle_is_loaded_only_when_trusted(tmp_path: Path) -> None:
    arguments = {"spatial_dims": 2, "in_channels": 1, "out_channels": 2}
    arguments |= {"channels": [4, 8], "strides": [2]}
    (tmp_path / "configs").mkdir()
    (tmp_path / "models").mkdir()
    recipe = {"device": "$torch.device('cpu')", "network_def": {"_target_": "UNet", **arguments}}
    (tmp_path / "configs" / "inference.json").write_text(json.dumps(recipe))
    with pytest.raises(ValueError, match=r"MONAI bundle.*trust=True"):
        load_model(tmp_path)
    with pytest.raises(ValueError, match=r"no models/model\.pt"):
        load_model(tmp_path, trust=True)
    trained = UNet(**arguments).eval()
    torch.save(trained.state_dict(), tmp_path / "models" / "model.pt")
    loaded, picture = load_model(tmp_path, trust=True), torch.rand(1, 1, 16, 16)
    assert_close(loaded(picture), trained(picture))


def test_weights_alone_ask_for_their_network(tmp_path: Path) -> None:
    torch.save(network().state_dict(), tmp_path / "a.pth")
    with pytest.raises(ValueError, match=r"holds 4 weights \(0\.weight.*load_model\(path, model\)"):
        load_model(tmp_path / "a.pth")


@pytest.mark.parametrize("name", ["a.pth", "a.safetensors", "a.pt2", "a.onnx"])
@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 nothing", b"\x80\x02."])
def test_damaged_files_are_refused_by_name(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=name.replace(".", r"\.")):
        load_model(tmp_path / name, network())


def test_what_holds_no_model(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="does not exist"):
        load_model(tmp_path / "nowhere.pth")
    torch.save({"epoch": 3, "loss": [1.0]}, tmp_path / "a.pth")
    with pytest.raises(ValueError, match=r"holds no weights by name; it holds \['epoch', 'loss'\]"):
        load_model(tmp_path / "a.pth", network())
    with pytest.raises(ValueError, match=r"has no config\.json"):
        load_model(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"layers": 3}))
    with pytest.raises(ValueError, match=r"no library that is known.*\['layers'\]"):
        load_model(tmp_path)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ValueError, match="is no JSON"):
        load_model(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"architectures": ["BertModel"]}))
    with pytest.raises((ValueError, ImportError), match=r"does not segment|is needed"):
        load_model(tmp_path)
