"""The matplotlib figure: its colours, its scale, its refusals."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib as mpl
import numpy as np
import pytest
from toys import SmallNet, box, picture

from pdcr_widgets.causal import ATEMap, ate_map
from pdcr_widgets.causal.components import layer_effects

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


def test_the_outline_runs_along_the_sides_of_the_region(ate: ATEMap) -> None:
    (lines,) = (c for c in ate.plot().collections if c.get_gid() == "region")
    segments = lines.get_segments()
    assert len(segments) == 2 * (6 + 6)
    ends = np.concatenate(segments)
    assert (ends.min(axis=0).tolist(), ends.max(axis=0).tolist()) == ([5.5, 7.5], [11.5, 13.5])


def test_spacing_sets_the_aspect_and_draws_a_round_bar(ate: ATEMap) -> None:
    axes = ate.plot(spacing=(3.0, 2.0))
    assert axes.get_aspect() == 1.5
    (bar,) = axes.lines
    assert float(np.ptp(bar.get_xdata())) == 5.0
    assert [text.get_text() for text in axes.texts] == ["10 mm"]
    assert not ate.plot().lines


def test_a_picture_shows_through_where_there_is_no_effect(ate: ATEMap) -> None:
    shown = ate.plot(image=picture(24, 20), limit=2.0).images[-1]
    effect = np.nan_to_num(np.abs(ate.to_image()))
    np.testing.assert_allclose(shown.get_alpha(), 0.85 * np.minimum(1, effect))


def test_layers_are_bars_in_their_order() -> None:
    effects = layer_effects(
        SmallNet(), picture(1, 24, 20), box((24, 20), slice(8, 14), slice(6, 12)),
        intervention=("mean", "noise"), samples=3, outcome="mean_probability",
    )  # fmt: skip
    axes = effects.plot(kind="noise", limit=50)
    rows = [row for row in effects if row.kind == "noise"]
    assert [bar.get_width() for bar in axes.patches] == pytest.approx([r.effect for r in rows])
    assert [t.get_text() for t in axes.get_yticklabels()] == [r.layer for r in rows]
    assert axes.yaxis_inverted()
    assert axes.get_xlim() == (-50, 50)
    red, blue = mpl.colors.to_rgba("#b2182b"), mpl.colors.to_rgba("#2166ac")
    for bar, row in zip(axes.patches, rows, strict=True):
        assert bar.get_facecolor() == (red if row.effect < 0 else blue)
    axes.figure.canvas.draw()
    with pytest.raises(ValueError, match=r"no effects of kind 'none', only of \['mean', 'noise'\]"):
        effects.plot(kind="none")


def test_bad_figures_are_refused(ate: ATEMap) -> None:
    with pytest.raises(ValueError, match="limit is in points and above 0, got -1"):
        ate.plot(limit=-1)
    with pytest.raises(ValueError, match=r"spacing is \(row, column\) in mm and above 0"):
        ate.plot(spacing=(1, 0))
    volume = ATEMap(
        np.zeros((1, 1, 1)), np.zeros((1, 1, 1)), np.zeros((1, 1, 1), int), 0.0, 0, 4,
        np.zeros((4, 4, 4), bool),
    )  # fmt: skip
    with pytest.raises(ValueError, match=r"two dimensions, this one has shape \(4, 4, 4\)"):
        volume.plot()
