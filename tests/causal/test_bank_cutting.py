"""Patches that are nearly the same, and a look at all of them."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from toys import picture, quick

from pdcr_widgets.causal.bank import PatchBank
from pdcr_widgets.causal.patch_figure import sheet


@quick
@given(st.lists(st.integers(0, 5), min_size=1, max_size=12), st.floats(0, 0.5))
def test_near_duplicates_are_left_out(values: list[int], tolerance: float) -> None:
    levels = torch.tensor(values, dtype=torch.float32)
    bank = PatchBank(levels[:, None, None, None].expand(-1, 1, 2, 2))
    spread = np.std(values)
    kept: list[int] = []
    for value in values:
        if all(abs(value - other) > tolerance * spread for other in kept):
            kept.append(value)
    assert bank.distinct(tolerance).patches[:, 0, 0, 0].tolist() == kept


def test_many_patches_are_compared_in_parts() -> None:
    levels = (torch.arange(1300) % 7).float()
    bank = PatchBank(
        levels[:, None, None, None].expand(-1, 2, 3, 3), picture(1300, 2, 1)[..., 0].numpy()
    )
    few = bank.distinct(0)
    assert few.patches[:, 0, 0, 0].tolist() == list(range(7))
    np.testing.assert_array_equal(few.positions, bank.positions[:7])
    with pytest.raises(ValueError, match="tolerance must be at least 0"):
        bank.distinct(-1)


def test_a_look_at_a_bank() -> None:
    bank = PatchBank(picture(30, 1, 4, 4))
    axes = bank.plot(count=13)
    assert "30 patches of 4 x 4 pixels" in axes.get_title()
    plt.close(axes.figure)
    whole = sheet(bank.patches, 13)
    assert whole.shape == (9, 59)
    np.testing.assert_array_equal(whole[:4, :4], bank.patches[0, 0])
    np.testing.assert_array_equal(whole[5:, :4], bank.patches[29, 0])
    assert np.isnan(whole[4]).all()
    assert sheet(picture(2, 3, 4, 4), 9).shape == (4, 9, 3)
    np.testing.assert_array_equal(sheet(picture(1, 2, 5, 4, 4), 9), picture(1, 2, 5, 4, 4)[0, 0, 2])
    with pytest.raises(ValueError, match="count must be at least 1"):
        bank.plot(0)
