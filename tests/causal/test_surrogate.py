"""Guesses from draws: the closed form, right where content acts smoothly, unsure where unknown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from pdcr_widgets.causal.representatives import Representatives
from pdcr_widgets.causal.sampling import surrogate as module
from pdcr_widgets.causal.sampling.surrogate import (
    LEVEL,
    NOISE,
    REACH,
    WIDTH,
    Guesses,
    Surrogate,
)
from tests.causal.test_representatives import natural

PATCHES = natural(120)
KNOWN = Representatives.of(PATCHES)
SHAPE = (5, 6)


@dataclass
class Pixels:
    """Reads the number of pixels above 0, or the first response itself."""

    width: int
    count: bool = True

    def telling(self, largest: np.ndarray) -> np.ndarray:
        return np.flatnonzero(largest > 0)

    def read(self, responses: np.ndarray, which: np.ndarray) -> np.ndarray:
        del which
        if self.count:
            return np.asarray((responses > 0).sum(axis=1) * 1.0)
        return responses[:, 0].astype(float)


def surrogate(width: int = 1, count: bool = False) -> Surrogate:
    own = KNOWN.features[7]
    return Surrogate(
        KNOWN, SHAPE, lambda cells: np.tile(own, (len(cells), 1)), Pixels(width, count)
    )


def guess(
    known: Surrogate, cells: list[int], made: dict[int, list[int]], power: float = 1.0
) -> Guesses:
    tried = np.zeros((len(cells), len(KNOWN)), dtype=bool)
    for row, cell in enumerate(cells):
        tried[row, made.get(cell, [])] = True
    return known.guess(np.array(cells), tried, power)


def covariance(one: np.ndarray, other: np.ndarray, apart: float) -> float:
    away = ((one - other) ** 2).sum()
    content = LEVEL + one @ other + np.exp(-away / (2 * WIDTH**2))
    return float(content * np.exp(-(apart**2) / (2 * REACH**2)))


@pytest.mark.parametrize("power", [0.0, 1.0, 2.0])
def test_guesses_agree_with_the_closed_form(power: float) -> None:
    """Cells 8 and 9 are neighbours, and 21 is two rows below; a draw at 8 and one at 21."""
    known, at = surrogate(), KNOWN.features
    known.begin(np.array([8, 9, 21]))
    known.add(np.array([8, 21]), np.array([5, 2]), np.array([[2.0], [-1.0]], dtype=np.float32))
    places = {cell: np.array(np.unravel_index(cell, SHAPE)) for cell in (8, 9, 21)}
    data = [(8, at[7], 0.0), (9, at[7], 0.0), (21, at[7], 0.0), (8, at[5], 2.0), (21, at[2], -1.0)]
    found = guess(known, [9, 8], {8: [5]}, power)

    def k(one: tuple[int, np.ndarray], other: tuple[int, np.ndarray]) -> float:
        apart = float(np.linalg.norm(places[one[0]] - places[other[0]]))
        return covariance(one[1], other[1], apart)

    points = [(cell, content) for cell, content, _ in data]
    among = np.array([[k(a, b) for b in points] for a in points]) + NOISE * np.eye(5)
    for row, cell in enumerate([9, 8]):
        beside = np.array([[k(p, (cell, x)) for x in at] for p in points])
        weights = np.linalg.solve(among, beside)
        expected = weights.T @ [response for _, _, response in data]
        np.testing.assert_allclose(found.effects[row], expected, atol=1e-4)
        prior = np.array([[k((cell, a), (cell, b)) for b in at] for a in at])
        posterior = prior - beside.T @ weights
        variance = np.maximum(np.diag(posterior), 1e-6)
        np.testing.assert_allclose(found.variances[row], variance, atol=1e-8)
        share = KNOWN.shares * variance ** ((power - 1) / 2)
        share[[5] if cell == 8 else []] = 0
        gain = (posterior @ share) ** 2 / (variance + NOISE)
        np.testing.assert_allclose(found.gains[row], gain, rtol=1e-4, atol=1e-9)


def planes(pixels: int = 200) -> np.ndarray:
    """Responses that are nearly linear in the content and 0 for the patch's own."""
    slopes = np.random.default_rng(0).normal(size=(KNOWN.features.shape[1], pixels))
    away = KNOWN.features - KNOWN.features[7]
    return (away @ slopes + 0.3 * np.sin(away @ slopes[:, ::-1])).astype(np.float32)


def test_what_was_tried_is_given_back() -> None:
    responses, tried = planes(), [0, 3, 1, 9]
    known = surrogate(200, count=True)
    known.begin(np.array([3]))
    known.add(np.full(4, 3), np.array(tried), responses[tried])
    found = guess(known, [3], {3: tried})
    count = (responses[tried] > 0).sum(axis=1)
    np.testing.assert_allclose(found.effects[0, tried], count, atol=2)
    assert (found.variances[0, tried] < 2 * NOISE).all()


def test_guesses_beat_the_nearest_draw_where_content_acts_smoothly() -> None:
    responses, tried = planes(), list(range(20))
    truth = (responses > 0).sum(axis=1)
    known = surrogate(200, count=True)
    known.begin(np.array([3]))
    known.add(np.full(20, 3), np.array(tried), responses[tried])
    away = ((KNOWN.features[:, None] - KNOWN.features[tried]) ** 2).sum(axis=2)
    nearest = truth[away.argmin(axis=1)]
    guessed = guess(known, [3], {3: tried}).effects[0]
    assert np.mean((guessed - truth) ** 2) < 0.5 * np.mean((nearest - truth) ** 2)


def test_a_draw_tells_of_the_patch_beside_and_not_of_one_far_away() -> None:
    known = surrogate()
    known.begin(np.array([0, 1, 29]))
    known.add(np.array([0]), np.array([5]), np.ones((1, 1), dtype=np.float32))
    found = guess(known, [0, 1, 29], {0: [5]})
    here, beside, away = np.abs(found.effects).max(axis=1)
    assert here > beside > 0.1 * here
    assert away < 1e-3 * here
    assert (found.variances[0] <= found.variances[1] + 1e-9).all()
    assert (found.variances[1] <= found.variances[2] + 1e-9).all()


def test_content_far_outside_the_bank_is_no_matter() -> None:
    """Its covariance, though so much larger, leaves that of all else as it is."""
    away = np.full(KNOWN.features.shape[1], 1e12)
    known = Surrogate(KNOWN, SHAPE, lambda cells: np.tile(away, (len(cells), 1)), Pixels(1, False))
    known.begin(np.array([3, 4]))
    known.add(np.array([3]), np.array([5]), np.ones((1, 1), dtype=np.float32))
    found = guess(known, [3, 4], {3: [5]})
    assert found.effects[0, 5] == pytest.approx(1, abs=0.05)
    assert (found.variances > 0).all()
    assert np.isfinite(found.gains).all()


@pytest.mark.parametrize("numbers", [1, 1000])
def test_patches_are_guessed_the_same_in_smaller_parts(
    numbers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    responses, cells = planes(), np.arange(20)
    known = surrogate(200, count=True)
    known.begin(cells)
    known.add(cells, cells, responses[:20])
    made = np.zeros((20, len(KNOWN)), dtype=bool)
    whole = known.guess(cells, made, 1.0)
    monkeypatch.setattr(module, "NUMBERS", numbers)
    for one, other in zip(known.guess(cells, made, 1.0), whole, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_patches_are_guessed_the_same_alone_and_together() -> None:
    known, rng = surrogate(), np.random.default_rng(0)
    cells = np.arange(30)
    known.begin(cells)
    known.add(cells, rng.integers(len(KNOWN), size=30), rng.normal(size=(30, 1)).astype("float32"))
    made = np.zeros((30, len(KNOWN)), dtype=bool)
    all_at_once = known.guess(cells, made, 1.0)
    for cell in (0, 17):
        alone = known.guess(cells[cell : cell + 1], made[:1], 1.0)
        for one, other in zip(alone, all_at_once, strict=True):
            np.testing.assert_allclose(one[0], other[cell], rtol=1e-5, atol=1e-6)
