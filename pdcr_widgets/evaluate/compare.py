"""Ask several methods the same question, and let the model judge their answers."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pdcr_widgets.causal.engines import window_engine
from pdcr_widgets.causal.experiment import Target
from pdcr_widgets.causal.ingredients import mask_from_runs
from pdcr_widgets.causal.outcome import Empty
from pdcr_widgets.causal.recipe import target_recipe
from pdcr_widgets.causal.recomputing import KINDS, content_of, recompute
from pdcr_widgets.causal.results import ATEMap
from pdcr_widgets.evaluate.comparison import PLAYED, Comparison, ComparisonUpdate, Verdict
from pdcr_widgets.evaluate.curves import Curve, iter_curve
from pdcr_widgets.evaluate.erasure import Erasure
from pdcr_widgets.evaluate.faithfulness import Subsets, drops
from pdcr_widgets.evaluate.methods import METHODS, SIGNED
from pdcr_widgets.evaluate.peers import Steps

WHOLE = 100  # parts of a method's progress
MAPPED = 50  # of which finding the map takes this many
SHARE = 0.1  # of the patches in a random subset
TOP = 0.1  # share of the patches that TDD and ODD replace


def iter_compare(
    model: Any,
    image: Any,
    region: Any,
    truth: Any = None,
    *,
    methods: Sequence[str] = tuple(METHODS),
    ate: ATEMap | None = None,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    patch_size: int = 8,
    baseline: Any = "mean",
    outcome: str = "dice",
    empty: Empty = "agree",
    steps: int = 32,
    draws: int = 100,
    seed: int = 0,
    engine: str = "auto",
    batch: int | None = None,
) -> Iterator[ComparisonUpdate]:
    """Compare methods one after the other; stop iterating to cancel. See `compare`.

    Between updates nothing is attached to the model.

    Yields
    ------
    ComparisonUpdate
        Often enough to show progress; the methods that are done are complete.
    """
    methods = _checked(methods, options or {})
    target = Target.of(model, image, region, truth, outcome, empty)
    size = patch_size if ate is None else ate.patch_size
    if ate is not None and not np.array_equal(ate.region, target.region):
        raise ValueError("the map was made for another region; leave ate= out, or give its region")
    erasure = Erasure.on(target, size, baseline, seed, batch)
    engine = window_engine(target, engine, batch).name
    common = {"baseline": baseline, "empty": empty, "engine": engine}
    given = _defaults(size, common, options or {})
    games = {"steps": steps, "draws": draws, "seed": seed, "batch": batch, **common}
    recipe = _recipe(erasure, methods, options or {}, games) | {"ate": ate and dict(ate.recipe)}
    judge = _Judge(erasure, steps, seed, len(methods) + 1, recipe)
    yield from judge.draw(draws)
    for name in methods:
        known = ate if name == "pdcr" else None
        found = _known(known) if known else METHODS[name](target, **given[name])
        yield from judge.try_one(name, found)


def _defaults(
    size: int, common: dict[str, Any], options: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Options of every method: those given, and the same patches for methods that replace some."""
    own = {
        "pdcr": {"patch_size": size, **common},
        "occlusion": {"window": size, "engine": common["engine"]},
    }
    return {name: {**own.get(name, {}), **options.get(name, {})} for name in METHODS}


def _recipe(
    erasure: Erasure, methods: list[str], options: Mapping[str, Any], games: dict[str, Any]
) -> dict[str, Any]:
    """Describe the comparison as plain values."""
    return {
        "kind": "comparison",
        **target_recipe(erasure.target),
        "methods": methods,
        "options": {name: dict(given) for name, given in options.items()},
        "patch_size": erasure.grid.patch_size,
        "baseline": erasure.baseline.name,
        **{name: value for name, value in games.items() if name != "baseline"},
        **erasure.baseline.details,
    }


@dataclass
class _Judge:
    """Plays the games with one map after the other."""

    erasure: Erasure
    steps: int
    seed: int
    parts: int
    recipe: dict[str, Any]
    rows: list[Verdict] = field(default_factory=list)
    maps: dict[str, np.ndarray] = field(default_factory=dict)
    curves: dict[str, dict[str, Curve]] = field(default_factory=dict)
    subsets: Subsets | None = None
    finished: int = 0

    def update(self, part: int, stage: str) -> ComparisonUpdate:
        """Freeze what is known; ``part`` of `WHOLE` of the present step is done."""
        target = self.erasure.target
        known = Comparison(
            tuple(self.rows), dict(self.maps), dict(self.curves), target.base, target.outcome,
            target.region, self.recipe,
        )  # fmt: skip
        return ComparisonUpdate(
            known, self.finished * WHOLE + min(part, WHOLE), self.parts * WHOLE, stage
        )

    def draw(self, draws: int) -> Iterator[ComparisonUpdate]:
        """Replace random subsets, once for all methods."""
        for subsets in Subsets.draw(self.erasure, draws, SHARE, self.seed):
            self.subsets = subsets
            part = WHOLE * len(subsets.changes) // draws
            yield self.update(part, "replacing random patches")
        self.finished += 1

    def try_one(self, name: str, steps: Steps) -> Iterator[ComparisonUpdate]:
        """Find a method's map and judge it; a model it cannot be used with is noted."""
        try:
            importance = yield from self._map(name, steps)
            yield from self._games(name, importance)
        except (TypeError, ValueError) as reason:
            self.rows.append(Verdict(name, note=str(reason)))
        self.finished += 1
        yield self.update(0, f"{name}: done" if self.finished < self.parts else "done")

    def _map(self, name: str, steps: Steps) -> Generator[ComparisonUpdate, None, np.ndarray]:
        while True:
            try:
                done, total = next(steps)
            except StopIteration as stop:
                return stop.value
            yield self.update(MAPPED * done // max(total, 1), f"{name}: looking for its map")

    def _games(self, name: str, importance: np.ndarray) -> Iterator[ComparisonUpdate]:
        scores = -importance
        games = [g for g in PLAYED if g != "harming" or name in SIGNED]
        played: dict[str, Curve] = {}
        for number, game in enumerate(games):
            kind, rank = PLAYED[game]
            for done, curve in iter_curve(kind, self.erasure, scores, rank, self.steps, self.seed):
                played[game] = curve
                share = (number + done / len(curve.counts)) / len(games)
                yield self.update(MAPPED + int((WHOLE - MAPPED) * share), f"{name}: {game}")
        assert self.subsets is not None  # they are drawn first
        lost = drops(self.erasure, scores, (TOP,), self.seed)
        self.maps[name], self.curves[name] = np.asarray(importance, dtype=np.float32), played
        areas: dict[str, Any] = {game: curve.auc for game, curve in played.items()}
        correlation = self.subsets.correlation(scores, self.erasure)
        self.rows.append(
            Verdict(
                name,
                **areas,
                correlation=correlation,
                tdd=float(lost.tdd[0]),
                odd=float(lost.odd[0]),
            )
        )


def _checked(methods: Sequence[str], options: Mapping[str, Any]) -> list[str]:
    """Each method once."""
    names = [methods] if isinstance(methods, str) else list(dict.fromkeys(methods))
    unknown = [name for name in (*names, *options) if name not in METHODS]
    if unknown or not names:
        raise ValueError(f"methods must be one or more of {list(METHODS)}, got {unknown}")
    return names


def _known(ate: ATEMap) -> Steps:
    yield 0, 1
    return -ate.to_image()


def _again(
    recorded: Mapping[str, Any], model: Any, image: Any, truth: Any, given: Mapping[str, Any]
) -> Iterator[Comparison]:
    """Compare once more, from a recipe."""
    ate: Any = None
    if recorded["ate"] is not None:
        ate = recompute(recorded["ate"], model, image, truth, baseline=given["baseline"])
    updates = iter_compare(
        model,
        image,
        mask_from_runs(recorded["region"]),
        truth,
        ate=ate,
        baseline=content_of(recorded, given["baseline"]),
        **{name: recorded[name] for name in AGAIN},
    )
    return (update.comparison for update in updates)


AGAIN = (
    "methods", "options", "patch_size", "outcome", "empty", "steps", "draws", "seed", "engine",
    "batch",
)  # fmt: skip
KINDS["comparison"] = _again


def compare(model: Any, image: Any, region: Any, truth: Any = None, **options: Any) -> Comparison:
    """Compare the maps of several methods by what happens when the patches they name are replaced.

    Every method gets the same patches, the same replacements and the same region, whose own patches
    always stay. The games favour methods that were made by replacing the same patches by the same
    content: `pdcr` and occlusion measure single patches as the games do. ``"random"`` is what any
    method has to beat.

    Parameters
    ----------
    model, image, region, truth
        As for `ate_map`.
    methods : sequence of str, optional
        Keys of `pdcr_widgets.evaluate.METHODS`; all of them by default.
    ate : ATEMap, optional
        Our map of the same region, if it is there already; also sets the patch size.
    options : mapping, optional
        Options of single methods, such as ``{"rise": {"masks": 2000}}``.
    patch_size : int, default 8
        Side of a patch, pixels.
    baseline : default "mean"
        What patches are replaced with in the games, and by our method; as for `ate_map`.
    outcome, empty, seed, engine, batch
        As for `ate_map`.
    steps : int, default 32
        Steps of a deletion or insertion curve.
    draws : int, default 100
        Random subsets of the faithfulness correlation.

    Returns
    -------
    Comparison
        A method that cannot be used with the model has a row with the reason in ``note``.

    Raises
    ------
    TypeError, ValueError
        Bad input; unknown methods; a map of another region.
    """
    *_, last = iter_compare(model, image, region, truth, **options)
    return last.comparison
