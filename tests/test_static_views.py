"""Every widget and every result as text and picture, for places that run no widgets."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import tiny
from PIL import Image

import pdcr_widgets as pdcr
from pdcr_widgets.causal.sweep_figure import changed_pixels
from pdcr_widgets.session import Session
from pdcr_widgets.widgets.view import View

SAYS = {
    "Explorer": "Explorer(32 x 32 pixels, done)",
    "RegionCanvas": "RegionCanvas(32 x 32 pixels, region of 64 pixels)",
    "SliceViewer": "SliceViewer(5 x 6 pixels, region of 0 pixels)",
    "ATEView": "ATEMap(4 x 4 patches of 8 pixels, outcome ",
    "LayerEffectChart": "LayerEffects(",
    "NetworkExplorer": "LayerEffects(",
    "PatchInspector": "PatchInspector(Patch in row 0, column 0 (first pixel: row 0, column 0): ",
    "BaselineControls": "BaselineControls(Natural patches)",
    "ComparisonView": "Comparison of 2 methods: ",
}


VIEWS = [n for n in SAYS if issubclass(getattr(pdcr, n), View) and n != "Explorer"]
CONTROLS = {"FileChooser", "KeepBar"}
"""Widgets that show nothing but controls."""


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    session = Session(tiny.case(), threaded=False, samples=4, layer_samples=2, outcome="soft_dice")
    session.run()
    session.patch = (0, 0)
    yield session
    session.close()


def made(name: str, session: Session) -> Any:
    if name == "Explorer":
        return pdcr.Explorer(session)
    if name == "RegionCanvas":
        return pdcr.RegionCanvas(session.image, region=session.region)
    if name == "SliceViewer":
        return pdcr.SliceViewer(np.random.default_rng(0).random((4, 5, 6)))
    widget = getattr(pdcr, name)(session)
    if name == "ComparisonView":
        widget.judging.methods = ["occlusion", "random"]
        widget.judging.run()
    return widget


def shown(widget: Any) -> dict[str, Any]:
    bundle = widget._repr_mimebundle_()
    return bundle[0] if isinstance(bundle, tuple) else bundle


def opened(png: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(png)) as image:
        return np.asarray(image.convert("RGB"))


@pytest.mark.parametrize("name", SAYS)
def test_a_widget_leaves_a_text_and_a_picture(name: str, session: Session) -> None:
    widget = made(name, session)
    try:
        bundle = shown(widget)
        assert bundle["text/plain"].startswith(SAYS[name])
        assert "application/vnd.jupyter.widget-view+json" in bundle
        assert (
            len(np.unique(opened(base64.b64decode(bundle["image/png"])).reshape(-1, 3), axis=0)) > 3
        )
    finally:
        widget.close()


@pytest.mark.parametrize("name", VIEWS)
def test_before_there_is_a_result_it_says_so(name: str) -> None:
    case = tiny.case()
    waiting = Session(case.segmenter, case.image, threaded=False)
    widget = getattr(pdcr, name)(waiting)
    try:
        bundle = shown(widget)
        assert bundle["text/plain"].startswith(name)
        assert "image/png" not in bundle
    finally:
        widget.close()
        waiting.close()


def test_every_public_widget_is_looked_at() -> None:
    import ipywidgets

    public = {n for n in pdcr.__all__ if isinstance(getattr(pdcr, n), type)}
    widgets = {n for n in public if issubclass(getattr(pdcr, n), ipywidgets.DOMWidget)}
    homes = pdcr._HOME
    assert {n for n in widgets if homes[n] == "widgets"} == {*SAYS, *CONTROLS}


def test_results_leave_a_text_and_a_picture(session: Session) -> None:
    sweep = pdcr.Sweep.run(session.segmenter, session.image, patch_size=8)
    results = {"ATEMap(": session.ate, "LayerEffects(": session.layers, "Sweep(": sweep}
    for text, result in results.items():
        assert repr(result).startswith(text)
        assert max(map(len, repr(result).splitlines())) < 200
        assert opened(result._repr_png_()).std() > 0


def test_a_sweep_shows_how_many_pixels_each_patch_moves() -> None:
    sweep = pdcr.Sweep(
        probability=np.zeros((4, 6), np.float32), threshold=0.5, patch_size=3,
        cells=np.array([0, 0, 3]), offsets=np.array([0, 2, 6, 9]),
        pixels=np.arange(9, dtype=np.uint32), change=np.zeros(9, np.int16),
    )  # fmt: skip
    assert changed_pixels(sweep).tolist() == [[3, 0], [0, 3]]


def test_volumes_and_empty_results_have_a_text_only() -> None:
    image = np.random.default_rng(0).random((1, 6, 6, 6), dtype=np.float32)
    ate = pdcr.ate_map(lambda x: x, image, (2, 2, 2, 2, 2, 2), patch_size=2, outcome="area")
    assert ate._repr_png_() is None
    assert repr(ate).startswith("ATEMap(3 x 3 x 3 patches of 2 pixels")
