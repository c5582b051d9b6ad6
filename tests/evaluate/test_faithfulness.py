"""Numbers about maps, on models whose effects add up exactly."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from toys import Linear, Pixelwise, SmallNet, box, picture, quick

import pdcr_widgets as pdcr
from pdcr_widgets.evaluate import (
    PERTURBATIONS,
    faithfulness_correlation,
    robustness,
    sanity_check,
    target_and_outside_drop,
)
from pdcr_widgets.evaluate.statistics import pearson, spearman

SPATIAL = (12, 12)
REGION = box(SPATIAL, slice(4, 8), slice(4, 8))
IMAGE = picture(1, *SPATIAL)
ASKED: dict[str, Any] = {"patch_size": 4, "baseline": 0.3, "outcome": "mean_probability"}
VALUES = arrays(np.float64, 9, elements=st.integers(-3, 3).map(float))


def linear() -> Linear:
    return Linear((picture(1, *SPATIAL, seed=1) - 0.5) / 90)


@quick
@given(VALUES, VALUES)
def test_correlations_are_those_of_scipy(a: np.ndarray, b: np.ndarray) -> None:
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        assert np.isnan(pearson(a, b))
        assert np.isnan(spearman(a, b))
        return
    assert pearson(a, b) == pytest.approx(stats.pearsonr(a, b).statistic)
    assert spearman(a, b) == pytest.approx(stats.spearmanr(a, b).statistic)


def test_a_sum_is_explained_fully_by_its_terms() -> None:
    ate = pdcr.ate_map(linear(), IMAGE, REGION, **ASKED)
    asked = {**ASKED, "draws": 20, "share": 0.4}
    assert faithfulness_correlation(linear(), IMAGE, REGION, ate, **asked) == pytest.approx(1)
    turned = faithfulness_correlation(linear(), IMAGE, REGION, -ate.effect, **asked)
    assert turned == pytest.approx(-1)
    zeros = np.zeros_like(ate.effect)
    assert np.isnan(faithfulness_correlation(linear(), IMAGE, REGION, zeros, **asked))


def test_drops_are_sums_of_effects() -> None:
    ate = pdcr.ate_map(linear(), IMAGE, REGION, **ASKED)
    found = target_and_outside_drop(linear(), IMAGE, REGION, ate, shares=(0.125, 0.5), **ASKED)
    effects = np.sort(ate.effect[np.isfinite(ate.effect)])
    falls = -np.array([effects[:1].sum(), effects[:4].sum()])
    np.testing.assert_allclose(found.tdd, falls, atol=1e-3)
    np.testing.assert_allclose(found.odd, np.abs(falls), atol=1e-3)  # one sum for all pixels
    np.testing.assert_allclose(found.leakage, 1, atol=1e-3)
    with pytest.raises(ValueError, match="shares are parts"):
        target_and_outside_drop(linear(), IMAGE, REGION, ate, shares=(0.0,), **ASKED)


def test_what_stays_in_its_place_does_not_leak() -> None:
    scores = np.where(REGION, 0.0, -IMAGE[0].numpy())
    found = target_and_outside_drop(Pixelwise(), IMAGE, REGION, scores, **ASKED)
    np.testing.assert_allclose(found.tdd, 0, atol=1e-5)
    assert (found.odd > 0).all()
    assert np.isnan(found.leakage).all()


def test_a_method_that_looks_at_no_model_fails_the_sanity_check() -> None:
    net = SmallNet()
    held = {name: value.clone() for name, value in net.state_dict().items()}
    rows = sanity_check("random", net, IMAGE, REGION)
    assert [row.layer for row in rows] == ["last", "wide", "norm", "first"]
    assert [row.correlation for row in rows] == pytest.approx([1, 1, 1, 1])
    assert all((held[name] == value).all() for name, value in net.state_dict().items())


def test_one_that_looks_passes_it() -> None:
    rows = sanity_check("occlusion", SmallNet(), IMAGE, REGION, outcome="soft_dice", window=2)
    assert all(abs(row.correlation) < 0.9 for row in rows)
    blind = sanity_check("seg_grad_cam", SmallNet(), IMAGE, REGION, layer="first", seed=3)
    assert len(blind) == 4
    for row in blind:
        assert np.isnan(row.correlation) == bool(row.note) or row.note == ""


def test_a_mirrored_image_gets_a_mirrored_map() -> None:
    found = robustness(
        "occlusion", Pixelwise(), IMAGE, REGION[:, ::-1] | REGION, window=2,
        outcome="mean_probability",
    )  # fmt: skip
    assert list(found) == list(PERTURBATIONS)
    assert np.isnan(found["flip"])  # nothing outside the region matters to this model
    wide = robustness("occlusion", linear(), IMAGE, REGION, outcome="mean_probability", window=2)
    assert wide["noise"] > 0.9
    assert wide["brightness"] > 0.5
    assert abs(wide["flip"]) < 0.6  # a sum with other weights at mirrored places
    with pytest.raises(ValueError, match="method must be one of"):
        robustness("nothing", linear(), IMAGE, REGION)
