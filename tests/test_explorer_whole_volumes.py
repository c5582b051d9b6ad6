"""A model that is fed whole volumes: cubes are replaced, and the map is looked at in slices."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from torch import nn

from pdcr_widgets import ate_map
from pdcr_widgets.causal import ATEMap
from pdcr_widgets.widgets import Explorer
from pdcr_widgets.widgets.canvas_planes import plane_of
from pdcr_widgets.widgets.canvas_wire import mask_to_wire
from pdcr_widgets.widgets.volume_target import VolumeTarget
from pdcr_widgets.widgets.volumes import Volume

SHAPE = (10, 12, 16)
REGION = np.zeros(SHAPE, bool)
REGION[4:8, 4:8, 4:8] = True
QUIET: dict[str, Any] = {"threaded": False, "patch_size": 4, "outcome": "soft_dice"}


def model() -> nn.Module:
    torch.manual_seed(3)
    wide = nn.Conv3d(1, 2, 5, padding=2)
    return nn.Sequential(wide, nn.ReLU(), nn.Conv3d(2, 1, 3, padding=1))


def values() -> np.ndarray:
    return np.random.default_rng(0).random((1, *SHAPE), dtype=np.float32)


def some_map(size: int) -> ATEMap:
    """A map whose effect says where its patch is."""
    grid = tuple(-(-n // size) for n in SHAPE)
    effect = np.arange(np.prod(grid), dtype=np.float32).reshape(grid)
    return ATEMap(effect, effect / 100, effect.astype(int), 50.0, 1, size, REGION)


@pytest.fixture
def explorer() -> Iterator[Explorer]:
    explorer = Explorer(model(), values()[0], region=REGION, index=5, **QUIET)
    yield explorer
    explorer.close()


def test_the_map_is_that_of_the_function(explorer: Explorer) -> None:
    session = explorer.session
    assert (session.status, session.error) == ("done", "")
    expected = ate_map(
        model(), values(), REGION, patch_size=4, baseline="mean", outcome="soft_dice", samples=50
    )
    assert session.ate.effect.shape == (3, 3, 4)
    assert_array_equal(session.ate.effect, expected.effect)
    assert len(session.layers) > 0


@pytest.mark.parametrize("size", [2, 3, 4])
@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
def test_every_slice_shows_its_part_of_the_map(plane: str, size: int) -> None:
    canvas = VolumeTarget(Volume(values(), orientation="SPL", plane=plane, index=5))
    ate = some_map(size)
    canvas.show_effect(ate)
    for index in (5, 7):
        canvas.index = index
        wire = canvas.effect
        shown = np.frombuffer(wire["effect"], np.float32).reshape(wire["shape"])
        side = wire["patch_size"]
        pixels = shown.repeat(side, 0).repeat(side, 1)[: canvas.shape[0], : canvas.shape[1]]
        where = np.indices(SHAPE)
        cells = ate.effect[tuple(where // size)]
        assert_array_equal(pixels, plane_of(plane, "SPL").take(cells, index))
    canvas.clear_effect()
    canvas.index = 6
    assert canvas.effect is None


def test_region_and_contours_are_cut(explorer: Explorer) -> None:
    canvas = explorer.canvas
    assert_array_equal(canvas.region, REGION[5])
    assert_array_equal(canvas.target, REGION)
    assert_array_equal(canvas.prediction, explorer.session.prediction.mask[5])
    canvas.set_state({"plane": "sagittal"})
    canvas.set_state({"index": 6})
    assert_array_equal(canvas.region, REGION[::-1, :, 6])
    assert_array_equal(canvas.prediction, explorer.session.prediction.mask[::-1, :, 6])
    probability = explorer.session.prediction.probability[::-1, :, 6]
    np.testing.assert_allclose(canvas.probability, probability, atol=1e-6)


def test_what_is_drawn_on_a_slice_is_part_of_the_region(explorer: Explorer) -> None:
    canvas = explorer.canvas
    canvas.depth = 3
    drawn = np.zeros(SHAPE[1:], bool)
    drawn[2:6, 8:12] = True
    canvas.index = 9
    canvas.set_state({"region": mask_to_wire(drawn)})
    expected = REGION.copy()
    expected[8:10] = drawn
    assert_array_equal(explorer.session.region, expected)
    assert explorer.session.status == "done"
    assert canvas.effect["generation"] == explorer.session.generation


def test_a_sweep_answers_for_volumes_too(explorer: Explorer) -> None:
    session, canvas = explorer.session, explorer.canvas
    session.make_sweep()
    assert canvas.live
    drawn = np.zeros(SHAPE[1:], bool)
    drawn[2:8, 2:8] = True
    canvas.set_state({"region": mask_to_wire(drawn), "drawing": True})
    assert session.previewed[5].sum() == 36
    assert session.ate.engine == "sweep"


def test_cards_that_need_pictures_are_put_away(explorer: Explorer) -> None:
    assert [card.layout.display for card in explorer._of_pictures] == ["none"] * 3
    explorer.show(nn.Conv2d(1, 1, 3, padding=1), torch.rand(1, 16, 16), region=(4, 4, 4, 4))
    assert [card.layout.display for card in explorer._of_pictures] == [None] * 3
    assert explorer.session.error == ""
