"""Regions cross in both directions, are kept under names, and refused where they do not fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import traitlets
from wires import SHAPE, Recorder, as_box, blob, sent_region

from pdcr_widgets.widgets import canvas_wire
from pdcr_widgets.widgets.named_regions import NamedRegion
from pdcr_widgets.widgets.region_canvas import RegionCanvas


class TestRegion:
    @pytest.mark.parametrize("shape", [(1, 1), (1, 9), (7, 1), (40, 56), (33, 65)])
    def test_a_drawing_arrives_as_it_was_drawn(self, shape: tuple[int, int]) -> None:
        canvas = RegionCanvas(np.zeros(shape))
        seen: list[np.ndarray] = []
        canvas.observe(lambda change: seen.append(change["new"]), "region")
        mask = blob(*shape)
        mask[0, 0] = True
        canvas.set_state({"region": sent_region(mask)})
        np.testing.assert_array_equal(canvas.region, mask)
        assert canvas.region.dtype == bool
        assert len(seen) == 1

    def test_a_drawing_is_not_sent_back(self, canvas: RegionCanvas, comms: list[Recorder]) -> None:
        canvas.set_state({"region": sent_region(blob(*SHAPE))})
        recorder = next(made for made in comms if made.comm_id == canvas.comm.comm_id)
        assert recorder.updates("region") == []

    def test_a_region_set_in_python_is_sent_as_bits(
        self, canvas: RegionCanvas, comms: list[Recorder]
    ) -> None:
        mask = blob(*SHAPE)
        canvas.region = mask
        _, data, buffers = canvas.comm.sent[-1]
        assert data["state"]["region"]["shape"] == list(SHAPE)
        assert bytes(buffers[0]) == np.packbits(mask).tobytes()

    def test_the_same_region_again_is_no_change(self, canvas: RegionCanvas) -> None:
        canvas.region = (1, 2, 3, 4)
        seen: list[Any] = []
        canvas.observe(seen.append, "region")
        canvas.region = canvas.region.copy()
        canvas.set_state({"region": sent_region(canvas.region)})
        assert seen == []

    def test_a_box_is_a_region(self, canvas: RegionCanvas) -> None:
        canvas.region = (3, 5, 2, 4)
        assert canvas.region.sum() == 8
        assert canvas.region[3:5, 5:9].all()

    def test_a_drawing_on_a_replaced_picture_is_dropped(self, canvas: RegionCanvas) -> None:
        canvas.image = np.zeros((9, 11))
        canvas.set_state({"region": sent_region(blob(*SHAPE))})
        assert canvas.region.shape == (9, 11)
        assert not canvas.region.any()

    @pytest.mark.parametrize(
        ("region", "words"),
        [
            (np.zeros((3, 4), bool), r"shape of the image, \(40, 56\), got \(3, 4\)"),
            (np.full(SHAPE, 0.5), "compare it with a threshold"),
            ((38, 0, 4, 4), "leaves the"),
            ((-1, 0, 4, 4), "top, left >= 0"),
            ((0, 0, 0, 4), "height, width >= 1"),
        ],
    )
    def test_what_is_no_region_is_refused(
        self, canvas: RegionCanvas, region: Any, words: str
    ) -> None:
        with pytest.raises(ValueError, match=words):
            canvas.region = region

    def test_none_is_refused_with_what_to_do(self, canvas: RegionCanvas) -> None:
        with pytest.raises(traitlets.TraitError, match="all-False array"):
            canvas.region = None

    def test_bytes_that_do_not_fill_the_shape_are_refused(self) -> None:
        with pytest.raises(ValueError, match="9 x 9 bits do not fit 3 bytes"):
            canvas_wire.mask_from_wire({"shape": [9, 9], "data": b"abc"})

    def test_two_canvases_can_be_linked(self, image: np.ndarray) -> None:
        left, right = RegionCanvas(image), RegionCanvas(image)
        traitlets.link((left, "region"), (right, "region"))
        traitlets.link((left, "cursor"), (right, "cursor"))
        left.set_state({"region": sent_region(blob(*SHAPE)), "cursor": [3, 4]})
        np.testing.assert_array_equal(right.region, left.region)
        assert right.cursor == (3, 4)


class TestNamedRegions:
    def named(self, canvas: RegionCanvas) -> None:
        canvas.regions = [
            NamedRegion("left", as_box(2, 2), "#00ff00"),
            NamedRegion("right", as_box(2, 40)),
        ]

    def test_drawing_changes_the_active_one_only(self, canvas: RegionCanvas) -> None:
        self.named(canvas)
        canvas.active = "right"
        np.testing.assert_array_equal(canvas.region, as_box(2, 40))
        canvas.set_state({"region": sent_region(as_box(20, 20))})
        masks = {entry.name: entry.mask for entry in canvas.regions}
        np.testing.assert_array_equal(masks["left"], as_box(2, 2))
        np.testing.assert_array_equal(masks["right"], as_box(20, 20))

    def test_without_an_active_one_drawing_leaves_all_alone(self, canvas: RegionCanvas) -> None:
        self.named(canvas)
        before = canvas.regions
        canvas.region = as_box(20, 20)
        assert canvas.regions == before

    def test_the_page_keeps_renames_and_deletes(self, canvas: RegionCanvas) -> None:
        canvas.region = as_box(2, 2)
        wire = {"color": "#123456", "visible": True} | sent_region(as_box(2, 2))
        canvas.set_state({"regions": [{"name": "Region 1"} | wire], "active": "Region 1"})
        assert [entry.name for entry in canvas.regions] == [canvas.active] == ["Region 1"]
        canvas.set_state({"regions": [{"name": "tumour"} | wire], "active": "tumour"})
        assert canvas.active == "tumour"
        np.testing.assert_array_equal(canvas.regions[0].mask, as_box(2, 2))
        canvas.set_state({"regions": []})
        assert canvas.active == ""
        np.testing.assert_array_equal(canvas.region, as_box(2, 2))

    def test_another_picture_has_none(self, canvas: RegionCanvas) -> None:
        self.named(canvas)
        canvas.image = np.zeros((9, 11))
        assert canvas.regions == ()

    def test_what_is_no_list_of_regions_is_refused(self, canvas: RegionCanvas) -> None:
        twice = NamedRegion("one", as_box(2, 2))
        with pytest.raises(traitlets.TraitError, match="different names"):
            canvas.regions = [twice, twice]
        with pytest.raises(traitlets.TraitError, match="got ndarray"):
            canvas.regions = [as_box(2, 2)]
        with pytest.raises(ValueError, match="region 'small'"):
            canvas.regions = [NamedRegion("small", np.zeros((2, 2), bool))]
        with pytest.raises(traitlets.TraitError, match="no region is called 'nobody'"):
            canvas.active = "nobody"
        with pytest.raises(ValueError, match="needs a name"):
            NamedRegion(" ", as_box(2, 2))
        with pytest.raises(ValueError, match="'red'"):
            NamedRegion("one", as_box(2, 2), "red")
