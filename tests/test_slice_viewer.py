"""Volumes slice by slice: planes by anatomy, drawings kept where they were drawn."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest

from pdcr_widgets.widgets.canvas_planes import OPPOSITE, PLANES, plane_of
from pdcr_widgets.widgets.named_regions import NamedRegion
from pdcr_widgets.widgets.slice_viewer import SliceViewer

SHAPE = (5, 6, 7)
DIRECTIONS = {"L": (0, 1), "R": (0, -1), "P": (1, 1), "A": (1, -1), "S": (2, 1), "I": (2, -1)}
ORIENTATIONS = [
    "".join(letters) for pairs in permutations(("LR", "AP", "SI")) for letters in product(*pairs)
]


def world(orientation: str, shape: tuple[int, int, int] = SHAPE) -> np.ndarray:
    """Left, posterior and superior coordinate of every voxel: ``(3, *shape)``."""
    index = np.indices(shape)
    coordinates = np.zeros((3, *shape))
    for axis, letter in enumerate(orientation):
        where, sign = DIRECTIONS[letter]
        coordinates[where] = sign * index[axis]
    return coordinates


def volume(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random(SHAPE, dtype=np.float32)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("name", PLANES)
def test_pictures_lead_where_their_letters_say(name: str, orientation: str) -> None:
    plane = plane_of(name, orientation)
    picture = plane.take(world(orientation), 2)
    top, bottom, left, right = plane.letters
    assert (top, left) == (OPPOSITE[bottom], OPPOSITE[right])
    for letter, axis in ((bottom, 1), (right, 2)):
        where, sign = DIRECTIONS[letter]
        assert (np.diff(picture[where], axis=axis - 1) == sign).all()
    normal = DIRECTIONS[PLANES[name][0]][0]
    assert np.ptp(picture[normal]) == 0


def test_radiologists_see_the_patients_left_on_the_right() -> None:
    for name, letters in [("axial", "APRL"), ("coronal", "SIRL"), ("sagittal", "SIAP")]:
        assert "".join(plane_of(name, "SPL").letters) == letters


@pytest.mark.parametrize("orientation", ["SP", "SPLR", "SPP", "abc", ""])
def test_what_is_no_orientation_is_refused(orientation: str) -> None:
    with pytest.raises(ValueError, match="such as 'SPL'"):
        plane_of("axial", orientation)


@pytest.mark.parametrize("plane", PLANES)
@pytest.mark.parametrize("orientation", ["SPL", "RAS", "ILA"])
def test_a_drawing_stays_on_its_slice(plane: str, orientation: str) -> None:
    viewer = SliceViewer(volume(), orientation=orientation, plane=plane, index=1)
    drawn = np.zeros(viewer.shape, bool)
    drawn[0, 1:3] = True
    viewer.set_state({"region": {"shape": list(drawn.shape), "data": np.packbits(drawn).tobytes()}})
    viewer.set_state({"index": 3})
    assert not viewer.region.any()
    assert viewer.region_volume.sum() == 2
    viewer.set_state({"index": 1})
    np.testing.assert_array_equal(viewer.region, drawn)
    np.testing.assert_array_equal(plane_of(plane, orientation).take(viewer.region_volume, 1), drawn)


def test_a_drawing_that_comes_with_a_turn_stays_on_the_slice_it_was_drawn_on() -> None:
    viewer = SliceViewer(np.zeros((4, 6, 7), "float32"), index=1)
    for index in (3, 1):  # both have something of their own
        viewer.index, viewer.region = index, np.eye(6, 7, dtype=bool)
    drawn = np.zeros((6, 7), bool)
    drawn[2:4] = True
    wire = {"shape": [6, 7], "data": np.packbits(drawn).tobytes()}
    viewer.set_state({"index": 3, "region": wire, "drawing": False})
    assert viewer.index == 3
    np.testing.assert_array_equal(viewer.region, np.eye(6, 7, dtype=bool))
    np.testing.assert_array_equal(viewer.region_volume[1], drawn)
    np.testing.assert_array_equal(viewer.region_volume[3], np.eye(6, 7, dtype=bool))


def test_every_slice_is_shown_with_its_contours() -> None:
    values, truth = volume(), volume(1) > 0.5
    viewer = SliceViewer(values, truth=truth, prediction=~truth)
    for index in range(SHAPE[0]):
        viewer.index = index
        np.testing.assert_array_equal(viewer.image[0], values[index])
        np.testing.assert_array_equal(viewer.truth, truth[index])
        np.testing.assert_array_equal(viewer.prediction, ~truth[index])
        assert viewer.place == f"axial/{index}"


def test_a_plane_brings_its_own_pixels_and_letters() -> None:
    viewer = SliceViewer(volume(), orientation="SPL", spacing=(3.0, 1.0, 0.5))
    assert (viewer.count, viewer.shape, viewer.spacing) == (5, (6, 7), (1.0, 0.5))
    viewer.plane = "coronal"
    assert (viewer.count, viewer.shape, viewer.spacing) == (6, (5, 7), (3.0, 0.5))
    assert viewer.letters == ("S", "I", "R", "L")
    viewer.plane = "sagittal"
    assert (viewer.count, viewer.shape, viewer.spacing) == (7, (5, 6), (3.0, 1.0))


def test_without_an_orientation_no_letters_are_claimed() -> None:
    assert SliceViewer(volume()).letters == ("", "", "", "")


def test_one_window_fits_all_slices() -> None:
    values = np.stack([np.full((6, 7), float(k)) for k in range(5)])
    viewer = SliceViewer(values)
    windows = []
    for index in range(5):
        viewer.index = index
        wire = SliceViewer.image.metadata["to_json"](viewer.image, viewer)
        windows.append((wire["lo"], wire["hi"]))
    assert windows == [([0.0], [4.0])] * 5


def test_neighbours_are_sent_on_demand(monkeypatch: pytest.MonkeyPatch) -> None:
    values = volume()
    viewer = SliceViewer(values)
    sent: list[tuple[dict, list]] = []
    monkeypatch.setattr(
        viewer, "send", lambda content, buffers=None: sent.append((content, buffers))
    )
    viewer._handle_custom_msg({"type": "slices", "plane": "axial", "indices": [1, 4, 9, -1]}, [])
    assert [content["index"] for content, _ in sent] == [1, 4]
    for content, (data,) in sent:
        values_sent = np.frombuffer(data, content["image"]["dtype"]).reshape(6, 7)
        np.testing.assert_array_equal(values_sent, values[content["index"]])
    viewer._handle_custom_msg({"type": "slices", "plane": "coronal", "indices": [1]}, [])
    content, (data,) = sent[2]
    assert (content["plane"], content["index"]) == ("coronal", 1)
    values_sent = np.frombuffer(data, content["image"]["dtype"]).reshape(content["image"]["shape"])
    viewer.plane, viewer.index = "coronal", 1
    np.testing.assert_array_equal(values_sent + content["image"]["offset"], viewer.image)


def test_an_index_beyond_the_end_is_the_last() -> None:
    viewer = SliceViewer(volume())
    viewer.set_state({"index": 99})
    assert viewer.index == 4


def test_named_regions_stay_on_their_slice() -> None:
    viewer = SliceViewer(volume(), index=1)
    viewer.region = (0, 0, 2, 2)
    viewer.regions = [NamedRegion("lesion", viewer.region)]
    viewer.active = "lesion"
    viewer.index = 2
    assert (viewer.regions, viewer.active) == ((), "")
    assert not viewer.region.any()
    viewer.index = 1
    assert [entry.name for entry in viewer.regions] == ["lesion"]
    assert viewer.region.sum() == 4


def test_the_region_of_the_whole_volume_can_be_set() -> None:
    viewer = SliceViewer(volume(), index=2)
    mask = volume(3) > 0.7
    viewer.region_volume = mask
    np.testing.assert_array_equal(viewer.region, mask[2])
    np.testing.assert_array_equal(viewer.region_volume, mask)


@pytest.mark.parametrize(
    ("values", "keys", "error", "words"),
    [
        (np.zeros((4, 4)), {}, ValueError, "RegionCanvas"),
        (np.zeros((0, 4, 4)), {}, ValueError, r"\(0, 4, 4\)"),
        (np.array([[["a"]]]), {}, TypeError, "real numbers"),
        (np.zeros(SHAPE), {"region": np.zeros((2, 2, 2), bool)}, ValueError, r"\(2, 2, 2\)"),
        (np.zeros(SHAPE), {"truth": np.full(SHAPE, 0.5)}, ValueError, "boolean"),
        (np.zeros(SHAPE), {"index": 5}, ValueError, "no slice 5 among 5"),
    ],
)
def test_what_does_not_fit_is_refused(
    values: np.ndarray, keys: dict, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        SliceViewer(values, **keys)
