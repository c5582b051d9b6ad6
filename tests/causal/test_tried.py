"""Draws are kept as they came, in parts of any size, up to the room there is."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pdcr_widgets.causal.sampling import tried
from pdcr_widgets.causal.sampling.tried import Tried


@given(st.lists(st.integers(0, 400), max_size=5))
def test_what_was_entered_in_parts_comes_back(parts: list[int]) -> None:
    count = sum(parts)
    rng = np.random.default_rng(count)
    places, contents, responses = (
        torch.from_numpy(rng.integers(-99, 99, (count, n)).astype(float)) for n in (2, 3, 5)
    )
    held, before = Tried(2, 3, 5), 0
    for part in parts:
        now = slice(before, before + part)
        held.enter(places[now], contents[now], responses[now].float())
        before += part
    assert torch.equal(held.places, places)
    assert torch.equal(held.contents, contents)
    some, which = torch.arange(0, count, 3), torch.tensor([4, 1])
    assert torch.equal(held.responses(some, which).double(), responses[some][:, which])
    largest = responses.abs().amax(dim=0) if count else torch.zeros(5)
    assert torch.equal(held.largest.double(), largest.double())


def test_nothing_is_kept_beyond_the_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tried, "ROOM", 2 * 5 * 7)
    held = Tried(1, 1, 5)
    for number in range(5):
        held.enter(torch.full((3, 1), number), torch.zeros(3, 1), torch.full((3, 5), number))
    assert held.places[:, 0].tolist() == [0, 0, 0, 1, 1, 1, 2]
    assert held.contents.shape == (7, 1)
    assert held.largest.tolist() == [2] * 5
    assert held._responses.numel() * held._responses.element_size() == tried.ROOM
