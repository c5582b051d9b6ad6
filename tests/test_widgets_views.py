"""Each view works alone, can be linked, and says what it shows in words."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import tiny
import torch
import traitlets as t
from numpy.testing import assert_allclose

from pdcr_widgets.causal import ATEMap, PatchBank, PatchDraws
from pdcr_widgets.causal.components import LayerEffect, LayerEffects
from pdcr_widgets.session import Session
from pdcr_widgets.widgets import (
    ATEView,
    BaselineControls,
    LayerEffectChart,
    PatchInspector,
    RunBar,
)
from pdcr_widgets.widgets.colors import COLORMAPS, share_colors
from pdcr_widgets.widgets.thumbnails import SIDE, picture


def ate(effect: list[list[float]], stderr: float = 0.5) -> ATEMap:
    values = np.array(effect, dtype=np.float32)
    return ATEMap(
        effect=values,
        stderr=np.where(np.isnan(values), np.nan, stderr).astype(np.float32),
        samples=np.full(values.shape, 7),
        base=90.0,
        evaluations=1234,
        patch_size=8,
        region=np.zeros((8 * values.shape[0], 8 * values.shape[1]), dtype=bool),
        recipe={"outcome": "dice", "baseline": "noise", "threshold": 0.02, "truth": True},
    )


def effects(*rows: tuple[str, float, float]) -> LayerEffects:
    made = [
        LayerEffect(
            layer=name,
            kind="mean",
            effect=effect,
            stderr=stderr,
            samples=4,
            depth=depth,
            group="decoder",
            shape=(2, 8, 8),
            elsewhere=np.nan,
            elsewhere_stderr=np.nan,
        )
        for depth, (name, effect, stderr) in enumerate(rows)
    ]
    return LayerEffects(tuple(made), 90.0, "dice", 0)


class TestATEView:
    def test_it_says_shares_extremes_and_what_was_measured(self) -> None:
        view = ATEView(ate=ate([[-4.0, 0.0], [np.nan, 2.0], [-1.0, 0.01]]))
        text = view._body.value
        assert "40.0 %" in text
        assert "20.0 %" in text
        assert "strongest −4.00 ± 0.50" in text
        assert "strongest +2.00 ± 0.50" in text
        assert "Dice of the region <b>90.00</b> of 100, against truth" in text
        assert "1\u202f234 evaluations" in text
        assert "gaussian noise" in text

    def test_the_scale_is_symmetric_and_as_wide_as_asked(self) -> None:
        view = ATEView(ate=ate([[-4.0, 1.0]]))
        assert "−5.0" in view._body.value
        assert "+5.0" in view._body.value
        view.limit = 20.0
        assert "−20" in view._body.value
        assert "+20" in view._body.value

    def test_a_map_without_any_effect_is_drawn(self) -> None:
        view = ATEView(ate=ate([[0.0, 0.0]]))
        assert "100.0 %" in view._body.value
        assert "strongest" not in view._body.value

    def test_it_waits_for_a_map_in_words(self) -> None:
        assert "appears here" in ATEView()._body.value

    def test_it_can_be_linked(self) -> None:
        first, second = ATEView(), ATEView()
        t.link((first, "ate"), (second, "ate"))
        t.link((first, "limit"), (second, "limit"))
        first.ate, first.limit = ate([[1.0]]), 3.0
        assert second.ate is first.ate
        assert second._body.value == first._body.value


class TestLayerEffectChart:
    ROWS = (("encoder.0", -30.0, 2.0), ("a -> b", 0.5, 0.25), ("head", -80.0, 0.0))

    def test_bars_and_their_errors(self) -> None:
        chart = LayerEffectChart(effects=effects(*self.ROWS))
        assert list(chart._bars.x) == ["encoder.0 mean", "a -> b mean", "head mean"]
        assert list(chart._bars.y) == [-30.0, 0.5, -80.0]
        assert_allclose(chart._errors.x, [[-32, -28], [0.25, 0.75], [-80, -80]])
        red, blue = (share_colors("red-blue")[kind] for kind in ("supporting", "harming"))
        assert chart._bars.colors == [red, blue, red]

    def test_sorted_by_size(self) -> None:
        chart = LayerEffectChart(effects=effects(*self.ROWS), sort="size")
        assert list(chart._bars.x) == ["head mean", "encoder.0 mean", "a -> b mean"]

    def test_a_click_selects_and_a_second_one_deselects(self) -> None:
        chart = LayerEffectChart(effects=effects(*self.ROWS))
        chart._bars.set_state({"selected": [1]})
        assert chart.layer == "a -> b"
        assert "a → b</b>" in chart._readout.value
        assert "+0.50 ± 0.25 points, 4 draws" in chart._readout.value
        chart.sort = "size"
        assert list(chart._bars.selected) == [2]
        chart._bars.set_state({"selected": None})
        assert chart.layer is None

    def test_a_layer_can_be_selected_without_a_mouse(self) -> None:
        chart = LayerEffectChart(effects=effects(*self.ROWS))
        chart._layer_menu.set_state({"index": 3})
        assert chart.layer == "head"
        assert list(chart._bars.selected) == [2]

    def test_layers_not_measured_yet_have_no_bar(self) -> None:
        chart = LayerEffectChart(effects=effects(("first", np.nan, np.nan), ("last", -1.0, 0.0)))
        assert list(chart._bars.y) == [0.0, -1.0]
        chart.layer = "first"
        assert "n/a" in chart._readout.value

    def test_a_layer_of_another_model_is_not_forgotten_nor_shown(self) -> None:
        chart = LayerEffectChart(effects=effects(*self.ROWS), layer="elsewhere")
        assert chart.layer == "elsewhere"
        assert "Click a bar" in chart._readout.value

    def test_names_are_text_not_markup(self) -> None:
        chart = LayerEffectChart(effects=effects(("<b>x", -1.0, 0.0)), layer="<b>x")
        assert "&lt;b&gt;x" in chart._readout.value

    def test_a_reason_for_nothing_is_shown(self) -> None:
        assert "no module" in LayerEffectChart(note="no module")._readout.value


class TestPatchInspector:
    @staticmethod
    def draws(*values: float) -> PatchDraws:
        return PatchDraws(1, 2, np.array(values), np.zeros((len(values), 1, 4, 4)), 90.0)

    def test_draws_become_a_histogram(self) -> None:
        inspector = PatchInspector(patch=(1, 2), draws=self.draws(-2.0, -1.0, 0.0, 0.0, 0.0))
        assert "mean of 5 draws −0.60 ± 0.40 points, from −2.00 to 0.00" in inspector._words.value
        assert inspector._figure in inspector.children
        bars = inspector._marks[0]
        assert sum(bars.y) == 5
        assert bars.y[list(bars.x).index(0.0)] == 3

    def test_equal_draws_need_no_histogram(self) -> None:
        inspector = PatchInspector(patch=(1, 2), draws=self.draws(0.0, 0.0))
        assert "all 2 draws have the effect 0.00 points" in inspector._words.value
        assert inspector._figure not in inspector.children

    def test_draws_of_another_patch_are_not_shown(self) -> None:
        inspector = PatchInspector(patch=(0, 0), draws=self.draws(-2.0, -1.0))
        assert "measuring" in inspector._words.value
        assert inspector._figure not in inspector.children

    def test_without_a_patch_it_says_what_to_do(self) -> None:
        assert "Click a patch" in PatchInspector()._words.value


class TestBaselineControls:
    def test_the_slider_has_the_range_of_the_image(self) -> None:
        controls = BaselineControls(image=torch.linspace(-3, 5, 64).reshape(1, 8, 8))
        assert (controls._value.min, controls._value.max) == (-3.0, 5.0)
        controls.image = torch.full((1, 8, 8), 70.0)
        assert controls._value.min <= controls.baseline_value <= controls._value.max

    def test_the_value_is_asked_for_only_where_it_counts(self) -> None:
        controls = BaselineControls(baseline="mean")
        assert controls._value.layout.display == "none"
        controls.baseline = "constant"
        assert controls._value.layout.display is None

    def test_a_bank_that_goes_takes_its_baseline_along(self) -> None:
        bank = PatchBank(torch.rand(5, 1, 8, 8))
        controls = BaselineControls(bank=bank, baseline="bank")
        assert "5 patches of 8 × 8 px" in controls._caption.value
        controls.bank = None
        assert controls.baseline == "mean"

    def test_it_can_be_linked(self) -> None:
        first, second = BaselineControls(), BaselineControls()
        t.link((first, "baseline"), (second, "baseline"))
        first.baseline = "noise"
        assert second._kind.value == "noise"


class TestRunBar:
    @staticmethod
    def bar(**inputs: Any) -> RunBar:
        return RunBar(Session(tiny.case(), threaded=False, samples=4, **inputs))

    def test_the_buttons_work(self) -> None:
        bar = self.bar()
        assert "Ready" in bar._status.value
        bar._run._handle_custom_msg({"event": "click"}, [])
        assert "Done" in bar._status.value
        assert re.search(r"(full|incremental) engine(</abbr>)? on cpu", bar._status.value)
        assert "sigmoid" in bar._status.value
        assert not bar._run.disabled
        assert bar._pause.disabled
        assert bar._stop.disabled

    def test_an_error_is_shown_as_text(self) -> None:
        bar = self.bar(patch_size=tiny.SIDE + 1)
        bar._run._handle_custom_msg({"event": "click"}, [])
        assert "Failed" in bar._status.value
        assert "too small for patches of 33 pixels" in bar._error.value

    @pytest.mark.parametrize(
        ("truth", "threshold", "words"),
        [(True, 1.0, "misses the target"), (False, 1.0, "they agree"), (False, 0.0, "some")],
    )
    def test_empty_sets_are_told_in_words(self, truth: bool, threshold: float, words: str) -> None:
        case = tiny.case()
        session = Session(
            replace(case.segmenter, threshold=threshold),
            case.image,
            truth=case.truth & truth,
            region=case.region,
            threaded=False,
            samples=4,
        )
        session.run()
        assert words in RunBar(session)._status.value


def test_thumbnails_are_nearest_pixels_in_the_window() -> None:
    patch = np.array([[[0.0, 1.0], [2.0, 3.0]]])
    shown = picture(patch, (0.0, 2.0))
    assert shown.shape == (SIDE, SIDE, 4)
    corners = [shown[0, 0, 0], shown[0, -1, 0], shown[-1, 0, 0], shown[-1, -1, 0]]
    assert corners == [0, 128, 255, 255]


def test_colormaps_are_white_in_the_middle() -> None:
    assert {stops[len(stops) // 2] for stops in COLORMAPS.values()} == {"#ffffff"}
