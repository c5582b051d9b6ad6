"""Bars of several kinds in groups, on two scales, beside the rest of the image."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from pdcr_widgets.causal.components import LayerEffect, LayerEffects
from pdcr_widgets.widgets import LayerEffectChart
from pdcr_widgets.widgets.figures import log_place, log_ticks
from pdcr_widgets.widgets.layer_rows import arranged

KINDS = ("mean", "zero", "noise")
LAYERS = {"dec": "decoder", "enc -> dec": "skip", "mid": "bottleneck", "enc": "encoder"}


@pytest.fixture
def effects() -> LayerEffects:
    """Four layers, three kinds; layer n has effects -10 n - k and elsewhere half of them."""
    rows = [
        LayerEffect(
            layer, kind, -10.0 * n - k, 0.5, 4, -5.0 * n - k / 2, 0.1, 9 - n, group, (2, 8, 8)
        )
        for n, (layer, group) in enumerate(LAYERS.items())
        for k, kind in enumerate(KINDS)
    ]
    return LayerEffects(tuple(rows), 90.0, "dice", 0)


def test_rows_go_from_the_encoder_to_the_decoder_with_headings(effects: LayerEffects) -> None:
    rows = arranged(effects, KINDS, "depth")
    assert [label for label in rows.labels.values() if label] == [
        "ENCODER", "enc", "BOTTLENECK", "mid", "SKIPS", "enc → dec", "DECODER", "dec",
    ]  # fmt: skip
    assert [row.kind for row in rows.bars.values()] == list(KINDS) * 4
    assert len(set(rows.names)) == len(rows.names)
    assert rows.of_layer("mid") == [3, 4, 5]
    by_size = arranged(effects, KINDS, "size")
    assert [row.layer for row in by_size.bars.values()][::3] == list(LAYERS)[::-1]
    assert not any(label.isupper() for label in by_size.labels.values())


def test_all_kinds_are_shown_together_unless_one_is_wanted(effects: LayerEffects) -> None:
    chart = LayerEffectChart(effects=effects, intervention="zero")
    assert list(chart._bars.x[:3]) == ["enc zero", "enc mean", "enc noise"]
    assert len(set(chart._bars.opacities[:3])) == 3
    for words in ("Zero", "Its own mean", "Matched noise", "rest of the image"):
        assert words in chart._legend.value
    chart.every_kind = False
    assert list(chart._bars.x) == ["enc zero", "mid zero", "enc -> dec zero", "dec zero"]
    assert "Matched noise" not in chart._legend.value


def test_any_bar_of_a_layer_selects_it_and_all_its_bars(effects: LayerEffects) -> None:
    chart = LayerEffectChart(effects=effects)
    chart._bars.set_state({"selected": [4]})
    assert chart.layer == "mid"
    assert list(chart._bars.selected) == [3, 4, 5]
    for words in ("Zero: −21.00", "rest of the image −10.50", "4 draws"):
        assert words in chart._readout.value
    chart._bars.set_state({"selected": None})
    assert chart.layer is None


def test_diamonds_mark_the_rest_of_the_image_where_it_is_known(effects: LayerEffects) -> None:
    chart = LayerEffectChart(effects=effects)
    assert_allclose(chart._rest.x, [row.elsewhere for row in chart._rows.bars.values()])
    rows = tuple(replace(row, elsewhere=np.nan) if row.layer == "mid" else row for row in effects)
    chart.effects = replace(effects, rows=rows)
    assert not any(name.startswith("mid") for name in chart._rest.y)
    assert len(chart._rest.x) == 9


def test_a_logarithmic_scale_places_bars_errors_and_ticks(effects: LayerEffects) -> None:
    chart = LayerEffectChart(effects=effects, scale="log")
    values = np.array([row.effect for row in chart._rows.bars.values()])
    assert_allclose(chart._bars.y, -np.log1p(-values))
    assert_allclose(chart._errors.x[:, 0], -np.log1p(0.5 - values))
    ticks = {float(place): words for place, words in chart._axes[1].tick_labels.items()}
    assert_allclose(sorted(ticks), np.sort(chart._axes[1].tick_values))
    for place, words in ticks.items():
        value = float(words.replace("\u2212", "-"))
        assert place == pytest.approx(np.sign(value) * np.log1p(abs(value)), abs=1e-3)
    chart.scale = "linear"
    assert_allclose(chart._bars.y, values)
    assert chart._axes[1].tick_labels == {}


def test_ticks_of_a_logarithmic_scale_lie_inside_it() -> None:
    low, high = log_place([-40.0, 2.0])
    assert list(log_ticks(low, high).values()) == [
        "\u221230", "\u221210", "\u22123", "\u22121", "0", "1",
    ]  # fmt: skip
