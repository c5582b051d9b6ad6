"""Questions about the network that a person asks, and what is told."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from effects import row
from numpy.testing import assert_allclose
from PIL import Image

from pdcr_widgets.causal.components import (
    LayerEffects,
    dose_response,
    pair_effects,
    skip_paths,
    window_effects,
    window_map,
)
from pdcr_widgets.session import Session
from pdcr_widgets.widgets.network_explorer import NetworkExplorer
from pdcr_widgets.widgets.network_words import hint, interplay, specificity


def ask(explorer: NetworkExplorer, question: str) -> str:
    explorer.answers.question = question
    return str(explorer._answer._words.value)


def test_the_selection_shows_both_effects_and_whether_they_are_specific(
    explorer: NetworkExplorer, session: Session
) -> None:
    explorer.view.set_state({"layer": "mid"})
    effects = session.layers
    assert effects is not None
    words = explorer._words.value
    for kind in effects.kinds:
        row = effects.get("mid", kind)
        assert np.isfinite(row.elsewhere)
        assert f"{abs(row.effect):.2f}" in words
        assert f"{abs(row.elsewhere):.2f}" in words
    assert "rest of the image" in words


def test_the_diagram_shows_the_rest_of_the_image(
    explorer: NetworkExplorer, session: Session
) -> None:
    explorer.rest = True
    effects = session.layers
    assert effects is not None
    found = explorer.view.effects["mid"]
    assert_allclose([e for e, _ in found], [effects.get("mid", k).elsewhere for k in effects.kinds])


@pytest.mark.parametrize(
    ("effect", "rest", "words"),
    [
        ([-9.0, -5.0], [-1.0, 0.5], "Specific to the region"),
        ([-9.0, -5.0], [-20.0, -6.0], "Not specific"),
        ([-9.0, -5.0], [-1.0, -6.0], "depends on"),
        ([-9.0, np.nan], [np.nan, np.nan], ""),
    ],
)
def test_specificity_is_told_in_words(effect: list[float], rest: list[float], words: str) -> None:
    rows = [
        replace(row("a", 0, "other", (1, 4, 4)), effect=e, elsewhere=r, elsewhere_stderr=0.0)
        for e, r in zip(effect, rest, strict=True)
    ]
    told = specificity(rows)
    assert words in told
    assert bool(told) is bool(words)


def test_where_in_a_layer_its_effect_lies(explorer: NetworkExplorer, session: Session) -> None:
    assert "Select a stage" in ask(explorer, "windows")
    explorer.view.set_state({"layer": "mid"})
    found = explorer.answers.answer
    assert isinstance(found, LayerEffects)
    expected = window_effects(
        session.segmenter, session.image, session.region, session.truth, layer="mid",
        size=1 if found.engine == "incremental" else None,
    )  # fmt: skip
    assert found.layers == expected.layers
    assert_allclose(window_map(found), window_map(expected), atol=1e-3)
    picture = explorer._answer._picture
    assert np.asarray(Image.open(BytesIO(picture._image.value))).std() > 0
    assert picture.layout.display != "none"
    explorer.view.set_state({"layer": "enc -> head"})
    assert picture.layout.display == "none"
    assert "has no positions" in explorer._answer._words.value


def test_a_dose_is_a_curve_in_the_region_and_beside_it(
    explorer: NetworkExplorer, session: Session
) -> None:
    explorer.view.set_state({"layer": "enc -> head"})
    ask(explorer, "dose")
    expected = dose_response(
        session.segmenter, session.image, session.region, session.truth, layer="enc -> head",
        elsewhere=True,
    )  # fmt: skip
    curve = explorer._answer._curve
    assert_allclose(curve.y, [expected.effect, expected.elsewhere], atol=1e-3)
    assert explorer._answer._figure in explorer._answer.children
    explorer.answers.question = ""
    assert explorer._answer._figure not in explorer._answer.children


def test_what_the_skips_do_is_a_table(explorer: NetworkExplorer, session: Session) -> None:
    words = ask(explorer, "paths")
    expected = skip_paths(
        session.segmenter, session.image, session.region, session.truth,
        intervention=("mean", "zero", "noise"), samples=2,
    )  # fmt: skip
    assert words.count("enc → head") == 1
    for found in expected:
        assert f"{abs(found.through_skip):.2f}" in words
        assert f"{round(100 * found.share)} %".replace("-", "−") in words
    assert explorer.strip.layout.display == "none"


def test_two_pinned_components_are_measured_at_once(
    explorer: NetworkExplorer, session: Session
) -> None:
    assert "Pin two components" in ask(explorer, "pair")
    for layer in ("enc -> head", "mid"):
        explorer.view.set_state({"layer": layer})
        explorer._pin.click()
    expected = pair_effects(
        session.segmenter, session.image, session.region, session.truth,
        layers=["mid", "enc -> head"], intervention=("mean", "zero", "noise"), samples=2,
    )  # fmt: skip
    words = explorer._answer._words.value
    for found in expected:
        assert f"{abs(found.interaction):.2f}" in words


@pytest.mark.parametrize(
    ("first", "second", "interaction", "words"),
    [
        (-1.0, -1.0, 0.01, "add"), (-1.0, -1.0, -9.0, "stands in"), (-5.0, -5.0, 5.0, "same work"),
        (-1.0, 2.0, -3.0, "worse together"), (1.0, 2.0, 3.0, "better together"),
    ],
)  # fmt: skip
def test_an_interaction_is_told_in_words(
    first: float, second: float, interaction: float, words: str
) -> None:
    assert words in interplay(first, second, interaction, 0.0)
    assert interplay(first, second, interaction, 99.0) == "they add"


def test_layers_are_replaced_in_a_part_of_the_image(
    explorer: NetworkExplorer, session: Session
) -> None:
    everywhere, area = session.layers, explorer._area
    area.menu.value = "inside"
    assert session.where == "inside"
    assert session.layers is not everywhere
    area.menu.value = "drawn"
    assert "Draw the area" in area._words.value
    drawn = np.zeros(session.image.shape[1:], bool)
    drawn[2:9, 3:7] = True
    area._canvas.region = drawn
    assert_allclose(session.where, drawn)
    assert session.layers.recipe["where"] is not None
    session.image = session.image[:, 1:]
    assert (session.where, area.menu.value) == (None, "everywhere")


def test_stages_that_take_everything_away_are_said_to_be_told_apart_otherwise() -> None:
    rows = tuple(
        replace(row(name, n, "encoder", (1, 4, 4)), effect=-50.0) for n, name in enumerate("abcd")
    )
    assert "cannot be told apart" in hint(LayerEffects(rows, 50.0, "dice", 0))
    assert "cannot be told apart" not in hint(LayerEffects(rows, 90.0, "dice", 0))
