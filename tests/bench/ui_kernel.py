"""What the kernel does while ``ui.py`` measures its page; the page runs this as a notebook cell."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import numpy as np
import torch
import traitlets

import pdcr_widgets as pdcr
from pdcr_widgets.widgets.feed import MapFeed

SIDE = 512
GRID = (64, 64)
SLICES = 300
OFFERED_MS = 8
"""A worker that has a new map this often offers four times as many as are wanted."""

rng = np.random.default_rng(0)


class Source(traitlets.HasTraits):
    """Stands for a session: maps come from a thread, faster than they can be shown."""

    ate = traitlets.Any()
    image = traitlets.Any()
    status = traitlets.Unicode("running")
    generation = 0
    stale = False
    born = 0.0

    def frame_sent(self, _feed: object) -> None:
        """No session is paused."""

    def frame_painted(self, _feed: object, last: bool) -> None:
        """No session is paused."""

    def offer(self, seconds: float) -> None:
        """Offer maps for a while."""
        errors = np.ones(GRID, np.float32)
        region = np.zeros((SIDE, SIDE), bool)
        region[:8, :8] = True
        effects = [rng.normal(size=GRID).astype(np.float32) for _ in range(3)]
        maps = [
            pdcr.ATEMap(effect, errors, errors.astype(int), 90.0, 1, 8, region)
            for effect in effects
        ]
        pause = threading.Event()
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            self.born = time.perf_counter()
            self.ate = maps[int(1000 * self.born) % 3]
            pause.wait(OFFERED_MS / 1000)


class Timed(pdcr.RegionCanvas):
    """Knows how old each map was when its page had painted it."""

    def show_effect(self, ate: pdcr.ATEMap, generation: int = 0) -> int:
        """Show a map and remember when it was made."""
        identity = super().show_effect(ate, generation)
        born[identity] = source.born
        return identity


born: dict[int, float] = {}
ages: list[float] = []
source = Source()
canvas = Timed(rng.random((SIDE, SIDE), dtype=np.float32), tool="brush", brush_size=25)
feed = MapFeed(source, canvas)
canvas.on_ack(lambda identity: ages.append(1000 * (time.perf_counter() - born[identity])))


def offer(seconds: float) -> None:
    """Start to offer maps on a thread."""
    ages.clear()
    threading.Thread(target=source.offer, args=(seconds,), daemon=True).start()


def told() -> None:
    """Print the ages of the maps that were painted, milliseconds."""
    print(json.dumps(ages))


busy = threading.Event()


def compute() -> None:
    """Run a network until told to stop."""
    model, images = torch.nn.Conv2d(16, 16, 3), torch.rand(8, 16, 256, 256)
    with torch.inference_mode():
        while busy.is_set():
            model(images)


def work(on: bool) -> None:
    """Start or stop a worker thread that computes all the time."""
    if on:
        busy.set()
        threading.Thread(target=compute, daemon=True).start()
    else:
        busy.clear()


def volume() -> Any:
    """Make 16-bit noise, with a square in the middle of every plane that tells its slice."""
    values = rng.integers(0, 960, (SLICES, SIDE, SIDE), dtype=np.int16)
    middle = slice(SIDE // 2 - 40, SIDE // 2 + 40)
    values[:, middle, middle] = (np.arange(SLICES) * 16 % 960)[:, None, None]
    return pdcr.SliceViewer(values, window=(0.0, 960.0), index=0)


viewer = volume()
