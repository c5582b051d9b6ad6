"""Pictures of any form cross to the browser as they are."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import torch
from wires import SHAPE, blob, effect_map

from pdcr_widgets.widgets import canvas_wire
from pdcr_widgets.widgets.region_canvas import RegionCanvas


class TestPictures:
    @pytest.mark.parametrize(
        ("given", "kept"),
        [
            (np.zeros((5, 7)), (1, 5, 7)),
            (np.zeros((2, 5, 7)), (2, 5, 7)),
            (np.zeros((5, 7, 3)), (3, 5, 7)),
            (np.zeros((3, 5, 7)), (3, 5, 7)),
            (torch.zeros(1, 5, 7, dtype=torch.float16), (1, 5, 7)),
            (np.zeros((1, 1)), (1, 1, 1)),
            (np.zeros((5, 7), np.uint8), (1, 5, 7)),
            (np.zeros((5, 14))[:, ::-2], (1, 5, 7)),
        ],
    )
    def test_every_usual_form_is_taken(self, given: Any, kept: tuple[int, ...]) -> None:
        assert RegionCanvas(given).image.shape == kept

    @pytest.mark.parametrize("shape", [(5,), (2, 3, 4, 5), (0, 4), (4, 0, 3)])
    def test_other_shapes_are_refused_with_the_shape(self, shape: tuple[int, ...]) -> None:
        with pytest.raises(ValueError, match=re.escape(str(shape))):
            RegionCanvas(np.zeros(shape))

    def test_what_is_not_a_number_is_refused(self) -> None:
        with pytest.raises(TypeError, match="complex64"):
            RegionCanvas(np.zeros((4, 4), np.complex64))

    @pytest.mark.parametrize(
        ("values", "dtype", "offset"),
        [
            (np.array([[-1024.0, 3071.0]]), "uint16", -1024.0),
            (np.array([[0, 255]], np.uint8), "uint8", 0.0),
            (np.array([[0.0, 65535.0]]), "uint16", 0.0),
            (np.array([[0.0, 65536.0]]), "float32", 0.0),
            (np.array([[0.5, 1.0]]), "float32", 0.0),
            (np.array([[np.nan, 1.0]]), "float32", 0.0),
        ],
    )
    def test_whole_numbers_cross_exactly(
        self, values: np.ndarray, dtype: str, offset: float
    ) -> None:
        wire = canvas_wire.image_to_wire(values[None], 1)
        assert (wire["dtype"], wire["offset"]) == (dtype, offset)
        back = np.frombuffer(wire["data"], dtype).astype(float) + wire["offset"]
        np.testing.assert_array_equal(back.reshape(values.shape), values)

    @pytest.mark.parametrize("value", [0.0, -3.0, np.nan])
    def test_a_flat_picture_has_a_window_to_show_it(self, value: float) -> None:
        low, high = canvas_wire.suggested_window(np.full((4, 4), value))
        assert low < high

    def test_a_new_picture_of_another_shape_starts_afresh(self, canvas: RegionCanvas) -> None:
        canvas.region = (0, 0, 4, 4)
        canvas.set_contours(prediction=blob(*SHAPE))
        canvas.show_effect(effect_map())
        canvas.image = np.zeros((9, 11))
        assert canvas.region.shape == (9, 11)
        assert not canvas.region.any()
        assert canvas.prediction is None
        assert canvas.effect is None

    def test_a_new_picture_of_the_same_shape_keeps_the_region_only(
        self, canvas: RegionCanvas
    ) -> None:
        canvas.region = (0, 0, 4, 4)
        canvas.show_effect(effect_map())
        canvas.image = np.ones(SHAPE)
        assert canvas.region.sum() == 16
        assert canvas.effect is None

    def test_the_page_cannot_change_the_picture(
        self, canvas: RegionCanvas, image: np.ndarray
    ) -> None:
        canvas.set_state({"image": {"shape": [1, 1, 1], "data": b"\0"}})
        np.testing.assert_array_equal(canvas.image[0], image)


class TestProbability:
    def test_crosses_in_sixteen_bits(self, canvas: RegionCanvas, image: np.ndarray) -> None:
        canvas.set_contours(probability=torch.from_numpy(image))
        wire = canvas_wire.probability_to_wire(canvas.probability)
        assert wire is not None
        back = np.frombuffer(wire["data"], "<u2").reshape(SHAPE) / 65535
        np.testing.assert_allclose(back, image, atol=1e-5)

    @pytest.mark.parametrize(
        ("values", "words"),
        [
            (np.zeros((2, 2)), r"\(40, 56\), got \(2, 2\)"),
            (np.full(SHAPE, 1.5), "0..1, got 1.5 to 1.5"),
            (np.full(SHAPE, np.nan), "got nan"),
        ],
    )
    def test_what_is_none_is_refused(
        self, canvas: RegionCanvas, values: np.ndarray, words: str
    ) -> None:
        with pytest.raises(ValueError, match=words):
            canvas.probability = values
