"""Whatever computes for a visitor queues up: the door keeper's book says who was let in."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny
import torch
from lessons.world import PATCH, NeedsKey, world

import pdcr_widgets as pdcr
from pdcr_widgets.classroom.usher import Usher
from pdcr_widgets.keeping import kept
from pdcr_widgets.session import Session
from pdcr_widgets.turns import USHER

PATIENCE = 60.0
BOOK: list[int] = []
"""How many were inside at each forward pass and each convolution."""


class Watched(tiny.UNet):
    """A network that looks who is inside when it is run."""

    door: Usher

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        BOOK.append(len(Watched.door._inside))
        return super().forward(images)


@pytest.fixture
def door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Usher]:
    """One is let in at a time."""
    usher = Usher(str(tmp_path / "usher"), 1)
    monkeypatch.setenv(USHER, usher.path)
    Watched.door = usher
    convolve = torch.nn.functional.conv2d

    def watched(*args: Any, **options: Any) -> torch.Tensor:
        BOOK.append(len(usher._inside))
        return convolve(*args, **options)

    monkeypatch.setattr(torch.nn.functional, "conv2d", watched)
    yield usher
    usher.close()


@pytest.fixture
def explorer(door: Usher) -> Iterator[pdcr.Explorer]:
    case = tiny.unet_case()
    net = Watched()
    net.load_state_dict(case.segmenter.model.state_dict())
    case = replace(case, segmenter=replace(case.segmenter, model=net))
    BOOK.clear()
    made = pdcr.Explorer(Session(case, samples=4, layer_samples=2, outcome="soft_dice"))
    assert made.session.wait(PATIENCE)
    assert made.session.status == "done", made.session.error
    yield made
    made.close()


def layer(session: Session) -> str:
    return next(row.layer for row in session.layers if row.shape[0] > 1)


def look_at_patch(explorer: pdcr.Explorer) -> None:
    explorer.session.patch = (0, 0)
    assert explorer.session.wait(PATIENCE)
    assert explorer.session.draws is not None


def look_at_channel(explorer: pdcr.Explorer) -> None:
    lens = explorer.network.lens
    explorer.session.layer = layer(explorer.session)
    assert lens.wait(PATIENCE)
    lens.channel = lens.channels.rows[0].layer
    assert lens.wait(PATIENCE)
    assert lens.change is not None


def ask_about_network(explorer: pdcr.Explorer) -> None:
    explorer.network.answers.question = "paths"
    assert explorer.network.answers.wait(PATIENCE)
    assert explorer.network.answers.answer is not None


def judge(explorer: pdcr.Explorer) -> None:
    judging = explorer.comparison.judging
    judging.methods = ["occlusion", "random"]
    judging.run()
    assert judging.wait(PATIENCE)
    assert judging.status == "done", judging.note


def sweep(explorer: pdcr.Explorer) -> None:
    explorer.session.make_sweep()
    assert explorer.session.wait_sweep(PATIENCE)
    assert explorer.session.sweep is not None


def keep_page(explorer: pdcr.Explorer) -> None:
    assert kept(explorer.session, "html").data.startswith(b"<!")


def embed_more(explorer: pdcr.Explorer) -> None:
    assert pdcr.embed(explorer, patch_sizes=[8, 16]) is not None


def restore(explorer: pdcr.Explorer) -> None:
    session = explorer.session
    session.restore(session.ate, session.layers)


def walk_a_volume(explorer: pdcr.Explorer) -> None:
    session = explorer.session
    session.with_layers = False
    explorer.show(session.segmenter, np.random.default_rng(0).random((1, 3, 32, 32), np.float32))
    assert session.wait(PATIENCE)


@pytest.mark.parametrize(
    "act",
    [look_at_patch, look_at_channel, ask_about_network, judge, sweep, keep_page, embed_more,
     restore, walk_a_volume],
)  # fmt: skip
def test_an_explorer_computes_in_its_turn_alone(
    explorer: pdcr.Explorer, act: Callable[[pdcr.Explorer], None]
) -> None:
    assert set(BOOK) == {1}
    BOOK.clear()
    act(explorer)
    if act is not keep_page:
        assert BOOK
    assert set(BOOK) <= {1}


class WatchedKey(NeedsKey):
    """The network of the lessons, watched."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        BOOK.append(len(Watched.door._inside))
        return super().forward(images)


LESSONS: dict[str, Callable[[Any], Any]] = {
    "PatchProbe": lambda case: pdcr.lessons.PatchProbe(case, patch_size=PATCH),
    "BaselineLab": lambda case: pdcr.lessons.BaselineLab(case, patch_size=PATCH),
    "TwoNetworks": lambda case: pdcr.lessons.TwoNetworks(case, case, patch_size=PATCH),
    "DeletionGame": lambda case: pdcr.lessons.DeletionGame(case, patch_size=PATCH, deletions=2),
}


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_computes_in_its_turn_alone(door: Usher, name: str) -> None:
    BOOK.clear()
    part = LESSONS[name](world(model=WatchedKey((0, 0))))
    try:
        waiting = getattr(part, "session", part)
        assert waiting.wait(PATIENCE)
        if name == "BaselineLab":
            part.stage.chosen = [(1, 1)]
            assert waiting.wait(PATIENCE)
        if name == "TwoNetworks":
            part.ask_maps()
            assert waiting.wait(PATIENCE)
        if name == "DeletionGame":
            part.stage.chosen = [(0, 0), (0, 1)]
            part.play()
            assert waiting.wait(PATIENCE)
        assert BOOK
        assert set(BOOK) == {1}
    finally:
        part.close()


def test_a_file_that_is_opened_waits_for_its_turn(door: Usher, tmp_path: Path) -> None:
    np.save(tmp_path / "picture.npy", np.random.default_rng(0).random((32, 32), np.float32))
    case = tiny.unet_case()
    session = Session(case.segmenter, case.image, threaded=False)
    inputs = pdcr.widgets.file_inputs.FileInputs(session, tmp_path)
    inside, go = threading.Event(), threading.Event()

    def hold() -> None:
        from pdcr_widgets.turns import turn

        with turn():
            inside.set()
            go.wait(PATIENCE)

    holder = threading.Thread(target=hold, daemon=True)
    holder.start()
    assert inside.wait(PATIENCE)
    opening = threading.Thread(target=inputs.chooser.choose, args=(["picture.npy"],), daemon=True)
    opening.start()
    pause = threading.Event()
    for _ in range(3000):
        if door.waiting:
            break
        pause.wait(0.02)
    assert door.waiting == 1
    assert inputs.opened is None
    go.set()
    opening.join(PATIENCE)
    assert inputs.opened is not None
    inputs.close()
    session.close()
