"""Every widget and every result as text and picture, for places that run no widgets."""

from __future__ import annotations

import base64
import inspect
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ipywidgets
import numpy as np
import pytest
import tiny
from lessons.world import PATCH, world
from PIL import Image

import pdcr_widgets as pdcr
from pdcr_widgets import causal, evaluate, images, widgets
from pdcr_widgets.causal import components
from pdcr_widgets.causal.pictured import Pictured
from pdcr_widgets.causal.sweep_figure import changed_pixels
from pdcr_widgets.session import Session
from pdcr_widgets.widgets.view import View

Made = Callable[[Session, Path], Any]


def compared(session: Session, _folder: Path) -> Any:
    view = pdcr.ComparisonView(session)
    view.judging.methods = ["occlusion", "random"]
    view.judging.run()
    return view


def chooser(_session: Session, folder: Path) -> Any:
    (folder / "study").mkdir()
    (folder / "study" / "lesion.png").write_bytes(b"1234")
    return pdcr.FileChooser(folder / "study", limit=2**20)


def network(session: Session, _folder: Path) -> Any:
    return widgets.NetworkView(session.layers)


def probe(session: Session, _folder: Path) -> Any:
    return pdcr.lessons.PatchProbe(world(), patch_size=PATCH, threaded=False)


LESSON: dict[str, Any] = {"patch_size": PATCH, "threaded": False}
WIDGETS: dict[str, tuple[Made, str]] = {
    "Explorer": (lambda s, _: pdcr.Explorer(s), "Explorer(32 x 32 pixels, done)"),
    "RegionCanvas": (
        lambda s, _: pdcr.RegionCanvas(s.image, region=s.region),
        "RegionCanvas(32 x 32 pixels, region of 64 pixels)",
    ),
    "SliceViewer": (
        lambda s, _: pdcr.SliceViewer(np.random.default_rng(0).random((4, 5, 6))),
        "SliceViewer(5 x 6 pixels, region of 0 pixels)",
    ),
    "ATEView": (lambda s, _: pdcr.ATEView(s), "ATEMap(4 x 4 patches of 8 pixels, outcome "),
    "LayerEffectChart": (lambda s, _: pdcr.LayerEffectChart(s), "LayerEffects(2 components, "),
    "NetworkExplorer": (lambda s, _: pdcr.NetworkExplorer(s), "LayerEffects(2 components, "),
    "NetworkView": (network, "NetworkView(first: mean "),
    "PatchInspector": (
        lambda s, _: pdcr.PatchInspector(s),
        "PatchInspector(Patch in row 0, column 0 (first pixel: row 0, column 0): ",
    ),
    "BaselineControls": (
        lambda s, _: pdcr.BaselineControls(s), "BaselineControls(Natural patches)",
    ),
    "ComparisonView": (compared, "Comparison of 2 methods: "),
    "KeepBar": (lambda s, _: pdcr.KeepBar(s), "KeepBar(14 kinds of files)"),
    "FileChooser": (
        chooser, "FileChooser(Nothing chosen; Folder study; lesion.png, 4 bytes; Files of this",
    ),
    "FileInputs": (lambda s, _: widgets.FileInputs(s), "FileInputs(Use as: Image; Nothing chosen"),
    "QuestionControls": (
        lambda s, _: widgets.QuestionControls(s),
        "QuestionControls(Patch, px: 8; Outcome: Soft Dice; Sampling: Adaptive; Draws: 4)",
    ),
    "RunBar": (lambda s, _: widgets.RunBar(s), "RunBar([Run]; [Pause]; [Stop]; Done "),
    "Lesson": (lambda s, _: pdcr.lessons.Lesson(2), "Lesson(All lessons 1 2 3 4 5; [Start again];"),
    "Question": (
        lambda s, _: pdcr.lessons.Question("Why?", {"a < b": "Yes.", "c": "No."}, "c"),
        "Question(Why?; [a < b]; [c])",
    ),
    "PatchStage": (
        lambda s, _: pdcr.lessons.PatchStage(s.image, mode="drag", place=(4, 8), region=s.region),
        "PatchStage(32 x 32 pixels, patches of 16, patch at row 4, column 8)",
    ),
    "PatchProbe": (probe, "PatchProbe("),
    "BaselineLab": (lambda s, _: pdcr.lessons.BaselineLab(world(), **LESSON), "BaselineLab("),
    "TwoNetworks": (
        lambda s, _: pdcr.lessons.TwoNetworks(world(), world(None), **LESSON), "TwoNetworks(",
    ),
    "SkipSwitches": (
        lambda s, _: pdcr.lessons.SkipSwitches(tiny.unet_case(), threaded=False), "SkipSwitches(",
    ),
    "DeletionGame": (
        lambda s, _: pdcr.lessons.DeletionGame(world(), deletions=2, **LESSON),
        "DeletionGame(target region prediction now truth; Choose 2 more patches, the ",
    ),
}  # fmt: skip
"""How each public widget is made, and how its text begins."""


def asked(session: Session) -> dict[str, Any]:
    return {
        "model": session.segmenter, "image": session.image, "region": session.region,
        "outcome": "soft_dice",
    }  # fmt: skip


def curve(session: Session, _folder: Path) -> Any:
    ate = session.ate
    return pdcr.deletion_curve(
        session.segmenter, session.image, session.region, np.nan_to_num(ate.effect), patch_size=8
    )


def stages(session: Session) -> list[str]:
    return [row.layer for row in session.layers if row.kind == "mean" and " -> " not in row.layer]


def unet(_session: Session, _folder: Path) -> Any:
    case = tiny.unet_case()
    return pdcr.skip_paths(case.segmenter, case.image, case.region, outcome="soft_dice")


RESULTS: dict[str, tuple[Made, str]] = {
    "ATEMap": (lambda s, _: s.ate, "ATEMap(4 x 4 patches of 8 pixels, outcome 60.71 of 100, "),
    "LayerEffects": (lambda s, _: s.layers, "LayerEffects(2 components, soft_dice "),
    "Sweep": (lambda s, _: pdcr.Sweep.run(s.segmenter, s.image, patch_size=8), "Sweep("),
    "Comparison": (lambda s, f: compared(s, f).judging.comparison, "Comparison of 2 methods: "),
    "Curve": (curve, "Curve("),
    "PatchDraws": (lambda s, _: s.draws, "PatchDraws(patch (0, 0): 4 draws, mean effect "),
    "PatchBank": (lambda s, _: s.bank, "PatchBank("),
    "OpenedImage": (
        lambda s, _: pdcr.open_image(np.random.default_rng(0).random((5, 12, 9))), "<OpenedImage: ",
    ),
    "DoseResponse": (
        lambda s, _: pdcr.dose_response(**asked(s), layer=stages(s)[0]),
        "DoseResponse(layer='first', factors=(0.0, ",
    ),
    "PredictionChange": (
        lambda s, _: pdcr.prediction_change(s.segmenter, s.image, layer=stages(s)[0]),
        "PredictionChange(first := zero: probability ",
    ),
    "PairEffects": (
        lambda s, _: pdcr.pair_effects(**asked(s), layers=stages(s)[:2]),
        "PairEffects(rows=(PairEffect(first='first', ",
    ),
    "SkipPathTable": (unet, "SkipPathTable(rows=(SkipPaths(skip='enc -> "),
}  # fmt: skip
"""How each public result is made, and how its text begins."""

NO_RESULTS = {
    *("ATEUpdate", "ComparisonUpdate", "LayerEffectUpdate", "SweepUpdate"),  # hold a result
    *("LayerEffect", "PairEffect", "SkipPaths", "Drops", "Verdict", "Randomised"),  # rows of one
    *("Component", "Intervention", "Perturbation", "NamedRegion", "Stage"),  # what is asked with
    *("Segmenter", "Prepared", "Session", "ExplorerSession"),  # what is asked
}
"""Public classes that are neither a widget nor what an answer consists of."""


def public() -> dict[str, type]:
    """Every class that has a public name."""
    homes = (pdcr, pdcr.lessons, widgets, causal, components, evaluate, images)
    named = {n: getattr(home, n) for home in homes for n in home.__all__}
    return {n: each for n, each in named.items() if inspect.isclass(each)}


def is_widget(each: type) -> bool:
    return issubclass(each, ipywidgets.DOMWidget)


VIEWS = ["ATEView", "LayerEffectChart", "NetworkExplorer", "PatchInspector", "BaselineControls",
         "ComparisonView"]  # fmt: skip


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    session = Session(tiny.case(), threaded=False, samples=4, layer_samples=2, outcome="soft_dice")
    session.run()
    session.patch = (0, 0)
    yield session
    session.close()


def shown(widget: Any) -> dict[str, Any]:
    bundle = widget._repr_mimebundle_()
    return bundle[0] if isinstance(bundle, tuple) else bundle


def opened(png: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(png)) as image:
        return np.asarray(image.convert("RGB"))


def is_a_picture(png: bytes) -> bool:
    """Whether a PNG file has a size that can be looked at, and something is on it."""
    pixels = opened(png)
    colors = np.unique(pixels.reshape(-1, 3), axis=0)
    return min(pixels.shape[:2]) > 30 and len(colors) > 2


def test_no_public_widget_or_result_is_forgotten() -> None:
    classes = public()
    assert {n for n, each in classes.items() if is_widget(each)} == set(WIDGETS)
    others = {n for n, each in classes.items() if not is_widget(each)}
    assert others - NO_RESULTS == set(RESULTS)
    assert {n for n in others if issubclass(classes[n], Pictured)} == set(RESULTS)


@pytest.mark.parametrize("name", WIDGETS)
def test_a_widget_leaves_a_text_and_a_picture(name: str, session: Session, tmp_path: Path) -> None:
    make, text = WIDGETS[name]
    widget = make(session, tmp_path)
    try:
        bundle = shown(widget)
        assert bundle["text/plain"].startswith(text)
        assert len(bundle["text/plain"]) > len(name) + 12
        assert "application/vnd.jupyter.widget-view+json" in bundle
        assert is_a_picture(base64.b64decode(bundle["image/png"]))
    finally:
        widget.close()


@pytest.mark.parametrize("name", RESULTS)
def test_a_result_leaves_a_text_and_a_picture(name: str, session: Session, tmp_path: Path) -> None:
    make, text = RESULTS[name]
    result = make(session, tmp_path)
    assert type(result).__name__ == name
    assert repr(result).startswith(text)
    assert is_a_picture(result._repr_png_())


@pytest.mark.parametrize("name", VIEWS)
def test_before_there_is_a_result_it_says_so(name: str) -> None:
    case = tiny.case()
    waiting = Session(case.segmenter, case.image, threaded=False)
    widget = getattr(pdcr, name)(waiting)
    try:
        bundle = shown(widget)
        assert bundle["text/plain"].startswith(name)
        assert widget.still() is None
        assert is_a_picture(base64.b64decode(bundle["image/png"]))
    finally:
        widget.close()
        waiting.close()


def test_the_picture_of_the_lessons_stage_is_what_is_seen() -> None:
    image = np.zeros((1, 64, 64), np.float32)
    image[0, 0, 0] = 1
    stage = pdcr.lessons.PatchStage(image, mode="drag", patch_size=16, place=(60, 8))
    stage.show_paste(np.ones((1, 16, 16), np.float32))
    pixels = opened(stage.still())
    scale = pixels.shape[0] // 64
    middle = pixels[scale // 2 :: scale, scale // 2 :: scale]
    assert (middle[50:62, 10:22] == 255).all()  # moved inside at the lower edge
    assert (middle[20:40] == 0).all()
    stage.close()


def test_what_is_hidden_is_not_said() -> None:
    hidden = ipywidgets.HTML("secret", layout=ipywidgets.Layout(display="none"))
    view = View()
    view.fill(hidden, ipywidgets.HTML("<b>told</b> &lt;i&gt;"))
    assert repr(view) == "View(told <i>)"
    view.close()


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
