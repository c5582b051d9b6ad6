"""The region canvas without a browser: what crosses the wire, and what is refused."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Iterator
from typing import Any

import anywidget
import numpy as np
import pytest
import torch
import traitlets
from comm.base_comm import BaseComm
from PIL import Image

from pdcr_widgets.causal import ATEMap
from pdcr_widgets.widgets import canvas_layers, canvas_wire
from pdcr_widgets.widgets.colors import COLORMAPS
from pdcr_widgets.widgets.named_regions import NamedRegion
from pdcr_widgets.widgets.region_canvas import MODES, TOOLS, RegionCanvas
from pdcr_widgets.widgets.slice_viewer import SliceViewer

SHAPE = (40, 56)


class Recorder(BaseComm):
    """A comm that keeps what is sent, as a page would get it."""

    sent: list[tuple[str, Any, list[bytes]]]

    def publish_msg(
        self, msg_type: str, data: Any = None, metadata: Any = None, buffers: Any = None, **_: Any
    ) -> None:
        json.dumps(data)
        self.__dict__.setdefault("sent", []).append((msg_type, data, buffers or []))

    def updates(self, name: str) -> list[Any]:
        return [
            data["state"][name]
            for _, data, _ in self.sent
            if data and data.get("method") == "update" and name in data["state"]
        ]


@pytest.fixture(autouse=True)
def comms(monkeypatch: pytest.MonkeyPatch) -> list[Recorder]:
    made: list[Recorder] = []

    def create(**keys: Any) -> Recorder:
        made.append(Recorder(**keys))
        return made[-1]

    monkeypatch.setattr("comm.create_comm", create)
    return made


@pytest.fixture
def image() -> np.ndarray:
    return np.random.default_rng(0).random(SHAPE, dtype=np.float32)


@pytest.fixture
def canvas(image: np.ndarray) -> Iterator[RegionCanvas]:
    widget = RegionCanvas(image)
    yield widget
    widget.close()


def effect_map(shape: tuple[int, int] = SHAPE, size: int = 8, scale: float = 3.0) -> ATEMap:
    rows, cols = (-(-side // size) for side in shape)
    effect = scale * np.linspace(-1, 1, rows * cols, dtype=np.float32).reshape(rows, cols)
    region = np.zeros(shape, bool)
    region[8:16, 8:24] = True
    effect[1, 1:3] = np.nan
    stderr = np.where(np.isnan(effect), np.nan, 0.1).astype(np.float32)
    samples = np.where(np.isnan(effect), 0, 8)
    return ATEMap(effect, stderr, samples, 90.0, 100, size, region)


def sent_region(mask: np.ndarray) -> dict[str, Any]:
    return {"shape": list(mask.shape), "data": memoryview(np.packbits(mask).tobytes())}


def as_box(top: int, left: int) -> np.ndarray:
    mask = np.zeros(SHAPE, bool)
    mask[top : top + 8, left : left + 8] = True
    return mask


def blob(height: int, width: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).random((height, width)) > 0.6


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


class TestLayers:
    def test_outlines_enclose_what_they_outline(self) -> None:
        mask = np.zeros((6, 8), bool)
        mask[1:4, 2:7] = True
        (line,) = canvas_layers.edges(mask)
        x, y = line[:-1].T
        area = abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2
        assert area == 15 - 4 * 0.125
        np.testing.assert_array_equal(line[0], line[-1])

    def test_every_part_and_hole_has_an_outline(self) -> None:
        mask = np.zeros((9, 12), bool)
        mask[1:6, 1:6] = True
        mask[3, 3] = False
        mask[7, 9] = True
        assert len(canvas_layers.edges(mask)) == 3

    def drawn(self, canvas: RegionCanvas) -> list[Any]:
        manager = canvas.layers["notes"]._canvas_manager
        return [data for _, data, _ in manager.comm.sent]

    def test_a_new_page_gets_the_drawing_again(self, canvas: RegionCanvas) -> None:
        notes = canvas.layers["notes"]
        notes.fill_style = "#ff0000"
        notes.fill_rect(1, 2, 3, 4)
        before = len(self.drawn(canvas))
        notes._handle_custom_msg({"event": "client_ready"}, [])
        again = notes._canvas_manager.comm.sent[before:]
        assert len(again) == 1
        replayed = bytes(again[0][2][0])
        for text in (b"fillRect", b"#ff0000"):
            number = canvas_layers.COMMANDS.get(text.decode())
            assert (f"[{number},".encode() if number is not None else text) in replayed

    def test_a_clear_forgets_the_drawing_and_keeps_the_style(self, canvas: RegionCanvas) -> None:
        notes = canvas.layers["notes"]
        manager = notes._canvas_manager
        notes.fill_style = "#ff0000"
        for _ in range(50):
            notes.clear()
            notes.fill_rect(1, 2, 3, 4)
        names = [command[0] for command, _ in manager._recorded[notes.model_id]]
        expected = ["scale", "set", "clear", "fillRect"]
        assert names == [canvas_layers.COMMANDS[name] for name in expected]

    def test_every_batch_names_its_canvas(self, canvas: RegionCanvas) -> None:
        notes = canvas.layers["notes"]
        switch = f"[{canvas_layers.COMMANDS['switchCanvas']},".encode()
        before = len(notes._canvas_manager.comm.sent)
        notes.fill_rect(1, 2, 3, 4)
        notes.fill_rect(5, 6, 7, 8)
        sent = notes._canvas_manager.comm.sent[before:]
        assert sum(switch in bytes(buffers[0]) for _, _, buffers in sent) == 2

    def test_contours_are_drawn_when_the_trait_is_set(self, canvas: RegionCanvas) -> None:
        before = len(self.drawn(canvas))
        canvas.truth = blob(*SHAPE)
        assert len(self.drawn(canvas)) == before + 1


class TestInterface:
    @pytest.mark.parametrize(
        ("name", "widget", "base"),
        [
            ("const TRAIT_NAMES", RegionCanvas, anywidget.AnyWidget),
            ("const VOLUME_TRAIT_NAMES", SliceViewer, RegionCanvas),
        ],
    )
    def test_both_sides_name_the_same_traits(
        self, repository: Any, name: str, widget: type, base: type
    ) -> None:
        source = (repository / "js/src/traits.ts").read_text()
        listed = source[source.index(f"{name} = [") :].split("]")[0]
        ours = set(widget.class_traits(sync=True)) - set(base.class_traits(sync=True))
        assert set(re.findall(r'"(\w+)"', listed)) == ours

    @pytest.mark.parametrize(("name", "values"), [("TOOLS", TOOLS), ("MODES", MODES)])
    def test_both_sides_offer_the_same_choices(
        self, repository: Any, name: str, values: tuple[str, ...]
    ) -> None:
        if name == "TOOLS":
            source = (repository / "js/src/traits.ts").read_text()
            listed = source[source.index("TOOLS = [") :].split("]")[0]
        else:
            source = (repository / "js/src/mask.ts").read_text()
            listed = source[source.index("type Mode =") :].split(";")[0]
        assert tuple(re.findall(r'"(\w+)"', listed)) == values

    def test_both_sides_have_the_same_colours(self, repository: Any) -> None:
        source = (repository / "js/src/colormap.ts").read_text()
        for name, stops in COLORMAPS.items():
            block = source[source.index(f'"{name}"') :].split("]")[0]
            assert re.findall(r"#[0-9a-f]{6}", block) == stops

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("opacity", 1.5),
            ("tool", "laser"),
            ("patch_size", 0),
            ("colormap", "jet"),
            ("limit", -1),
        ],
    )
    def test_values_out_of_range_are_refused(
        self, canvas: RegionCanvas, name: str, value: Any
    ) -> None:
        with pytest.raises(traitlets.TraitError):
            setattr(canvas, name, value)

    def test_the_whole_state_can_be_sent(self, canvas: RegionCanvas) -> None:
        canvas.show_effect(effect_map())
        state = canvas.get_state()
        assert len(state["_esm"]) < 100_000
        assert state["layer_models"] == [f"IPY_MODEL_{c.model_id}" for c in canvas.layers.values()]
