"""Maps reach the canvas no faster than its page paints them, and the last one always does."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import traitlets as t

from pdcr_widgets.causal import ATEMap
from pdcr_widgets.widgets.feed import MapFeed


class Owner(t.HasTraits):
    """What the feed needs of a session."""

    ate = t.Any(None)
    image = t.Any(None)
    stale = t.Bool(False)
    status = t.Unicode("running")
    generation = t.Int(3)

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []

    def frame_sent(self, _view: object) -> None:
        self.calls.append("sent")

    def frame_painted(self, _view: object, last: bool) -> None:
        self.calls.append("all painted" if last else "painted")


class Canvas:
    """What the feed needs of a canvas."""

    spatial = (16, 16)

    def __init__(self) -> None:
        self.shown: list[ATEMap] = []
        self.ack: Callable[[int], Any] | None = None

    def on_ack(self, callback: Callable[[int], Any], remove: bool = False) -> None:
        self.ack = None if remove else callback

    def clear_effect(self) -> None:
        self.shown.clear()

    def show_effect(self, ate: ATEMap, generation: int) -> int:
        assert generation == 3
        self.shown.append(ate)
        return len(self.shown)


def ate(side: int = 16) -> ATEMap:
    grid = np.zeros((2, 2), np.float32)
    return ATEMap(grid, grid, grid.astype(int), 1.0, 1, 8, np.zeros((side, side), bool))


@pytest.fixture
def feed() -> SimpleNamespace:
    owner, canvas = Owner(), Canvas()
    return SimpleNamespace(owner=owner, canvas=canvas, feed=MapFeed(owner, canvas))  # type: ignore[arg-type]


def test_three_maps_go_ahead_of_the_page_and_then_the_newest(feed: SimpleNamespace) -> None:
    maps = [ate() for _ in range(5)]
    for each in maps:
        feed.owner.ate = each
    assert feed.canvas.shown == maps[:3]
    feed.canvas.ack(1)
    assert feed.canvas.shown == [*maps[:3], maps[4]]
    assert feed.owner.calls == ["sent", "sent", "sent", "painted", "sent"]
    feed.canvas.ack(4)
    assert feed.owner.calls[-1] == "all painted"


def test_the_last_map_is_sent_at_the_end_even_unseen(feed: SimpleNamespace) -> None:
    maps = [ate() for _ in range(4)]
    for each in maps:
        feed.owner.ate = each
    feed.owner.status = "done"
    assert feed.canvas.shown[-1] is maps[3]


def test_a_map_of_another_picture_is_not_shown(feed: SimpleNamespace) -> None:
    feed.owner.ate = ate(side=24)
    assert feed.canvas.shown == []
    assert feed.owner.calls == []


def test_a_closed_feed_lets_go(feed: SimpleNamespace) -> None:
    feed.owner.ate = ate()
    feed.feed.close()
    feed.owner.ate = ate()
    assert len(feed.canvas.shown) == 1
    assert feed.canvas.ack is None
    assert feed.owner.calls[-1] == "all painted"


def test_a_map_that_is_there_already_is_shown() -> None:
    owner, canvas = Owner(), Canvas()
    owner.ate = ate()
    MapFeed(owner, canvas)  # type: ignore[arg-type]
    assert canvas.shown == [owner.ate]
    owner.stale = True
    other = Canvas()
    MapFeed(owner, other)  # type: ignore[arg-type]
    assert other.shown == []


def test_no_map_of_an_earlier_image_comes_late(feed: SimpleNamespace) -> None:
    maps = [ate() for _ in range(5)]
    for each in maps:
        feed.owner.ate = each
    feed.owner.image = "another"
    feed.canvas.ack(3)
    assert feed.canvas.shown == maps[:3]


def test_without_a_map_the_canvas_is_cleared(feed: SimpleNamespace) -> None:
    feed.owner.ate = ate()
    feed.owner.ate = None
    assert feed.canvas.shown == []
