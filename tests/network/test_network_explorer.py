"""Inside the network, through the messages a page would send; no browser, no thread."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

import numpy as np
from effects import row
from numpy.testing import assert_allclose
from PIL import Image

from pdcr_widgets.causal.components import (
    LayerEffects,
    channel_effects,
    prediction_change,
)
from pdcr_widgets.session import Session
from pdcr_widgets.widgets.channel_strip import ChannelStrip, as_maps, thumbnails
from pdcr_widgets.widgets.family import family
from pdcr_widgets.widgets.network_explorer import NetworkExplorer
from pdcr_widgets.widgets.network_view import NetworkView, as_graph


def test_the_diagram_is_that_of_the_network(explorer: NetworkExplorer, session: Session) -> None:
    graph = explorer.view.graph
    assert [(n["name"], n["group"], n["level"]) for n in graph["nodes"]] == [
        ("enc", "encoder", 0), ("mid", "bottleneck", 1), ("up", "decoder", 0),
        ("head", "decoder", 0),
    ]  # fmt: skip
    assert graph["edges"] == [{"name": "enc -> head", "source": 0, "target": 3}]
    assert graph["flow"] == [[0, 1], [1, 2], [2, 3]]
    assert explorer.view.kinds == ["mean", "zero", "noise"]
    effects = session.layers
    assert effects is not None
    found = explorer.view.effects["mid"]
    assert_allclose([e for e, _ in found], [effects.get("mid", k).effect for k in effects.kinds])


def test_edges_of_modules_inside_stages_join_the_stages() -> None:
    rows = [
        row("a", 0, "encoder", (4, 8, 8)), row("b", 1, "bottleneck", (4, 4, 4)),
        row("a.relu -> c.conv", 2, "skip", (4, 8, 8)), row("c", 3, "decoder", (4, 8, 8)),
        row("c -> output", 4, "skip", (4, 8, 8)),
    ]  # fmt: skip
    assert as_graph(rows)["edges"] == [{"name": "a.relu -> c.conv", "source": 0, "target": 2}]


def test_lines_join_what_reads_what_or_else_what_follows_in_time() -> None:
    rows = [row(name, n, "other", (1, 4, 4)) for n, name in enumerate("abc")]
    assert as_graph(rows, [("a", "c"), ("b", "c"), ("x", "c")])["flow"] == [[0, 2], [1, 2]]
    assert as_graph(rows)["flow"] == [[0, 1], [1, 2]]


def test_effects_not_measured_yet_cross_as_nothing() -> None:
    rows = (replace(row("a", 0, "other", (1, 4, 4)), effect=np.nan, stderr=np.nan),)
    view = NetworkView(LayerEffects(rows, 50.0, "dice", 0))
    assert view.effects == {"a": [[None, None]]}
    view.show(None)
    assert view.graph["nodes"] == []
    view.close()


def test_a_click_shows_the_channels_and_their_effects(
    explorer: NetworkExplorer, session: Session
) -> None:
    explorer.view.set_state({"layer": "mid"})
    assert session.layer == "mid"
    strip = explorer.strip
    assert strip.names == [f"mid[{c}]" for c in range(6)]
    assert strip.thumbs["shape"] == [6, 16, 16]
    expected = channel_effects(
        session.segmenter, session.image, session.region, session.truth, layer="mid",
        intervention="mean",
    )  # fmt: skip
    assert_allclose(strip.effects, [r.effect for r in expected])
    assert strip.layout.display != "none"


def test_a_channel_shows_its_map_and_where_the_prediction_changes(
    explorer: NetworkExplorer, session: Session
) -> None:
    explorer.view.set_state({"layer": "enc"})
    explorer.strip.set_state({"channel": "enc[1]"})
    change = explorer.lens.change
    assert change is not None
    expected = prediction_change(
        session.segmenter, session.image, layer="enc[1]", intervention="mean"
    )
    assert_allclose(change.change, expected.change, atol=1e-6)
    for picture in explorer._pictures:
        drawn = np.asarray(Image.open(BytesIO(picture._image.value)))
        assert drawn.shape[2] == 3
        assert drawn.std() > 0
    assert "enc[1]" in explorer._about_channel.value


def test_another_region_or_layer_starts_anew(explorer: NetworkExplorer, session: Session) -> None:
    explorer.view.set_state({"layer": "enc"})
    explorer.strip.set_state({"channel": "enc[1]"})
    session.region = (16, 16, 8, 8)
    assert explorer.lens.channel is None
    assert explorer.strip.names == ["enc[0]", "enc[1]", "enc[2]"]
    explorer.view.set_state({"layer": None})
    assert explorer.strip.names == []
    assert explorer.strip.layout.display == "none"


def test_a_skip_shows_its_map_and_no_channels(explorer: NetworkExplorer) -> None:
    explorer.view.set_state({"layer": "enc -> head"})
    assert explorer.strip.layout.display == "none"
    assert bytes(explorer._pictures[0]._image.value).startswith(b"\x89PNG")


def test_two_layers_are_pinned_and_compared(explorer: NetworkExplorer, session: Session) -> None:
    effects = session.layers
    assert effects is not None
    for layer in ("enc", "mid", "up"):
        explorer.view.set_state({"layer": layer})
        explorer._pin.click()
    assert explorer.view.pinned == ["mid", "up"]
    words = explorer._comparison.value
    assert words.count("<th>") == 4
    difference = effects.get("mid", "zero").effect - effects.get("up", "zero").effect
    assert f"{abs(difference):.2f}" in words
    explorer._pin.click()
    assert explorer.view.pinned == ["mid"]


def test_what_goes_wrong_is_said(explorer: NetworkExplorer, session: Session) -> None:
    session.layer = "nowhere"
    assert "no layer that ran is called" in explorer._about_channel.value


def test_closing_unties_it(session: Session) -> None:
    explorer = NetworkExplorer(session)
    parts = family(explorer)
    explorer.close()
    session.layer = "enc"
    assert explorer.lens.shown is None
    assert all(part.comm is None for part in parts)


def test_any_layout_becomes_pictures() -> None:
    assert as_maps(np.zeros((5, 16))).shape == (5, 4, 4)
    assert as_maps(np.zeros((5, 10))).shape == (5, 1, 10)
    assert as_maps(np.zeros(5)).shape == (5, 1, 1)
    assert as_maps(np.zeros((5, 3, 8, 9))).shape == (5, 8, 9)
    thumbs = thumbnails(np.arange(2 * 120 * 60, dtype=np.float32).reshape(2, 120, 60))
    assert thumbs["shape"] == [2, 40, 20]
    assert (min(thumbs["data"]), max(thumbs["data"])) == (0, 255)
    strip = ChannelStrip()
    strip.show(None, None)
    assert strip.names == []
    strip.close()
