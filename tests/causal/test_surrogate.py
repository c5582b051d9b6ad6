"""Guesses from draws: right where content acts smoothly, and not believed where it does not."""

from __future__ import annotations

import numpy as np
import pytest

from pdcr_widgets.causal.representatives import Representatives
from pdcr_widgets.causal.sampling.surrogate import WIDTHS, Surrogate, Trust
from tests.causal.test_representatives import natural

PATCHES = natural(120)
KNOWN = Representatives.of(PATCHES)


def effects(responses: np.ndarray) -> np.ndarray:
    """Pixels above 0, in points."""
    return np.asarray((responses > 0).sum(axis=1) * 1.0)


def surrogate() -> Surrogate:
    return Surrogate(KNOWN, lambda cell: KNOWN.features[cell] * 0, effects)


def planes(pixels: int = 200) -> np.ndarray:
    """Responses that are linear in the content and 0 for the patch's own."""
    slopes = np.random.default_rng(0).normal(size=(KNOWN.features.shape[1], pixels))
    return KNOWN.features @ slopes + 0.3 * np.sin(KNOWN.features @ slopes[:, ::-1])


def test_what_was_tried_is_given_back() -> None:
    responses = planes()
    tried = [0, 3, 1, 7]
    guess = surrogate().guess(0, tried, responses[tried])
    assert guess.shape == (len(WIDTHS), len(KNOWN))
    for kind in guess:
        np.testing.assert_allclose(kind[tried], effects(responses[tried]), atol=2)


def test_guesses_agree_with_the_closed_form_of_one_draw() -> None:
    """One draw d with covariance k: the guess at x is k(x, .) K^-1 (d, 0), own content included."""
    known = Surrogate(KNOWN, lambda cell: np.zeros(KNOWN.features.shape[1]), lambda r: r[:, 0])
    at, draw, width = KNOWN.features, 2.0, WIDTHS[0]
    tried = at[5]

    def k(one: np.ndarray, other: np.ndarray) -> float:
        return float(1 + one @ other + np.exp(-((one - other) ** 2).sum() / (2 * width**2)))

    own = np.zeros_like(tried)
    among = np.array([[k(tried, tried), k(tried, own)], [k(own, tried), k(own, own)]])
    weights = np.linalg.inv(among + 1e-3 * np.eye(2)) @ [draw, 0.0]
    expected = [weights @ [k(x, tried), k(x, own)] for x in at]
    guess = known.guess(0, [5], np.array([[draw]]))
    np.testing.assert_allclose(guess[0], expected, rtol=1e-5, atol=1e-5)


def test_guesses_beat_the_nearest_draw_where_content_acts_smoothly() -> None:
    responses = planes()
    tried = list(range(24))
    truth = effects(responses)
    away = ((KNOWN.features[:, None] - KNOWN.features[tried]) ** 2).sum(axis=2)
    nearest = truth[away.argmin(axis=1)]
    guess = surrogate().guess(0, tried, responses[tried])[1]
    assert np.mean((guess - truth) ** 2) < 0.5 * np.mean((nearest - truth) ** 2)


def test_trust_is_the_share_of_guesses_that_came_true() -> None:
    trust = Trust()
    assert trust.verdict[1] == 0
    guessed = np.array([[1.0, -2.0, 3.0], [5.0, 5.0, 5.0]])
    trust.judge(guessed, np.array([0.5, -1.0, 1.5]), np.ones(3))
    kind, share = trust.verdict
    assert (kind, share) == (0, pytest.approx(0.5))


def test_guesses_that_are_wrong_are_not_believed() -> None:
    rng, trust = np.random.default_rng(0), Trust()
    trust.judge(rng.normal(size=(2, 400)), rng.normal(size=400), np.ones(400))
    assert trust.verdict[1] < 0.15
    trust.judge(np.full((2, 400), 1.0), np.full(400, -1.0), np.ones(400))
    assert trust.verdict[1] == 0
