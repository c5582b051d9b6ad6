"""What was tried so far, in an array that grows."""

from __future__ import annotations

import torch
from torch import Tensor

ROOM = 2**28
"""Bytes that the responses of all draws may take."""
FIRST = 256


class Tried:
    """Draws that guesses are made from: where, with which content, and what came of it.

    Responses are kept in half precision, in 256 MiB at most: of what is tried after that nothing is
    learnt. That are 131,072 draws for a region of 32 x 32 pixels, 8,192 for one of 128 x 128.

    Parameters
    ----------
    axes
        Number of axes of a place.
    features
        Number of features of a content.
    width
        Number of responses of a draw.
    """

    def __init__(self, axes: int, features: int, width: int) -> None:
        self._most = max(1, ROOM // (2 * width))
        self._count = 0
        self._places = torch.empty(0, axes, dtype=torch.float64)
        self._contents = torch.empty(0, features, dtype=torch.float64)
        self._responses = torch.empty(0, width, dtype=torch.float16)
        self.largest = torch.zeros(width)

    @property
    def places(self) -> Tensor:
        """``(draws, axes)`` where each was made."""
        return self._places[: self._count]

    @property
    def contents(self) -> Tensor:
        """``(draws, features)`` of the content."""
        return self._contents[: self._count]

    def responses(self, draws: Tensor, which: Tensor) -> Tensor:
        """Some responses of some draws, ``(draws, which)`` float32."""
        return self._responses[draws][:, which].float()

    def enter(self, places: Tensor, contents: Tensor, responses: Tensor) -> None:
        """Keep more draws, as far as there is room."""
        fits = min(len(places), self._most - self._count)
        self._grow(self._count + fits)
        now = slice(self._count, self._count + fits)
        self._places[now], self._contents[now] = places[:fits], contents[:fits]
        self._responses[now] = responses[:fits]
        if fits:
            self.largest = torch.maximum(self.largest, responses[:fits].abs().amax(dim=0))
        self._count += fits

    def _grow(self, needed: int) -> None:
        size = len(self._places)
        if needed <= size:
            return
        more = min(max(FIRST, 2 * size, needed), self._most) - size
        self._places, self._contents, self._responses = (
            torch.cat([held, held.new_empty(more, held.shape[1])])
            for held in (self._places, self._contents, self._responses)
        )
