"""The matplotlib figure: its colours, its scale, its refusals."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib as mpl
import numpy as np
import pytest
from toys import SmallNet, box, picture

from pdcr_widgets.causal import ATEMap, ate_map

mpl.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot", reason="plot needs matplotlib")


@pytest.fixture(autouse=True)
def figures() -> Iterator[None]:
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def ate() -> ATEMap:
    return ate_map(
        SmallNet(), picture(1, 24, 20), box((24, 20), slice(8, 14), slice(6, 12)), patch_size=4,
        outcome="mean_probability",
    )  # fmt: skip


def test_red_supports_blue_harms_white_is_nothing(ate: ATEMap) -> None:
    shown = ate.plot(limit=10).images[-1]
    red, _, blue, _ = shown.to_rgba(np.array([-5.0, 0.0, 5.0])).T
    assert red[0] > blue[0]
    assert blue[2] > red[2]
    assert min(red[1], blue[1]) > 0.95
    assert shown.get_clim() == (-10, 10)


def test_the_scale_is_symmetric_and_named(ate: ATEMap) -> None:
    axes = ate.plot()
    low, high = axes.images[-1].get_clim()
    assert -low == high == pytest.approx(np.nanmax(np.abs(ate.effect)))
    labels = [a.get_ylabel() for a in axes.figure.axes]
    assert "effect, points (negative: supports the target)" in labels
    axes.figure.canvas.draw()


@pytest.mark.parametrize("image", [picture(24, 20), picture(3, 24, 20).numpy(), None])
def test_an_image_underneath_and_axes_of_ones_own(ate: ATEMap, image: object) -> None:
    figure, axes = plt.subplots()
    assert ate.plot(ax=axes, image=image) is axes
    assert len(axes.images) == (1 if image is None else 2)
    figure.canvas.draw()


def test_a_map_of_zeros_can_be_drawn(ate: ATEMap) -> None:
    flat = ATEMap(np.zeros((6, 5)), np.zeros((6, 5)), np.zeros((6, 5), int), 0.0, 0, 4, ate.region)
    assert flat.plot().images[-1].get_clim() == (-1, 1)


def test_bad_figures_are_refused(ate: ATEMap) -> None:
    with pytest.raises(ValueError, match="limit is in points and above 0, got -1"):
        ate.plot(limit=-1)
    volume = ATEMap(
        np.zeros((1, 1, 1)), np.zeros((1, 1, 1)), np.zeros((1, 1, 1), int), 0.0, 0, 4,
        np.zeros((4, 4, 4), bool),
    )  # fmt: skip
    with pytest.raises(ValueError, match=r"two dimensions, this one has shape \(4, 4, 4\)"):
        volume.plot()
