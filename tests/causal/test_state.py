"""Running estimates: what a group says of its patches, and what only they say themselves."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from toys import Pixelwise, box, picture

from pdcr_widgets.causal.experiment import Experiment, Target
from pdcr_widgets.causal.full import FullEngine
from pdcr_widgets.causal.state import Estimates


@pytest.fixture
def estimates() -> Estimates:
    """Twelve patches, of which number 5 touches the region."""
    target = Target.of(Pixelwise(), picture(1, 12, 16), box((12, 16), slice(5, 7), slice(5, 7)))
    engine = FullEngine(target.segmenter, target.image, target.window)
    held = Experiment.of(target, 4, 0.0, engine, seed=0)
    return Estimates(held, {"threshold": 0.02})


def test_at_first_nothing_is_known(estimates: Estimates) -> None:
    ate = estimates.update(10, "first").map
    outside = np.isfinite(ate.effect)
    assert outside.sum() == 11
    assert np.isinf(ate.stderr[outside]).all()
    assert np.isnan(ate.stderr[1, 1])


def test_a_group_shares_its_effect_out(estimates: Estimates) -> None:
    estimates.sketch(np.array([[0, 1, 4, -1], [2, 3, 6, 7]]), np.array([-3.0, 8.0]))
    ate = estimates.update(10, "first").map
    assert_array_equal(ate.effect[0], [-1, -1, 2, 2])
    assert_array_equal(ate.effect[1, [0, 2, 3]], [-1, 2, 2])
    assert_array_equal(ate.stderr[0], [1, 1, 2, 2])
    assert not ate.samples.any()
    assert not ate.significant.any()


def test_a_group_without_effect_is_not_exact(estimates: Estimates) -> None:
    estimates.sketch(np.array([[0, 1, 4, -1]]), np.array([0.0]))
    ate = estimates.update(10, "first").map
    assert_array_equal(ate.effect[0, :2], 0)
    assert_array_equal(ate.stderr[0, :2], np.float32(0.02))


def test_a_group_does_not_overwrite_what_is_measured(estimates: Estimates) -> None:
    estimates.settle(np.array([1]), 5.0, 0.5, 4)
    estimates.sketch(np.array([[0, 1, 4, -1]]), np.array([-3.0]))
    ate = estimates.update(10, "first").map
    assert_array_equal(ate.effect[0, :2], [-1, 5])
    assert_array_equal(ate.stderr[0, :2], [1, 0.5])
    assert_array_equal(ate.samples[0, :2], [0, 4])


def test_the_total_is_never_below_what_is_done(estimates: Estimates) -> None:
    estimates.experiment.evaluations = 30
    update = estimates.update(10, "late")
    assert (update.done, update.total) == (30, 30)
