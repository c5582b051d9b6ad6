"""Figures in one file: what is in them, what they ask nobody for, and what they refuse."""

from __future__ import annotations

import base64
import html
import json
import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent / "causal"))

from toys import SmallNet, box, picture

import pdcr_widgets as pdcr
from pdcr_widgets.causal.results import ATEMap
from pdcr_widgets.standalone import STATIC

SPATIAL = (32, 28)
REGION = box(SPATIAL, slice(8, 16), slice(8, 16))
IMAGE = picture(1, *SPATIAL)
TRUTH = picture(*SPATIAL, seed=4).numpy() > 0.5


def figure_of(path: Path) -> dict[str, Any]:
    """The data in a page, bytes decoded."""
    found = re.search(r'id="pdcr-data">(.*?)</script>', path.read_text(), flags=re.DOTALL)
    assert found

    def decoded(held: dict[str, Any]) -> Any:
        return base64.b64decode(held["base64"]) if set(held) == {"base64"} else held

    return json.loads(found[1], object_hook=decoded)


def grid(wire: dict[str, Any], name: str) -> np.ndarray:
    return np.frombuffer(wire[name], np.float32).reshape(wire["shape"])


@pytest.fixture(scope="module")
def session() -> pdcr.Session:
    made = pdcr.Session(
        SmallNet(), IMAGE, region=REGION, truth=TRUTH, threaded=False, patch_size=4,
        baseline="noise", samples=4, layer_samples=2,
    )  # fmt: skip
    made.run()
    return made


@pytest.fixture(scope="module")
def page(session: pdcr.Session, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("embed") / "figure.html"
    regions = {"Present": REGION, "Other": (20, 4, 6, 6)}
    pdcr.embed(session, path, regions=regions, patch_sizes=(4, 8), title="Two <regions>")
    return path


def test_a_session_brings_every_region_and_patch_size(page: Path, session: pdcr.Session) -> None:
    figure = figure_of(page)
    assert [region["name"] for region in figure["regions"]] == ["Present", "Other"]
    combinations = [(m["region"], m["effect"]["patch_size"]) for m in figure["maps"]]
    assert combinations == [(0, 4), (0, 8), (1, 4), (1, 8)]
    for name in ("effect", "stderr"):
        shown = grid(figure["maps"][0]["effect"], name)
        np.testing.assert_array_equal(shown, getattr(session.ate, name))
    other = pdcr.ate_map(
        SmallNet(), IMAGE, (20, 4, 6, 6), TRUTH, patch_size=8, baseline="noise", samples=4
    )
    np.testing.assert_array_equal(grid(figure["maps"][3]["effect"], "effect"), other.effect)
    mask = np.unpackbits(np.frombuffer(figure["regions"][0]["mask"]["data"], np.uint8))
    np.testing.assert_array_equal(mask[: REGION.size].reshape(SPATIAL), REGION)


def test_maps_of_one_patch_size_share_a_scale(page: Path) -> None:
    maps = figure_of(page)["maps"]
    for size in (4, 8):
        alike = [m["effect"] for m in maps if m["effect"]["patch_size"] == size]
        (limit,) = {effect["limit"] for effect in alike}
        assert limit >= max(np.nanmax(np.abs(grid(effect, "effect"))) for effect in alike)


def test_layers_and_their_channels_are_in_it(page: Path, session: pdcr.Session) -> None:
    layers = figure_of(page)["regions"][0]["layers"]
    rows = [row for row in session.layers if row.kind == session.layers.kinds[0]]
    assert [bar["name"] for bar in layers["bars"]] == [row.layer for row in rows]
    assert [bar["effect"] for bar in layers["bars"]] == pytest.approx([row.effect for row in rows])
    assert {"first", "wide"} <= set(layers["channels"])
    assert layers["replaced"] == "Each layer's output replaced by: Its own mean"
    sizes = [abs(bar["effect"]) for bar in layers["channels"]["first"]]
    assert len(sizes) == 4
    assert sizes == sorted(sizes, reverse=True)


def test_a_page_asks_nobody_and_is_small(page: Path) -> None:
    text = page.read_text()
    assert len(text) < 300_000
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy
    assert policy[1].startswith("default-src &#x27;none&#x27;; ")
    assert not re.search(r"<(link|img|iframe)|src=|@import|fetch\(|XMLHttpRequest", text)


def test_without_a_path_it_is_part_of_the_notebook(session: pdcr.Session, tmp_path: Path) -> None:
    asked = {"regions": {"One": REGION}, "channels": False}
    page = pdcr.embed(session, **asked)
    pdcr.embed(session, tmp_path / "a.html", **asked)
    assert page.html == (tmp_path / "a.html").read_text()
    framed = re.search(r'<iframe srcdoc="([^"]*)"', page._repr_html_())
    assert framed
    assert html.unescape(framed[1]) == page.html
    assert re.fullmatch(r"LivingPage\(0\.\d\d MB\)", repr(page))
    page.save(tmp_path / "b.html")
    assert (tmp_path / "b.html").read_text() == page.html
    with pytest.raises(ValueError, match=r"path must end in \.html"):
        page.save(tmp_path / "b.txt")


def test_hostile_names_stay_text(session: pdcr.Session, tmp_path: Path) -> None:
    name = "</script><script>alert(1)</script><!--"
    pdcr.embed(session, tmp_path / "a.html", regions={name: REGION}, title=name, channels=False)
    text = (tmp_path / "a.html").read_text()
    assert "alert(1)</script>" not in text
    assert text.count("<script") == 2
    assert "<title>&lt;/script&gt;" in text
    figure = figure_of(tmp_path / "a.html")
    assert figure["regions"][0]["name"] == figure["title"] == name
    assert figure["regions"][0]["layers"]["channels"] == {}


def test_an_explorer_and_a_case_are_taken(session: pdcr.Session, tmp_path: Path) -> None:
    case = SimpleNamespace(
        segmenter=pdcr.segmenter(SmallNet()), image=IMAGE, region=REGION, truth=None,
        spacing=(1.0, 2.0), title="A case",
    )  # fmt: skip
    pdcr.embed(case, tmp_path / "case.html", channels=False)
    figure = figure_of(tmp_path / "case.html")
    assert (figure["title"], figure["spacing"], figure["truth"]) == ("A case", [1.0, 2.0], None)
    explorer = pdcr.Explorer(session)
    try:
        session.wait()
        pdcr.embed(explorer, tmp_path / "explorer.html", channels=False)
    finally:
        explorer.close()
    shown = figure_of(tmp_path / "explorer.html")["maps"][0]["effect"]
    np.testing.assert_array_equal(grid(shown, "effect"), session.ate.effect)


def test_maps_alone_bring_their_regions(session: pdcr.Session, tmp_path: Path) -> None:
    ate = session.ate
    coarse = pdcr.ate_map(SmallNet(), IMAGE, REGION, patch_size=8)
    elsewhere = pdcr.ate_map(SmallNet(), IMAGE, (2, 2, 4, 4), patch_size=8)
    pdcr.embed(
        [ate, coarse, elsewhere], tmp_path / "maps.html", image=IMAGE, prediction=TRUTH,
        layers=session.layers,
    )  # fmt: skip
    figure = figure_of(tmp_path / "maps.html")
    assert [m["region"] for m in figure["maps"]] == [0, 0, 1]
    assert [region["layers"] is None for region in figure["regions"]] == [False, True]
    assert figure["prediction"]["data"] == np.packbits(TRUTH).tobytes()
    pdcr.embed(ate, tmp_path / "one.html", image=IMAGE[0])
    assert len(figure_of(tmp_path / "one.html")["maps"]) == 1


def test_what_cannot_be_shown_is_refused(session: pdcr.Session, tmp_path: Path) -> None:
    ate: ATEMap = session.ate
    path = tmp_path / "figure.html"
    with pytest.raises(ValueError, match=r"path must end in \.html, got .*figure\.pdf"):
        pdcr.embed(ate, tmp_path / "figure.pdf", image=IMAGE)
    with pytest.raises(ValueError, match="give it as image="):
        pdcr.embed(ate, path)
    with pytest.raises(ValueError, match=r"a map of \(32, 28\) pixels does not fit"):
        pdcr.embed(ate, path, image=IMAGE[:, :8])
    with pytest.raises(TypeError, match="give one or more ATEMap, got str"):
        pdcr.embed(["map"], path, image=IMAGE)
    with pytest.raises(TypeError, match="an Explorer, a Session, a case or maps"):
        pdcr.embed(3, path)
    with pytest.raises(ValueError, match="the session has no region"):
        pdcr.embed(pdcr.Session(SmallNet(), IMAGE, threaded=False), path)
    with pytest.raises(ValueError, match="colormap must be one of"):
        pdcr.embed(ate, path, image=IMAGE, colormap="jet")
    assert list(tmp_path.iterdir()) == []


def test_the_page_is_made_of_the_built_bundle(page: Path) -> None:
    assert (STATIC / "figure.js").read_text() in page.read_text()
