"""Effect maps on the wire and in the still picture."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image
from wires import SHAPE, effect_map

from pdcr_widgets.widgets import canvas_wire
from pdcr_widgets.widgets.region_canvas import RegionCanvas


class TestEffect:
    def test_a_map_crosses_as_it_is(self, canvas: RegionCanvas) -> None:
        ate = effect_map()
        identity = canvas.show_effect(ate, generation=7)
        wire = canvas.effect
        assert (wire["id"], wire["generation"], wire["patch_size"]) == (identity, 7, 8)
        for name, dtype in [("effect", "f4"), ("stderr", "f4"), ("samples", "i4")]:
            back = np.frombuffer(wire[name], dtype).reshape(wire["shape"])
            np.testing.assert_array_equal(back, getattr(ate, name))
        back = np.frombuffer(wire["significant"], np.uint8).reshape(wire["shape"])
        np.testing.assert_array_equal(back, ate.significant)

    def test_numbers_rise_and_are_acknowledged(self, canvas: RegionCanvas) -> None:
        heard: list[int] = []
        canvas.on_ack(heard.append)
        first, second = canvas.show_effect(effect_map()), canvas.show_effect(effect_map())
        assert second > first
        canvas._handle_custom_msg({"type": "ack", "id": second}, [])
        canvas._handle_custom_msg({"type": "something else"}, [])
        assert heard == [second]

    def test_a_map_of_another_picture_is_refused(self, canvas: RegionCanvas) -> None:
        with pytest.raises(ValueError, match=r"\(64, 64\) pixels cannot be shown on \(40, 56\)"):
            canvas.show_effect(effect_map((64, 64)))

    @pytest.mark.parametrize(
        ("largest", "limit"),
        [(0.0, 0.1), (0.1, 0.1), (0.11, 0.2), (3.0, 5.0), (5.01, 10.0), (99.0, 100.0)],
    )
    def test_limits_are_round_and_hold_every_effect(self, largest: float, limit: float) -> None:
        assert canvas_wire.nice_limit(np.array([[-largest, np.nan, 0]])) == limit

    def test_the_page_selects_a_patch(self, canvas: RegionCanvas) -> None:
        canvas.show_effect(effect_map())
        canvas.set_state({"patch": [2, 3]})
        assert canvas.patch == (2, 3)
        canvas.clear_effect()
        assert canvas.patch is None


class TestStillPicture:
    def open(self, canvas: RegionCanvas) -> np.ndarray:
        return np.asarray(Image.open(io.BytesIO(canvas.to_png()))).astype(int)

    def test_shows_support_in_red_and_harm_in_blue(self, canvas: RegionCanvas) -> None:
        canvas.image = np.zeros(SHAPE)
        canvas.opacity = 1.0
        canvas.show_effect(effect_map())
        pixels = self.open(canvas)
        supports, harms = pixels[10, 10], pixels[-10, -10]
        assert supports[0] > supports[2] + 50
        assert harms[2] > harms[0] + 50

    def test_shows_region_and_contours_in_their_colours(self, canvas: RegionCanvas) -> None:
        canvas.image = np.zeros(SHAPE)
        canvas.region = (4, 4, 8, 8)
        canvas.set_contours(truth=np.pad(np.ones((8, 8), bool), ((20, 12), (20, 28))))
        colors = {tuple(color) for color in self.open(canvas).reshape(-1, 3).tolist()}
        assert {(255, 214, 10), (74, 222, 128)} <= colors
        canvas.show_truth = False
        colors = {tuple(color) for color in self.open(canvas).reshape(-1, 3).tolist()}
        assert (74, 222, 128) not in colors

    def test_has_the_aspect_of_the_voxels(self) -> None:
        pixels = self.open(RegionCanvas(np.zeros((400, 400)), spacing=(2.0, 1.0)))
        assert pixels.shape[0] == 2 * pixels.shape[1]

    @pytest.mark.parametrize("shape", [(1, 1), (1, 4096), (3, 17, 5), (2, 9, 9)])
    def test_is_drawn_for_any_shape(self, shape: tuple[int, ...]) -> None:
        assert self.open(RegionCanvas(np.ones(shape))).ndim == 3

    def test_of_a_huge_picture_is_small_in_a_notebook(self) -> None:
        huge = RegionCanvas(np.zeros((4096, 4096), np.uint8), region=(0, 0, 2048, 2048))
        data, _ = huge._repr_mimebundle_()
        picture = Image.open(io.BytesIO(base64.b64decode(data["image/png"])))
        assert picture.size == (1024, 1024)
        assert picture.getpixel((512, 100)) != picture.getpixel((511, 100))

    def test_marks_what_is_not_a_number(self) -> None:
        picture = np.zeros((8, 8))
        picture[4, 4] = np.nan
        colors = {tuple(c) for c in self.open(RegionCanvas(picture)).reshape(-1, 3).tolist()}
        assert (96, 48, 96) in colors

    def test_is_shown_where_no_kernel_is(self, canvas: RegionCanvas) -> None:
        canvas.region = (0, 0, 2, 2)
        data, _ = canvas._repr_mimebundle_()
        assert "application/vnd.jupyter.widget-view+json" in data
        assert base64.b64decode(data["image/png"]) == canvas.to_png(1024)
        assert data["text/plain"] == "RegionCanvas(40 x 56 pixels, region of 4 pixels)"
