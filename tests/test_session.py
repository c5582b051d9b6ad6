"""The session: one owner of inputs and results, restarted by every change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import tiny
import torch
from numpy.testing import assert_array_equal
from torch import nn

from pdcr_widgets.causal import PatchBank, ate_map
from pdcr_widgets.causal.components import layer_effects
from pdcr_widgets.inputs import QUESTION
from pdcr_widgets.session import Session

CHANGES: dict[str, Any] = {
    "region": (16, 16, 8, 8),
    "truth": None,
    "target": 0,
    "patch_size": 4,
    "baseline": "zero",
    "baseline_value": 0.25,
    "outcome": "mean_probability",
    "samples": 7,
    "sampling": "paper",
    "seed": 3,
    "engine": "full",
    "with_layers": False,
    "components": "last",
    "intervention": "noise",
    "layer_samples": 3,
    "donors": torch.zeros(1, 1, tiny.SIDE, tiny.SIDE),
    "where": "inside",
    "elsewhere": False,
    "image": torch.zeros(1, tiny.SIDE, tiny.SIDE),
    "segmenter": tiny.case().segmenter,
    "bank": PatchBank(torch.zeros(3, 1, 8, 8)),
    "make_bank": tiny.case().make_bank,
}


@pytest.fixture
def session() -> Iterator[Session]:
    """A session that computes in the test's own thread."""
    session = Session(tiny.case(), threaded=False, samples=8, layer_samples=2)
    yield session
    session.close()


def test_nothing_is_computed_before_it_is_asked_for(session: Session) -> None:
    assert session.status == "idle"
    assert session.ate is None
    assert session.generation == 0


def test_the_results_are_those_of_the_functions(session: Session) -> None:
    session.run()
    case = tiny.case()
    expected = ate_map(
        case.segmenter,
        case.image,
        case.region,
        case.truth,
        patch_size=8,
        baseline=case.bank,
        samples=8,
    )
    layers = layer_effects(
        case.segmenter,
        case.image,
        case.region,
        case.truth,
        intervention=("mean", "zero", "noise"),
        samples=2,
        layers=("stages", "skips"),
    )
    assert session.status == "done"
    assert session.ate is not None
    assert_array_equal(session.ate.effect, expected.effect)
    assert_array_equal(session.ate.stderr, expected.stderr)
    assert session.layers is not None
    assert_array_equal(session.layers.table(), layers.table())
    assert session.prediction is not None
    assert session.prediction.probability.shape == (tiny.SIDE, tiny.SIDE)
    assert session.progress.done == session.progress.total > 0


def test_the_table_of_changes_is_complete() -> None:
    assert set(CHANGES) == set(QUESTION)


@pytest.mark.parametrize("name", QUESTION)
def test_any_change_of_an_input_computes_anew(session: Session, name: str) -> None:
    setattr(session, name, CHANGES[name])
    assert session.generation >= 1
    assert session.status == "done", session.error


def test_setting_the_same_value_computes_nothing(session: Session) -> None:
    session.run()
    session.region = np.array(session.region)
    session.patch_size = 8
    assert session.generation == 1


def test_selecting_computes_no_map(session: Session) -> None:
    session.run()
    session.layer = "first"
    session.patch = (0, 0)
    assert session.generation == 1


def test_a_box_is_a_region(session: Session) -> None:
    session.region = (2, 3, 4, 5)
    assert session.region.sum() == 20
    assert session.region[2:6, 3:8].all()


def test_without_a_region_only_the_prediction_is_made(session: Session) -> None:
    session.region = np.zeros((tiny.SIDE, tiny.SIDE), dtype=bool)
    assert session.region is None
    assert session.status == "idle"
    assert session.prediction is not None
    assert session.ate is None


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("region", np.ones((3, 3), dtype=bool), "the image is"),
        ("region", (0, 0, 99, 99), "leaves the 32 x 32 image"),
        ("region", np.ones((tiny.SIDE, tiny.SIDE), dtype=bool), "smaller region"),
        ("image", torch.zeros(1, 8, 8, dtype=torch.int64), "give floats"),
        ("image", torch.full((1, 8, 8), torch.nan), "NaN"),
    ],
)
def test_what_can_never_be_right_is_refused_and_changes_nothing(
    session: Session, name: str, value: Any, message: str
) -> None:
    session.run()
    before = getattr(session, name)
    with pytest.raises((ValueError, TypeError), match=message):
        setattr(session, name, value)
    assert getattr(session, name) is before
    assert session.generation == 1


def test_a_failed_question_tells_why_and_keeps_the_old_map(session: Session) -> None:
    session.run()
    before = session.ate
    session.patch_size = tiny.SIDE + 1
    assert session.status == "failed"
    assert "too small for patches of 33 pixels" in session.error
    assert "ValueError" in session.traceback
    assert session.ate is before
    session.patch_size = 8
    assert (session.status, session.error, session.failure) == ("done", "", None)


def test_a_model_that_raises_is_quoted(session: Session) -> None:
    def broken(images: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("expected 3 channels")

    session.segmenter = type(session.segmenter)(broken)
    assert session.status == "failed"
    assert "RuntimeError: expected 3 channels" in session.error
    assert "in broken" in session.traceback


def test_a_function_without_layers_still_gets_its_map() -> None:
    case = tiny.case()
    session = Session(case.segmenter.model.forward, case.image, region=case.region, threaded=False)
    session.run()
    assert session.status == "done"
    assert session.ate is not None
    assert session.layers is None
    assert "torch.nn.Module" in session.layer_note


def test_a_bank_of_another_patch_size_is_made_anew(session: Session) -> None:
    session.patch_size = 4
    assert session.status == "done"
    assert session.ate is not None
    assert session.ate.recipe["baseline"] == "bank"
    assert session.ate.patch_size == 4


def test_without_a_way_to_make_a_bank_the_error_says_what_to_do(session: Session) -> None:
    session.make_bank = None
    session.patch_size = 4
    assert session.status == "failed"
    assert "patches of 8 pixels" in session.error
    assert "another baseline" in session.error


def test_a_case_with_a_bank_starts_with_it() -> None:
    case = tiny.case()
    assert Session(case).baseline == "bank"
    assert Session(case, baseline="zero").baseline == "zero"
    assert Session(case.segmenter, case.image).baseline == "mean"


def test_a_model_needs_an_image() -> None:
    with pytest.raises(TypeError, match="a model and an image; got Net without an image"):
        Session(tiny.Net())


def test_another_class_is_explained_when_asked_for() -> None:
    case = tiny.case(classes=3)
    session = Session(case, truth=None, threaded=False)
    session.target = 2
    assert session.prediction is not None
    assert session.prediction.classes == 3
    assert session.prediction.segmenter.target == 2
    assert session.ate is not None
    assert session.ate.recipe["target"] == 2


def test_a_selected_patch_gets_its_draws(session: Session) -> None:
    session.run()
    session.patch = (0, 1)
    assert session.draws is not None
    assert (session.draws.row, session.draws.col) == (0, 1)
    assert len(session.draws.effects) == session.samples
    session.patch = (1, 1)
    assert session.draws is None
    assert "touches the region" in session.draws_note
    session.patch = None
    assert session.draws_note == ""


def test_draws_follow_the_question(session: Session) -> None:
    session.run()
    session.patch = (0, 1)
    before = session.draws
    session.baseline = "zero"
    assert session.draws is not before
    assert session.draws is not None
    assert len(session.draws.effects) == 1


def test_another_patch_size_deselects_the_patch(session: Session) -> None:
    session.patch = (0, 1)
    session.patch_size = 4
    assert session.patch is None
    assert session.draws is None


def test_an_image_of_another_shape_drops_region_and_truth(session: Session) -> None:
    session.run()
    session.image = torch.rand(1, 24, 40)
    assert session.region is None
    assert session.truth is None
    assert session.status == "idle"


def test_show_turns_to_another_model_and_image(session: Session) -> None:
    session.run()
    net = nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), nn.Sigmoid())
    session.show(net, torch.rand(1, 24, 40), region=(8, 8, 8, 8), patch_size=5)
    assert session.segmenter.model is net
    assert (session.bank, session.truth, session.baseline) == (None, None, "mean")
    assert session.status == "done", session.error
    assert session.ate is not None
    assert session.ate.effect.shape == (5, 8)


def test_the_model_is_left_as_it_was(session: Session) -> None:
    model = session.segmenter.model
    assert isinstance(model, nn.Module)
    model.train()
    session.run()
    assert all(module.training for module in model.modules())
    assert not any(module._forward_hooks for module in model.modules())


def test_a_closed_session_keeps_its_results(session: Session) -> None:
    session.run()
    session.close()
    session.patch_size = 4
    assert session.ate is not None
    assert session.ate.patch_size == 8
