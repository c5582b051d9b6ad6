"""Axes and bins that are easy to read, whatever the numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pdcr_widgets.widgets.figures import axis_range, bins
from pdcr_widgets.widgets.text import duration, layer_name, percent, rate, shorten, signed

POINTS = st.lists(st.floats(-100, 100), min_size=1, max_size=30)


@given(POINTS)
@example([5e-324])
@example([-5e-324, 0.0])
def test_an_axis_holds_its_values_and_zero_with_few_round_ticks(values: list[float]) -> None:
    low, high, ticks = axis_range(values)
    assert low <= min([0.0, *values])
    assert max([0.0, *values]) <= high
    assert 1 <= len(ticks) <= 12
    assert np.abs(ticks).min() == 0
    assert low < high


@given(POINTS)
def test_every_value_is_in_one_bin_and_one_bin_is_centred_on_zero(values: list[float]) -> None:
    centres, counts = bins(np.array(values), 15)
    assert counts.sum() == len(values)
    assert 0.0 in centres


@pytest.mark.parametrize(
    ("value", "stderr", "text"),
    [
        (-3.2149, 0.136, "−3.21 ± 0.14"),
        (2.0, 0.0, "+2.00 (exact)"),
        (0.0, 0.5, "0.00 ± 0.50"),
        (-1.0, float("nan"), "−1.00"),
        (float("nan"), 0.1, "n/a"),
    ],
)
def test_effects_are_written_with_sign_and_error(value: float, stderr: float, text: str) -> None:
    assert signed(value, stderr) == text


def test_other_numbers_and_names() -> None:
    assert [percent(share) for share in (0.0, 0.0004, 0.125)] == ["0.0 %", "< 0.1 %", "12.5 %"]
    assert [duration(s) for s in (0.2, 42, 600, 9000)] == ["< 1 s", "42 s", "10 min", "2.5 h"]
    assert [rate(r) for r in (2.34, 1234.5)] == ["2.3/s", "1\u202f234/s"]
    assert layer_name("encoder.0 -> decoder.2") == "encoder.0 → decoder.2"
    assert shorten("backbone.encoder.layer4.1.conv2", 16) == "backb…r4.1.conv2"
    assert shorten("head", 16) == "head"
