"""Which model is asked: choosing one, and what is said about it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import ipywidgets as w
import numpy as np
import pytest
import tiny
import torch

from pdcr_widgets.causal import segmenter
from pdcr_widgets.models import segmenter as any_segmenter
from pdcr_widgets.session import Session
from pdcr_widgets.widgets import Explorer
from pdcr_widgets.widgets.family import family
from pdcr_widgets.widgets.model_card import ModelCard, offered
from pdcr_widgets.widgets.text import plain

NAMES = ["sky", "liver", "spleen"]
QUIET: dict[str, Any] = {"threaded": False, "samples": 4, "with_layers": False}


def menu(parent: w.Widget, description: str) -> w.Dropdown:
    found = [
        each
        for each in family(parent)
        if isinstance(each, w.Dropdown) and each.description == description
    ]
    assert len(found) == 1
    return found[0]


def told(session: Session) -> str:
    session.run()
    return ModelCard(session)._facts.value


def test_what_was_recognised_is_said() -> None:
    case = tiny.case()
    words = told(Session(case, **QUIET))
    parameters = sum(each.numel() for each in case.segmenter.model.parameters())
    assert f"Net, {parameters} parameters, float32 on cpu" in words
    low, high = float(case.image.min()), float(case.image.max())
    assert f"1 channel of 32 × 32 px, values {plain(low)} to {plain(high)}" in words
    assert "sigmoid, decided by the scores" in words
    assert "class 0, the only class; predicted above 0.5" in words
    with torch.no_grad():
        predicted = (case.segmenter.model.eval()(case.image[None])[0, 0] > 0).numpy()
    both = (predicted & case.truth).sum()
    dice = 200 * both / (predicted.sum() + case.truth.sum())
    assert f"{dice:.1f} of 100 with the truth" in words
    assert "incremental" in words


def test_what_was_said_by_the_user_is_told_from_what_was_decided() -> None:
    case = tiny.case(classes=3)
    said = segmenter(case.segmenter.model, 1, "softmax", 0.3, NAMES)
    words = told(Session(said, case.image, region=case.region, **QUIET))
    assert "softmax over 3 classes, as given" in words
    assert "liver of 3 classes (chosen); predicted above 0.3" in words
    assert "Dice" not in words


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (lambda x: x.clamp(0, 1), "probabilities as they are, decided by the scores"),
        (lambda x: torch.cat([x, 9 * x - 1], 1), "softmax over 2 classes, decided by the scores"),
        (lambda x: torch.cat([x, 9 * x], 1), "none negative: say activation= if these are no"),
    ],
)
def test_activations_are_explained(model: Any, expected: str) -> None:
    case = tiny.case()
    words = told(Session(model, case.image, region=case.region, **QUIET))
    assert expected in words
    assert "a function" in words


def test_how_images_are_prepared_is_said() -> None:
    case = tiny.case()
    assert "<dt>Prepared</dt>" not in told(Session(case, **QUIET))
    said = any_segmenter(
        case.segmenter.model, clip=(0, 1), scale=2, mean=0.4, std="image", multiple=8
    )
    words = told(Session(said, case.image, region=case.region, **QUIET))
    assert "values clipped to 0, 1; times 2; minus 0.4; over the image" in words
    assert "sides of a multiple of 8" in words
    said.model.model.declared_notes = ["windows of 8 × 8"]
    words = told(Session(said, case.image, region=case.region, **QUIET))
    assert "sides of a multiple of 8; windows of 8 × 8" in words


def test_a_model_that_fails_leaves_what_is_known() -> None:
    def broken(images: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("expected 3 channels")

    session = Session(broken, tiny.case().image, region=(8, 8, 8, 8), **QUIET)
    words = told(session)
    assert "broken, a function" in words
    assert "Read as" not in words


def test_classes_are_offered_by_name() -> None:
    case = tiny.case(classes=3)
    named = replace(case, segmenter=replace(case.segmenter, classes=NAMES), truth=None)
    explorer = Explorer(Session(named, **QUIET))
    control = menu(explorer, "Class")
    assert [label for label, _ in control.options][1:] == ["0 sky", "1 liver", "2 spleen"]
    control.set_state({"index": 3})
    assert explorer.session.target == 2
    assert "spleen of 3 classes (chosen)" in explorer.model._facts.value
    explorer.close()


def test_a_model_is_chosen_by_its_name() -> None:
    case = tiny.case()
    other = tiny.Net(classes=3)
    explorer = Explorer(
        models={"one": case.segmenter, "three": other}, image=case.image, region=case.region,
        target=0, **QUIET,
    )  # fmt: skip
    control = menu(explorer, "Model")
    assert (control.options, control.value) == (("one", "three"), "one")
    control.set_state({"index": 1})
    session = explorer.session
    assert session.segmenter.model is other
    assert session.target is None
    assert (session.status, session.error) == ("done", "")
    assert session.prediction.classes == 3
    session.segmenter = case.segmenter
    assert control.value == "one"
    explorer.close()


def test_models_to_choose_from_may_be_files_and_networks_of_libraries(tmp_path: Path) -> None:
    case = tiny.case()
    program = torch.export.export(case.segmenter.model.eval(), (case.image[None],))
    torch.export.save(program, tmp_path / "net.pt2")
    _, models = offered(None, {"file": tmp_path / "net.pt2", "net": case.segmenter.model})
    given = case.image[None]
    torch.testing.assert_close(models["file"].scores(given), models["net"].scores(given))


def test_a_case_is_among_the_models_to_choose_from() -> None:
    case = tiny.case()
    subject, models = offered(case, {"other": tiny.Net()})
    assert subject is case
    assert list(models) == ["given", "other"]
    assert list(offered(case, {"mine": case.segmenter})[1]) == ["mine"]
    assert offered(case, None) == (case, {})
    with pytest.raises(TypeError, match="with their names"):
        offered(None, [case.segmenter])


def test_one_model_needs_no_menu() -> None:
    explorer = Explorer(Session(tiny.case(), **QUIET))
    assert menu(explorer, "Model").layout.display == "none"
    explorer.close()


def test_names_of_classes_are_checked() -> None:
    with pytest.raises(TypeError, match="names in a list"):
        segmenter(tiny.Net(), classes="liver")
    assert segmenter(tiny.Net(), classes=NAMES).class_name(2) == "spleen"
    assert segmenter(tiny.Net(), classes=NAMES).class_name(3) == "class 3"


def test_a_network_that_names_its_classes_is_read() -> None:
    net = tiny.Net(classes=2)
    net.config = type("Config", (), {"id2label": {1: "liver", 0: "rest"}})()
    assert any_segmenter(net).classes == ("rest", "liver")
    net.config.id2label = {0: "LABEL_0", 1: "LABEL_1"}
    assert any_segmenter(net).classes == ()


def test_an_explorer_turns_to_a_volume_and_back() -> None:
    case = tiny.case()
    explorer = Explorer(case, **QUIET)
    first = explorer.canvas
    volume = np.random.default_rng(0).random((1, 6, 32, 40), dtype=np.float32)
    explorer.show(case.segmenter, volume, index=2, region=(8, 8, 8, 8))
    assert explorer.canvas is not first
    assert first.comm is None
    assert explorer.canvas.index == 2
    assert explorer.session.status == "done"
    assert explorer.canvas.effect is not None
    explorer.canvas.index = 3
    assert torch.equal(explorer.session.image, torch.from_numpy(volume[:, 3]))
    explorer.show(case)
    assert not hasattr(explorer.canvas, "index")
    assert explorer.canvas.effect is not None
    assert explorer.session.region.sum() == 64
    explorer.canvas.colormap = "orange-purple"
    assert explorer.legend.colormap == "orange-purple"
    explorer.close()
