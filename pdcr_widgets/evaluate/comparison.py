"""Several methods on one question, judged by the same games."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pdcr_widgets.causal.archive import read_npz, write_npz
from pdcr_widgets.causal.components.layer_results import as_dataframe
from pdcr_widgets.causal.pictured import Pictured
from pdcr_widgets.evaluate.curves import Curve

FORMAT = 1

CURVE = ("counts", "outcomes", "order")


@dataclass(frozen=True)
class Verdict:
    """How one method did.

    Parameters
    ----------
    method
        A key of `pdcr_widgets.evaluate.METHODS`.
    deletion
        Area under the deletion curve, what supports first; points. **Small is faithful.**
    insertion
        Area under the insertion curve, what supports first; points. **Large is faithful.**
    harming
        Area under the deletion curve, what harms first; points. **Large is faithful.** NaN for
        methods that do not say what harms.
    correlation
        Faithfulness correlation, -1..1.
    tdd, odd
        What the region loses, and how much the rest changes, when the top tenth of the patches is
        replaced; points (see `pdcr_widgets.evaluate.target_and_outside_drop`).
    note
        Why there are no numbers, or empty.
    """

    method: str
    deletion: float = math.nan
    insertion: float = math.nan
    harming: float = math.nan
    correlation: float = math.nan
    tdd: float = math.nan
    odd: float = math.nan
    note: str = ""


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(Pictured):
    """What several methods say of one region, and how faithful each is.

    Parameters
    ----------
    rows
        One `Verdict` per method, in the order in which they were asked for.
    maps
        Per method one value per pixel of the image: the larger, the more it supports the target, in
        the method's own unit. NaN where it says nothing. **The opposite sign of an effect.**
    curves
        Per method its deletion and insertion curves, and that of what harms for methods that say
        so, by the keys ``"deletion"``, ``"insertion"`` and ``"harming"``.
    base
        Outcome of the unperturbed image, points.
    outcome
        Its name.
    region
        Boolean array of the image's spatial shape.
    recipe
        The parameters that it was made with.
    """

    rows: tuple[Verdict, ...]
    maps: Mapping[str, np.ndarray]
    curves: Mapping[str, Mapping[str, Curve]]
    base: float
    outcome: str
    region: np.ndarray
    recipe: Mapping[str, Any] = field(default_factory=dict)

    @property
    def methods(self) -> tuple[str, ...]:
        """Names of the methods."""
        return tuple(row.method for row in self.rows)

    def get(self, method: str) -> Verdict:
        """Give the verdict on one method.

        Raises
        ------
        ValueError
            It was not compared.
        """
        found = [row for row in self.rows if row.method == method]
        if not found:
            raise ValueError(f"{method!r} was not compared, only {list(self.methods)} were")
        return found[0]

    def to_dataframe(self) -> Any:
        """One row per method."""
        return as_dataframe([asdict(row) for row in self.rows], Verdict)

    def plot(self, figure: Any = None, **options: Any) -> Any:
        """Draw maps and curves for a paper (matplotlib); options of `evaluate.figure.plot`."""
        from pdcr_widgets.evaluate.figure import plot

        return plot(self, figure, **options)

    def _drawable(self) -> bool:
        return self.region.ndim == 2 and bool(self.maps)

    def _draw(self, figure: Any, **options: Any) -> None:
        self.plot(figure, **options)

    def __repr__(self) -> str:
        names = ("deletion", "insertion", "harming", "correlation", "tdd", "odd")
        title = (
            f"Comparison of {len(self.rows)} methods: {self.outcome} {self.base:.2f} of 100 in a "
            f"region of {int(self.region.sum())} pixels"
        )
        lines = [f"{'method':<18}" + "".join(f"{name:>12}" for name in names)]
        for row in self.rows:
            numbers = [getattr(row, name) for name in names]
            told = [f"{n:>12.2f}" if math.isfinite(n) else f"{'–':>12}" for n in numbers]
            lines.append(f"{row.method:<18}{''.join(told)}  {row.note}".rstrip())
        return "\n".join([title, *lines])

    def save(self, path: str | Path) -> None:
        """Write everything to an ``.npz`` file; an older file stays whole until the new one is."""
        arrays = {f"map/{name}": values for name, values in self.maps.items()}
        for method, games in self.curves.items():
            for game, curve in games.items():
                arrays |= {f"curve/{method}/{game}/{n}": getattr(curve, n) for n in CURVE}
        head = {n: getattr(self, n) for n in ("base", "outcome")} | {"recipe": dict(self.recipe)}
        rows = [asdict(row) for row in self.rows]
        whole = {"format": FORMAT, **head, "verdicts": rows, "arrays": [*arrays]}
        write_npz(path, whole, {**arrays, "region": self.region})

    @classmethod
    def load(cls, path: str | Path) -> Comparison:
        """Read a file written by `save`.

        Raises
        ------
        ValueError
            Not such a file, or one of a later version.
        """
        head, _ = read_npz(path, (), FORMAT)
        if "verdicts" not in head:
            raise ValueError(f"{str(path)!r} holds another kind of result, not a comparison")
        names = head.pop("arrays")
        _, arrays = read_npz(path, (*names, "region"), FORMAT)
        region = arrays.pop("region")
        maps = {n.partition("/")[2]: a for n, a in arrays.items() if n.startswith("map/")}
        curves: dict[str, dict[str, Curve]] = {}
        for method, game in dict.fromkeys(
            tuple(n.split("/")[1:3]) for n in names if n.startswith("curve/")
        ):
            parts: dict[str, Any] = {n: arrays[f"curve/{method}/{game}/{n}"] for n in CURVE}
            curves.setdefault(method, {})[game] = Curve(*PLAYED[game], **parts)
        rows = tuple(Verdict(**row) for row in head.pop("verdicts"))
        return cls(rows=rows, maps=maps, curves=curves, region=region, **head)


PLAYED = {
    "deletion": ("deletion", "supporting"),
    "insertion": ("insertion", "supporting"),
    "harming": ("deletion", "harming"),
}
"""Kind and ranking of each game."""


@dataclass(frozen=True, eq=False)
class ComparisonUpdate:
    """A state of a running comparison.

    Parameters
    ----------
    comparison
        The methods that are done.
    done, total
        Hundredths of methods.
    stage
        What is being done, in words.
    """

    comparison: Comparison
    done: int
    total: int
    stage: str
