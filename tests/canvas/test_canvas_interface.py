"""Both sides of the wire agree on names, choices and colours."""

from __future__ import annotations

import re
from typing import Any

import anywidget
import pytest
import traitlets
from wires import effect_map

from pdcr_widgets.widgets.colors import COLORMAPS
from pdcr_widgets.widgets.region_canvas import MODES, TOOLS, RegionCanvas
from pdcr_widgets.widgets.slice_viewer import SliceViewer


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
