"""A volume in the explorer: every slice is a question of its own, with a region of its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tiny
import torch
from numpy.testing import assert_array_equal
from torch import nn

from pdcr_widgets import OpenedImage, demo, open_image, to_python
from pdcr_widgets.causal import segmenter
from pdcr_widgets.widgets import Explorer
from pdcr_widgets.widgets.canvas_wire import mask_to_wire
from pdcr_widgets.widgets.volumes import volume_of

SHAPE = (6, 32, 40)


def values(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((1, *SHAPE), dtype=np.float32)


def box(top: int, left: int, shape: tuple[int, int] = SHAPE[1:], side: int = 8) -> np.ndarray:
    mask = np.zeros(shape, dtype=bool)
    mask[top : top + side, left : left + side] = True
    return mask


@pytest.fixture
def explorer(monkeypatch: pytest.MonkeyPatch) -> Any:
    truth = np.arange(6)[:, None, None] * np.ones(SHAPE, dtype=int) >= 3
    inputs = {"region": box(8, 8), "truth": truth, "samples": 4, "with_layers": False}
    volume = open_image(values(), spacing=(3.0, 1.0, 2.0))
    explorer = Explorer(tiny.case().segmenter, volume, index=2, threaded=False, **inputs)
    yield explorer
    explorer.close()


def drawn(explorer: Explorer, mask: np.ndarray) -> None:
    """Draw a region, as a message from the page does."""
    explorer.canvas.set_state({"region": mask_to_wire(mask), "drawing": False})


def test_the_slice_that_is_shown_is_asked_about(explorer: Explorer) -> None:
    session, canvas = explorer.session, explorer.canvas
    assert_array_equal(session.image.numpy(), values()[:, 2])
    assert (canvas.plane, canvas.index, session.spacing) == ("axial", 2, (1.0, 2.0))
    assert not session.truth.any()
    canvas.set_state({"index": 4})
    assert_array_equal(session.image.numpy(), values()[:, 4])
    assert session.truth.all()
    assert (session.status, session.error, session.stale) == ("done", "", False)
    assert_array_equal(session.ate.region, box(8, 8))
    assert canvas.effect["generation"] == session.generation


def test_other_planes_are_cut_and_turned_alike(explorer: Explorer) -> None:
    canvas, session = explorer.canvas, explorer.session
    canvas.set_state({"plane": "sagittal"})
    assert session.region is None
    assert session.ate is None
    assert canvas.effect is None
    canvas.set_state({"index": 11})
    drawn(explorer, box(0, 16, (6, 32), 5))
    assert_array_equal(session.image.numpy(), canvas.image)
    assert_array_equal(canvas.image, values()[:, ::-1, :, 11])
    assert_array_equal(session.truth, [[True] * 32] * 3 + [[False] * 32] * 3)
    assert session.spacing == (3.0, 1.0)
    assert session.patch_size == 8
    assert "must be 1..6 pixels" in session.error
    session.patch_size = 2
    assert session.status == "done"
    assert "sagittal slice, 6 × 32 px: slice 11 of 40" in explorer._slices.words._words.value


@pytest.mark.parametrize("labels", [False, True])
@pytest.mark.parametrize("named", [False, True])
def test_the_cell_of_any_slice_runs_with_model_and_volume(labels: bool, named: bool) -> None:
    model, given = tiny.case().segmenter.model, values()
    truth = np.arange(6)[:, None, None] * np.ones(SHAPE, dtype=int)
    truth = truth if labels else truth >= 3
    volume = open_image(given, spacing=(3.0, 1.0, 2.0)) if named else given
    inputs = {"truth": truth, "samples": 2, "patch_size": 2, "baseline": "mean"}
    explorer = Explorer(model, volume, threaded=False, with_layers=False, **inputs)
    for plane in ("axial", "coronal", "sagittal"):
        explorer.canvas.plane = plane
        explorer.canvas.index = 4
        explorer.canvas.region = (1, 2, 3, 4)
        text = to_python(explorer)
        assert "# needs what this was made with: model, volume, truth\n" in text
        names: dict[str, Any] = {"model": model, "volume": volume, "truth": truth}
        exec(text, names)
        assert_array_equal(names["image"], explorer.session.image)
        assert_array_equal(names["truth"], explorer.session.truth)
        assert_array_equal(names["ate"].effect, explorer.session.ate.effect)
        assert names["ate"].base == explorer.session.ate.base
    explorer.session.image = explorer.session.image + 1
    assert "model, image, truth\n" in to_python(explorer)
    explorer.close()


def test_a_region_comes_along_and_a_slices_own_comes_back(explorer: Explorer) -> None:
    canvas, session = explorer.canvas, explorer.session
    canvas.index = 3
    assert_array_equal(session.region, box(8, 8))
    drawn(explorer, box(16, 20))
    canvas.index = 4
    assert_array_equal(session.region, box(16, 20))
    canvas.index = 2
    assert_array_equal(session.region, box(8, 8))
    canvas.index = 5
    assert_array_equal(session.region, box(8, 8))
    canvas.keep = False
    assert session.region is None
    canvas.index = 3
    assert_array_equal(session.region, box(16, 20))
    kept = canvas.region_volume
    assert_array_equal(kept.sum((1, 2)), [0, 0, 64, 64, 0, 0])


def test_an_emptied_region_stays_empty(explorer: Explorer) -> None:
    drawn(explorer, np.zeros(SHAPE[1:], bool))
    explorer.canvas.index = 3
    drawn(explorer, box(16, 20))
    explorer.canvas.index = 2
    assert explorer.session.region is None


def test_drawing_in_one_plane_leaves_the_others_alone(explorer: Explorer) -> None:
    explorer.canvas.plane = "coronal"
    explorer.session.patch_size = 2
    drawn(explorer, box(0, 8, (6, 40), 4))
    explorer.canvas.plane = "axial"
    explorer.canvas.index = 2
    assert_array_equal(explorer.session.region, box(8, 8))


def test_labels_are_cut_too() -> None:
    labels = np.broadcast_to(np.arange(6)[:, None, None] % 3, SHAPE).copy()
    case = tiny.case(classes=3)
    explorer = Explorer(
        case.segmenter, values(), index=1, truth=labels, target=2, region=box(8, 8),
        threaded=False, with_layers=False, samples=4,
    )  # fmt: skip
    assert not explorer.session.prediction.truth.any()
    explorer.canvas.index = 2
    assert explorer.session.prediction.truth.all()
    assert explorer.canvas.truth.all()
    explorer.close()


def test_regions_of_several_slices_may_be_given() -> None:
    region = np.zeros(SHAPE, bool)
    region[1, 8:16, 8:16] = region[3, 16:24, 8:16] = True
    explorer = Explorer(
        tiny.case().segmenter, values(), index=3, region=region, threaded=False,
        with_layers=False, samples=4,
    )  # fmt: skip
    assert_array_equal(explorer.session.region, region[3])
    explorer.canvas.index = 1
    assert_array_equal(explorer.session.region, region[1])
    explorer.close()


@pytest.mark.parametrize(
    ("model", "image", "shape"),
    [
        (nn.Conv2d(1, 1, 3), np.zeros((4, 5, 6), np.float32), (1, 4, 5, 6)),
        (nn.Conv2d(3, 1, 3), np.zeros((3, 5, 6), np.float32), None),
        (nn.Conv2d(1, 1, 3), np.zeros((1, 5, 6), np.float32), None),
        (nn.Conv2d(1, 1, 3), np.zeros((5, 6), np.float32), None),
        (nn.Conv2d(2, 1, 3), np.zeros((2, 4, 5, 6), np.float32), (2, 4, 5, 6)),
        (nn.Conv3d(1, 1, 3), np.zeros((4, 5, 6), np.float32), (1, 4, 5, 6)),
        (lambda x: x, torch.zeros(4, 5, 6), None),
        (lambda x: x, torch.zeros(1, 4, 5, 6), (1, 4, 5, 6)),
    ],
)
def test_what_is_a_volume(model: Any, image: Any, shape: tuple[int, ...] | None) -> None:
    found = volume_of(segmenter(model), image)
    assert (None if found is None else found.values.shape) == shape
    assert found is None or found.whole == isinstance(model, nn.Conv3d)


def test_what_no_model_takes_is_refused() -> None:
    model = tiny.case().segmenter
    with pytest.raises(TypeError, match="give floats"):
        Explorer(model, np.zeros((1, 4, 5, 6), int))
    with pytest.raises(ValueError, match="they must agree"):
        Explorer(model, values(), truth=np.zeros((6, 32, 41), bool))
    with pytest.raises(ValueError, match="no slice 6"):
        Explorer(model, values(), index=6)


@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
def test_maps_of_slices_know_their_place(plane: str) -> None:
    turn = np.array([[0, 0.6, -0.8], [0, -0.8, -0.6], [3.0, 0, 0]])
    affine = np.vstack([np.column_stack([turn, [5.0, -7.0, 11.0]]), [0, 0, 0, 1]])
    place = np.tensordot(turn, np.indices(SHAPE), 1) + affine[:3, 3].reshape(3, 1, 1, 1)
    volume = OpenedImage(values(), (0.0, 1.0), affine, oriented=True)
    explorer = Explorer(
        tiny.case().segmenter, volume, plane=plane, index=3, patch_size=2, samples=2,
        region=(0, 8, 4, 4), threaded=False, with_layers=False,
    )  # fmt: skip
    found = np.array(explorer.session.ate.recipe["grid"]["affine"])
    rows, columns = np.indices(explorer.canvas.shape)
    index = np.stack([np.zeros_like(rows), rows, columns])
    told = np.tensordot(found[:3, :3], index, 1) + found[:3, 3].reshape(3, 1, 1)
    np.testing.assert_allclose(told, explorer.canvas.take(place))
    explorer.close()


def test_the_brain_can_be_walked_through() -> None:
    pytest.importorskip("nilearn")
    case, one = demo.load("brain-volume"), demo.load("brain")
    assert torch.equal(case.image, case.volume.values[:, case.volume.index])
    assert torch.equal(case.image, one.image)
    explorer = Explorer(case, threaded=False, with_layers=False, samples=2, patch_size=32)
    assert_array_equal(explorer.session.region, case.region)
    assert_array_equal(explorer.session.truth, case.truth)
    explorer.canvas.index = 80
    assert_array_equal(explorer.session.truth, case.volume.truth[80])
    assert explorer.session.status == "done"
    names: dict[str, Any] = {}
    exec(to_python(explorer), names)
    assert_array_equal(names["ate"].effect, explorer.session.ate.effect)
    assert names["ate"].base == explorer.session.ate.base
    assert explorer.session.ate.base > 50
    explorer.canvas.plane = "coronal"
    assert explorer.session.prediction.probability.shape == (192, 192)
    assert explorer.session.error == ""
    explorer.canvas.region = (60, 80, 32, 32)
    assert "# needs" not in to_python(explorer)
    names = {}
    exec(to_python(explorer), names)
    assert_array_equal(names["image"], explorer.session.image)
    assert_array_equal(names["truth"], explorer.session.truth)
    assert_array_equal(names["ate"].effect, explorer.session.ate.effect)
    assert names["ate"].base == explorer.session.ate.base
    assert "learnt from axial slices only" in explorer._slices.words._words.value
    explorer.close()
