"""Deletion and insertion: what happens when the patches a map names are replaced one by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from pdcr_widgets.causal.arrays import as_whole
from pdcr_widgets.causal.components.layer_results import as_dataframe
from pdcr_widgets.causal.pictured import Pictured
from pdcr_widgets.evaluate.erasure import Erasure
from pdcr_widgets.evaluate.ranking import ranked


@dataclass(frozen=True, eq=False, repr=False)
class Curve(Pictured):
    """Outcome in the region while patches are replaced, or put back, in the order of a map.

    Parameters
    ----------
    kind
        ``"deletion"`` (image to baseline) or ``"insertion"`` (baseline to image).
    rank
        ``"supporting"``, ``"harming"`` or ``"random"``: what came first.
    counts
        ``(n + 1,)`` patches replaced, or put back, at each step; from 0 to all of them.
    outcomes
        ``(n + 1,)`` points, 0..100.
    order
        Cells of the patch grid in the order in which they are touched; none touches the region.
    """

    kind: str
    rank: str
    counts: np.ndarray
    outcomes: np.ndarray
    order: np.ndarray

    @property
    def fractions(self) -> np.ndarray:
        """Share of the patches touched at each step, 0..1."""
        return self.counts / self.counts[-1]

    @property
    def auc(self) -> float:
        """Area under the curve over the share of patches, points 0..100.

        The trapezoidal rule; for equal steps ``(sum s - s_0 / 2 - s_n / 2) / n``.
        """
        middles = (self.outcomes[1:] + self.outcomes[:-1]) / 2
        return float(np.diff(self.fractions) @ middles)

    def plot(self, ax: Any = None, label: str = "", color: str = "#1b1b1b") -> Any:
        """Draw the curve on matplotlib axes; None makes new ones, one journal column wide."""
        from pdcr_widgets.evaluate.figure import plot_curve

        return plot_curve(self, ax, label, color)

    def _draw(self, figure: Any, **options: Any) -> None:
        figure.set_size_inches(3.5, 2.4)
        self.plot(figure.add_subplot(), **options)

    def __repr__(self) -> str:
        told = "replaced" if self.kind == "deletion" else "put back"
        return (
            f"Curve({self.kind}, {self.rank} first: {self.outcomes[0]:.2f} to "
            f"{self.outcomes[-1]:.2f} points while {self.counts[-1]} patches are {told}, area "
            f"{self.auc:.2f})"
        )

    def to_dataframe(self) -> Any:
        """One row per step: patches, share of them, outcome in points."""
        columns = (self.counts.tolist(), self.fractions.tolist(), self.outcomes.tolist())
        names = ("patches", "fraction", "outcome")
        rows = [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
        return as_dataframe(rows, Curve)


def iter_curve(
    kind: str,
    erasure: Erasure,
    scores: Any,
    rank: str = "supporting",
    steps: int = 32,
    seed: int = 0,
) -> Iterator[tuple[int, Curve]]:
    """Play the game and yield, after every batch, how many steps are done and the curve so far.

    Outcomes that are not known yet are NaN. See `deletion_curve` for the parameters.
    """  # fmt: skip
    order = ranked(scores, erasure.grid, rank, seed)
    steps = as_whole(steps, "steps", 1)
    counts = np.unique(np.rint(np.linspace(0, len(order), steps + 1)).astype(int))
    position = np.full(erasure.grid.touching.size, len(order))
    position[order] = np.arange(len(order))
    touched = position < counts[:, None]
    replaced = touched if kind == "deletion" else ~touched
    outcomes = np.full(len(counts), np.nan)
    done = 0
    for part in erasure.iter_outcomes(replaced):
        outcomes[done : done + len(part)] = part
        done += len(part)
        yield done, Curve(kind, rank, counts, outcomes.copy(), order)


def deletion_curve(
    model: Any,
    image: Any,
    region: Any,
    scores: Any,
    truth: Any = None,
    *,
    rank: str = "supporting",
    steps: int = 32,
    **options: Any,
) -> Curve:
    """Replace patches in the order of a map, and read the outcome in the region after each step.

    A map that is right about what supports the target makes the outcome fall early: a small
    `Curve.auc`. Patches that touch the region are never replaced. The last point, with all patches
    replaced, is the same for every map.

    Parameters
    ----------
    model, image, region, truth
        As for `ate_map`. Without a truth the outcome is against the model's own prediction, and no
        patch can harm.
    scores
        An `ATEMap`, or effects per patch or per pixel with the same sign: negative supports the
        target. For a saliency that is positive where something matters give its negative.
    rank
        ``"supporting"`` replaces the patches with the most negative effect first, ``"harming"``
        those with the most positive, ``"random"`` any. Ties are broken at random.
    steps
        Steps at most, equal in size.
    **options
        ``patch_size``, ``baseline`` (default ``"mean"``; a random one is drawn once per patch),
        ``outcome``, ``empty``, ``seed``, ``batch`` as for `ate_map`. The patch size is that of the
        map where scores are an `ATEMap`.

    Returns
    -------
    Curve

    Raises
    ------
    TypeError, ValueError
        As `ate_map`; scores that fit neither the patches nor the pixels.

    References
    ----------
    Petsiuk, Das, Saenko: RISE, BMVC 2018, arXiv 1806.07421.
    """
    return _played("deletion", (model, image, region, truth), scores, rank, steps, options)


def insertion_curve(
    model: Any,
    image: Any,
    region: Any,
    scores: Any,
    truth: Any = None,
    *,
    rank: str = "supporting",
    steps: int = 32,
    **options: Any,
) -> Curve:
    """Start with every patch outside the region replaced, and put them back in a map's order.

    A map that is right about what supports the target makes the outcome rise early: a large
    `Curve.auc`. See `deletion_curve` for the parameters, the errors and the source.

    Returns
    -------
    Curve
    """
    return _played("insertion", (model, image, region, truth), scores, rank, steps, options)


def _played(
    kind: str, asked: tuple[Any, ...], scores: Any, rank: str, steps: int, options: dict[str, Any]
) -> Curve:
    erasure = Erasure.asked(*asked, scores=scores, **options)
    *_, (_, curve) = iter_curve(kind, erasure, scores, rank, steps, options.get("seed", 0))
    return curve
