"""A volume's work from a file: every slice is there, with what was drawn on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny
import torch
from torch import nn

import pdcr_widgets as pdcr
from pdcr_widgets.widgets import Explorer, NamedRegion

VOLUME = np.random.default_rng(0).random((1, 6, 32, 32), dtype=np.float32)
TRUTH = VOLUME[0] > 0.6
ASKED: dict[str, Any] = {"samples": 4, "layer_samples": 2, "outcome": "soft_dice"}


def drawn(top: int) -> np.ndarray:
    mask = np.zeros((32, 32), bool)
    mask[top : top + 8, 8:16] = True
    return mask


def done(explorer: Explorer) -> Explorer:
    assert explorer.session.wait(tiny.PATIENCE)
    assert explorer.session.status == "done", explorer.session.error
    return explorer


def again(explorer: Explorer, path: Path, model: Any) -> Explorer:
    pdcr.ExplorerSession.of(explorer).save(path)
    return pdcr.ExplorerSession.load(path).explorer(model)


@pytest.fixture
def explorer() -> Iterator[Explorer]:
    """Regions on two slices, the second one is asked about."""
    image = pdcr.open_image(VOLUME[0], spacing=(3.0, 1.0, 2.0))
    explorer = Explorer(tiny.case().segmenter, image, truth=TRUTH, index=1, **ASKED)
    explorer.canvas.keep = False
    explorer.canvas.region = drawn(8)
    explorer.canvas.regions = [NamedRegion("first", drawn(8))]
    explorer.canvas.index = 4
    explorer.canvas.region = drawn(16)
    yield done(explorer)
    explorer.close()


def test_slices_can_be_looked_through_as_before(explorer: Explorer, tmp_path: Path) -> None:
    found = again(explorer, tmp_path / "work.npz", tiny.case().segmenter)
    try:
        new, old = found.session, explorer.session
        assert (new.status, found.canvas.index, found.canvas.count) == ("done", 4, 6)
        for name in ("image", "region", "truth"):
            np.testing.assert_array_equal(getattr(new, name), getattr(old, name))
        assert (new.spacing, new.grid) == (old.spacing, old.grid) != (None, None)
        np.testing.assert_array_equal(new.ate.effect, old.ate.effect)
        assert found.canvas.effect is not None
        assert not found.canvas.keep
        found.canvas.index = 1
        np.testing.assert_array_equal(found.canvas.region, drawn(8))
        assert [entry.name for entry in found.canvas.regions] == ["first"]
        done(found)
        np.testing.assert_array_equal(new.image, VOLUME[:, 1])
        found.canvas.index = 2
        assert not found.canvas.region.any()
        found.canvas.plane = "coronal"
        assert found.canvas.shape == (6, 32)
    finally:
        found.close()


def test_a_volume_asked_about_as_a_whole_comes_back(tmp_path: Path) -> None:
    torch.manual_seed(3)
    model = nn.Sequential(nn.Conv3d(1, 2, 3, padding=1), nn.ReLU(), nn.Conv3d(2, 1, 1))
    region = np.zeros((8, 8, 8), bool)
    region[:4, :4, :4] = True
    volume = np.random.default_rng(1).random((8, 8, 8), dtype=np.float32)
    given: dict[str, Any] = {"region": region, "patch_size": 4, "baseline": "mean", **ASKED}
    explorer = done(Explorer(model, volume, index=5, truth=volume > 0.5, **given))
    found = again(explorer, tmp_path / "work.npz", model)
    try:
        assert (found.session.status, found.canvas.index) == ("done", 5)
        np.testing.assert_array_equal(found.session.region, region)
        np.testing.assert_array_equal(found.session.truth, volume > 0.5)
        np.testing.assert_array_equal(found.session.ate.effect, explorer.session.ate.effect)
        np.testing.assert_array_equal(found.session.image, volume[None])
    finally:
        found.close()
        explorer.close()


def test_the_demo_volume_is_known_by_its_name(tmp_path: Path) -> None:
    explorer = Explorer(pdcr.demo.load("brain-volume"), with_layers=False, samples=2, patch_size=32)
    explorer.canvas.index += 2
    done(explorer)
    path = tmp_path / "work.npz"
    found = again(explorer, path, None)
    try:
        assert path.stat().st_size < 20_000  # no voxels
        assert found.canvas.index == explorer.canvas.index
        assert found.session.status == "done"
        np.testing.assert_array_equal(found.session.image, explorer.session.image)
        np.testing.assert_array_equal(found.session.ate.effect, explorer.session.ate.effect)
    finally:
        found.close()
        explorer.close()


def test_models_to_choose_from_are_no_part_of_the_file(tmp_path: Path) -> None:
    case = tiny.case()
    models = {"one": case.segmenter, "two": tiny.Net()}
    explorer = done(Explorer(models=models, image=case.image, region=case.region, **ASKED))
    found = again(explorer, tmp_path / "work.npz", case.segmenter)
    try:
        np.testing.assert_array_equal(found.session.ate.effect, explorer.session.ate.effect)
    finally:
        found.close()
        explorer.close()
