"""A canvas whose messages are kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from wires import SHAPE, Recorder

from pdcr_widgets.widgets.region_canvas import RegionCanvas


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
