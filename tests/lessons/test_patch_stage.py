"""The stage of a lesson: what crosses to the browser, and what may come back."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import pytest
import traitlets
from world import SIDE, world

from pdcr_widgets.causal import ATEMap
from pdcr_widgets.lessons import PatchStage
from pdcr_widgets.widgets.canvas_wire import mask_from_wire


@pytest.fixture
def stage() -> PatchStage:
    return PatchStage(np.zeros((SIDE, SIDE)), region=(8, 8, 4, 4), patch_size=4, mode="tap")


def effects(limit: float) -> ATEMap:
    values = np.full((4, 4), limit, dtype=np.float32)
    return ATEMap(values, values * 0, values.astype(int), 90.0, 16, 4, np.zeros((SIDE, SIDE), bool))


def test_both_sides_name_the_same_traits(repository: Path) -> None:
    text = (repository / "js" / "src" / "lesson" / "traits.ts").read_text()
    written = re.search(r"const STAGE_TRAITS = \[(.*?)\]", text, re.DOTALL)
    assert written is not None
    theirs = set(re.findall(r'"(\w+)"', written[1]))
    ours = set(PatchStage.class_trait_names(sync=True))
    assert theirs == ours - set(anywidget.AnyWidget.class_trait_names(sync=True))


def test_masks_cross_as_bits(stage: PatchStage) -> None:
    sent = stage.get_state("region")["region"]
    assert np.array_equal(mask_from_wire(sent), world().truth)


def test_what_a_finger_did_arrives(stage: PatchStage) -> None:
    stage.set_state({"place": [3, 5], "chosen": [[0, 1], [2, 3]]})
    assert stage.place == (3, 5)
    assert stage.chosen == [(0, 1), (2, 3)]


@pytest.mark.parametrize(
    "hostile",
    [
        {"place": ["<img>", 1]},
        {"place": [-1, 0]},
        {"place": [1.5, 0]},
        {"chosen": [["../../etc/passwd", 0]]},
        {"chosen": [[0, 0]] * 5000},
        {"chosen": [[0, 0, 0]]},
    ],
)
def test_nothing_else_gets_in(stage: PatchStage, hostile: dict[str, Any]) -> None:
    with pytest.raises(traitlets.TraitError):
        stage.set_state(hostile)


def test_a_page_does_not_choose_what_a_hand_does(stage: PatchStage) -> None:
    before = stage.mode, stage.image
    stage.set_state({"mode": "tap", "image": b""})
    assert (stage.mode, stage.image) == before


def test_two_maps_can_share_a_colour_scale(stage: PatchStage) -> None:
    first = stage.show_effect(effects(0.4))
    assert stage.effect["limit"] == 0.5
    assert stage.show_effect(effects(0.4), limit=100.0) == first + 1
    assert stage.effect["limit"] == 100.0
    stage.clear_effect()
    assert stage.effect is None


def test_what_is_pasted_leaves_the_rest_as_bright_as_it_was() -> None:
    stage = PatchStage(np.linspace(0, 1, SIDE * SIDE).reshape(SIDE, SIDE))
    before = stage.get_state("image")["image"]
    stage.image = np.zeros((SIDE, SIDE))
    after = stage.get_state("image")["image"]
    assert (before["lo"], before["hi"]) == (after["lo"], after["hi"])


def test_a_map_of_another_picture_is_refused(stage: PatchStage) -> None:
    other = PatchStage(np.zeros((8, 8)))
    with pytest.raises(ValueError, match="does not fit"):
        other.show_effect(effects(1.0))


def test_acknowledgements_are_told(stage: PatchStage) -> None:
    told: list[int] = []
    stage.on_ack(told.append)
    stage._handle_custom_msg({"type": "ack", "id": 7}, [])
    stage._handle_custom_msg("<img>", [])
    assert told == [7]
