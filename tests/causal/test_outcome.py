"""Outcomes against sets counted one pixel at a time."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from toys import box, picture, quick

from pdcr_widgets.causal.outcome import OUTCOMES, Outcome


def literal(
    name: str, p: np.ndarray, g: np.ndarray, region: np.ndarray, threshold: float, empty: str
) -> float:
    """The definitions, one pixel after the other."""
    both = predicted = true = either = 0
    product = mass = 0.0
    for pixel in zip(*np.nonzero(region), strict=True):
        on = p[pixel] > threshold
        both += bool(on and g[pixel])
        either += bool(on or g[pixel])
        predicted += bool(on)
        true += bool(g[pixel])
        product += p[pixel] * g[pixel]
        mass += p[pixel]
    nothing = {"agree": 100.0, "paper": 0.0}[empty]
    size = int(region.sum())
    match name:
        case "dice":
            return 200 * both / (predicted + true) if predicted + true else nothing
        case "iou":
            return 100 * both / either if either else nothing
        case "soft_dice":
            return 200 * product / (mass + true) if mass + true else nothing
        case "mean_probability":
            return 100 * mass / size
        case "area":
            return 100 * predicted / size
    raise AssertionError(name)


REGION = box((5, 6), slice(1, 4), slice(1, 5))
REGION[2, 2] = False


@pytest.mark.parametrize("name", OUTCOMES)
@pytest.mark.parametrize("empty", ["agree", "paper"])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_every_outcome_is_its_definition(name: str, empty: str, dtype: torch.dtype) -> None:
    prediction = torch.stack(
        [
            picture(5, 6, seed=1),
            picture(5, 6, seed=2).round(),
            torch.zeros(5, 6),
            torch.ones(5, 6),
            0.4 * picture(5, 6, seed=3),
        ]
    ).to(dtype)
    for truth in (
        picture(5, 6, seed=9).numpy() > 0.5,
        np.zeros((5, 6), bool),
        np.ones((5, 6), bool),
    ):
        outcome = Outcome(name, REGION, truth, 0.5, empty)  # type: ignore[arg-type]
        measured = outcome(prediction)
        expected = [
            literal(name, p, truth, REGION, 0.5, empty) for p in prediction.double().numpy()
        ]
        assert measured.shape == (5,)
        np.testing.assert_allclose(measured.numpy(), expected, rtol=1e-12, atol=1e-12)


@quick
@given(
    seed=st.integers(0, 1000),
    threshold=st.floats(0, 1),
    name=st.sampled_from(sorted(OUTCOMES)),
)
def test_any_threshold_and_points_in_range(seed: int, threshold: float, name: str) -> None:
    p, truth = picture(5, 6, seed=seed), picture(5, 6, seed=seed + 1).numpy() > 0.5
    measured = float(Outcome(name, REGION, truth, threshold)(p[None])[0])
    expected = literal(name, p.double().numpy(), truth, REGION, threshold, "agree")
    assert measured == pytest.approx(expected, abs=1e-9)
    assert 0 <= measured <= 100


@pytest.mark.parametrize("name", ["dice", "iou", "soft_dice"])
@pytest.mark.parametrize(("empty", "points"), [("agree", 100), ("paper", 0)])
def test_both_empty(name: str, empty: str, points: float) -> None:
    outcome = Outcome(name, REGION, np.zeros((5, 6), bool), 0.5, empty)  # type: ignore[arg-type]
    assert outcome(torch.zeros(1, 5, 6)).item() == points


@pytest.mark.parametrize("name", ["dice", "iou", "soft_dice"])
@pytest.mark.parametrize("empty", ["agree", "paper"])
def test_one_empty_is_no_overlap(name: str, empty: str) -> None:
    outcome = Outcome(name, REGION, np.ones((5, 6), bool), 0.5, empty)  # type: ignore[arg-type]
    assert outcome(torch.zeros(1, 5, 6)).item() == 0


def test_pixels_outside_the_region_do_not_count() -> None:
    truth = picture(5, 6).numpy() > 0.5
    p = picture(1, 5, 6, seed=1)
    changed = torch.where(torch.from_numpy(REGION), p, 1 - p)
    for name in OUTCOMES:
        outcome = Outcome(name, REGION, truth, 0.5)
        assert outcome(p).item() == outcome(changed).item()


def test_views_of_a_prediction() -> None:
    truth = picture(5, 6).numpy() > 0.5
    p = picture(3, 6, 5, seed=1)
    outcome = Outcome("soft_dice", REGION, truth, 0.5)
    torch.testing.assert_close(
        outcome(p.transpose(1, 2)), outcome(p.transpose(1, 2).contiguous()), rtol=0, atol=0
    )


@pytest.mark.parametrize("name", ["dice", "iou", "area"])
def test_a_probability_equal_to_the_threshold_is_not_predicted(name: str) -> None:
    outcome = Outcome(name, REGION, REGION, 0.5)
    assert outcome(torch.full((1, 5, 6), 0.5)).item() == 0
    assert outcome(torch.full((1, 5, 6), 0.5001)).item() == 100


@pytest.mark.parametrize(
    ("name", "empty", "text"),
    [
        ("f1", "agree", "outcome must be one of .'dice'.*got 'f1'"),
        ("dice", "zero", "empty must be 'agree' or 'paper', got 'zero'"),
    ],
)
def test_unknown_names_are_refused(name: str, empty: str, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        Outcome(name, REGION, REGION, 0.5, empty)  # type: ignore[arg-type]
