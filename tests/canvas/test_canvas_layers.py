"""What Python draws on layers outlives a page."""

from __future__ import annotations

from typing import Any

import numpy as np
from wires import SHAPE, blob

from pdcr_widgets.widgets import canvas_layers
from pdcr_widgets.widgets.region_canvas import RegionCanvas


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

    def test_a_page_that_was_late_asks_for_all_drawings(self, canvas: RegionCanvas) -> None:
        notes = canvas.layers["notes"]
        notes.fill_rect(1, 2, 3, 4)
        before = len(self.drawn(canvas))
        canvas._handle_custom_msg({"type": "layers"}, [])
        again = notes._canvas_manager.comm.sent[before:]
        assert len(again) == len(canvas.layers)
        number = canvas_layers.COMMANDS["fillRect"]
        assert f"[{number},".encode() in bytes(again[-1][2][0])

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
