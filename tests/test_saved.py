"""An explorer's work from a file: the same question, the same numbers, the same view."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny
import torch

import pdcr_widgets as pdcr
from pdcr_widgets.causal.archive import write_npz
from pdcr_widgets.causal.incremental import build
from pdcr_widgets.demo.case import Case
from pdcr_widgets.keeping import kept
from pdcr_widgets.saved import PLAIN
from pdcr_widgets.session import Session
from pdcr_widgets.widgets import Explorer, NamedRegion

VIEW = {"opacity": 0.3, "limit": 2.5, "colormap": "orange-purple", "show_truth": False,
        "window": (0.1, 0.9), "view": (2.0, 0.4, 0.6), "significant": True}  # fmt: skip


def worked(session: Session, **view: Any) -> Explorer:
    explorer = Explorer(session)
    other = np.roll(session.region, 3, axis=1)
    explorer.canvas.regions = [
        NamedRegion("left", session.region), NamedRegion("right", other, "#00ff00", visible=False)
    ]  # fmt: skip
    explorer.canvas.active = "left"
    for name, value in view.items():
        setattr(explorer.canvas, name, value)
    return explorer


@pytest.fixture
def explorer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Explorer]:
    """No clock decides which engine is used, so that numbers are the same to the bit."""
    monkeypatch.setattr(build._Trial, "slowness", lambda trial, share: "")
    session = Session(
        tiny.case(), threaded=False, samples=4, layer_samples=2, seed=5, outcome="soft_dice"
    )
    explorer = worked(session, **VIEW)
    explorer.session.layer = "first"
    explorer.session.patch = (3, 3)
    yield explorer
    explorer.close()


def again(path: Path, model: Any = None, **options: Any) -> Explorer:
    return pdcr.ExplorerSession.load(path).explorer(model, **options)


def test_everything_comes_back_without_a_computation(explorer: Explorer, tmp_path: Path) -> None:
    path = tmp_path / "work.npz"
    pdcr.ExplorerSession.of(explorer).save(path)
    found = again(path, tiny.case().segmenter.model)
    try:
        old, new = explorer.session, found.session
        assert (new.status, new.generation) == ("done", 0)  # nothing was asked anew
        for name in PLAIN:
            assert getattr(new, name) == getattr(old, name), name
        for name in ("image", "region", "truth"):
            np.testing.assert_array_equal(getattr(new, name), getattr(old, name))
        assert new.bank.digest() == old.bank.digest()
        np.testing.assert_array_equal(new.ate.effect, old.ate.effect)
        assert new.ate.recipe == old.ate.recipe
        assert repr(new.layers.rows) == repr(old.layers.rows)
        np.testing.assert_array_equal(new.prediction.mask, old.prediction.mask)
        assert found.canvas.effect is not None
        assert [(r.name, r.color, r.visible) for r in found.canvas.regions] == [
            ("left", "#ffd60a", True), ("right", "#00ff00", False),
        ]  # fmt: skip
        assert found.canvas.active == "left"
        for name, value in VIEW.items():
            assert getattr(found.canvas, name) == value
        assert found.legend.limit == 2.5
    finally:
        found.close()


def test_work_goes_on_with_the_same_numbers(explorer: Explorer, tmp_path: Path) -> None:
    path = tmp_path / "work.npz"
    pdcr.ExplorerSession.of(explorer).save(path)
    found = again(path, tiny.case().segmenter.model)
    try:
        for session in (found.session, explorer.session):
            session.baseline = "noise"
        for session in (found.session, explorer.session):
            assert session.wait(tiny.PATIENCE)
        assert found.session.ate.engine == explorer.session.ate.engine
        np.testing.assert_array_equal(found.session.ate.effect, explorer.session.ate.effect)
    finally:
        found.close()


def test_no_code_is_in_the_file(explorer: Explorer, tmp_path: Path) -> None:
    made = kept(explorer.session, "session", explorer)
    (tmp_path / made.name).write_bytes(made.data)
    with zipfile.ZipFile(tmp_path / made.name) as archive:
        for name in archive.namelist():
            with archive.open(name) as stream:
                version = np.lib.format.read_magic(stream)
                header = {(1, 0): np.lib.format.read_array_header_1_0}[version](stream)
                assert not header[2].hasobject, name
    assert pdcr.ExplorerSession.load(tmp_path / made.name).settings["seed"] == 5


def test_another_model_is_refused_or_computed_anew(explorer: Explorer, tmp_path: Path) -> None:
    path = tmp_path / "work.npz"
    pdcr.ExplorerSession.of(explorer).save(path)
    other = tiny.Net()
    with pytest.raises(ValueError, match="the model has other weights"):
        again(path, other)
    with pytest.raises(ValueError, match="a file holds no model"):
        again(path)
    found = again(path, other, strict=False)
    try:
        assert found.session.wait(tiny.PATIENCE)
        assert found.session.ate.recipe["model"] != explorer.session.ate.recipe["model"]
    finally:
        found.close()


def test_a_demo_case_is_known_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = tiny.case()
    images = torch.rand(2, 1, tiny.SIDE, tiny.SIDE, generator=torch.Generator().manual_seed(5))
    case = Case(
        name="toy", title="", description="", segmenter=small.segmenter, image=small.image,
        truth=small.truth, region=small.region, bank=small.bank, bank_images=images,
        spacing=(1.0, 2.0), orientation="", card={},
    )  # fmt: skip
    monkeypatch.setitem(pdcr.demo.CASES, "toy", lambda: replace(case))
    explorer = worked(Session(pdcr.demo.load("toy"), threaded=False, samples=4, layer_samples=2))
    kept_one = pdcr.ExplorerSession.of(explorer)
    assert kept_one.case == "toy"
    assert kept_one.arrays == {}
    kept_one.save(tmp_path / "toy.npz")
    found = again(tmp_path / "toy.npz")
    try:
        np.testing.assert_array_equal(found.session.ate.effect, explorer.session.ate.effect)
        assert pdcr.to_python(found) == pdcr.to_python(explorer)
    finally:
        found.close()
        explorer.close()


def test_other_files_are_refused(explorer: Explorer, tmp_path: Path) -> None:
    explorer.session.ate.save(tmp_path / "map.npz")
    with pytest.raises(ValueError, match="holds no explorer session"):
        pdcr.ExplorerSession.load(tmp_path / "map.npz")
    write_npz(tmp_path / "later.npz", {"format": 99, "explorer_session": True}, {})
    with pytest.raises(ValueError, match="written by a later version"):
        pdcr.ExplorerSession.load(tmp_path / "later.npz")
    write_npz(tmp_path / "cut.npz", {"format": 1, "explorer_session": True}, {})
    with pytest.raises(ValueError, match="is not a saved explorer session"):
        pdcr.ExplorerSession.load(tmp_path / "cut.npz")
    with pytest.raises(TypeError, match="give an Explorer, got Session"):
        pdcr.ExplorerSession.of(explorer.session)
    explorer.session.components = (object(),)
    with pytest.raises(ValueError, match="a setting cannot be kept in a file"):
        pdcr.ExplorerSession.of(explorer).save(tmp_path / "bad.npz")
    assert not (tmp_path / "bad.npz").exists()
