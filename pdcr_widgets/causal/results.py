"""Effects of input patches, as numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from pdcr_widgets.causal.archive import read_npz, write_npz
from pdcr_widgets.causal.bank import PatchBank
from pdcr_widgets.causal.nifti_file import write_volume
from pdcr_widgets.causal.pictured import Pictured

FORMAT = 1
GRIDS = ("effect", "stderr", "samples", "significant")
BINS = (0.3, 1.0, 3.0)


@dataclass(frozen=True, eq=False, repr=False)
class ATEMap(Pictured):
    """Average treatment effect of every patch on a target region.

    Parameters
    ----------
    effect
        ``(rows, cols)`` float32, points (0..100 scale). **Negative: the patch supports the target;
        positive: it harms it.** NaN on patches that touch the region.
    stderr
        Standard error of each effect, points; 0 where the effect is exact, infinite where nothing
        is known yet, NaN on the region.
    samples
        Draws behind each effect; 0 where none was needed or none is done yet.
    base
        Outcome of the unperturbed image inside the region, points 0..100.
    evaluations
        Interventions evaluated so far.
    patch_size
        Side of a patch, pixels.
    region
        Boolean array of the image's spatial shape.
    engine, reason
        ``"incremental"`` or ``"full"``, and why.
    recipe
        The parameters that the map was computed with.

    References
    ----------
    Jiang et al., PdCR, arXiv 2602.20511.
    """

    effect: np.ndarray
    stderr: np.ndarray
    samples: np.ndarray
    base: float
    evaluations: int
    patch_size: int
    region: np.ndarray
    engine: str = "full"
    reason: str = ""
    recipe: Mapping[str, Any] = field(default_factory=dict)

    @property
    def spatial(self) -> tuple[int, ...]:
        """Shape of the image, pixels."""
        return self.region.shape

    @property
    def threshold(self) -> float:
        """Effects below this size count as none, points."""
        return float(self.recipe.get("threshold", 0.0))

    @property
    def significant(self) -> np.ndarray:
        """Patches whose effect differs from 0 at a false discovery rate of 5 %.

        Benjamini and Hochberg (1995) over two-sided normal p-values; an exact effect is significant
        when its size reaches the threshold.
        """
        measured = np.isfinite(self.effect)
        exact = measured & (self.stderr == 0)
        chosen = exact & (np.abs(self.effect) >= max(self.threshold, 1e-9))
        tested = np.flatnonzero(measured & ~exact & (self.samples > 0))
        ratio = np.abs(self.effect.flat[tested]) / self.stderr.flat[tested]
        p = np.array([math.erfc(z / math.sqrt(2)) for z in ratio])
        order = np.argsort(p)
        passed = np.flatnonzero(p[order] <= 0.05 * np.arange(1, len(p) + 1) / max(len(p), 1))
        if len(passed):
            chosen.flat[tested[order[: passed[-1] + 1]]] = True
        return chosen

    def to_image(self, values: np.ndarray | None = None) -> np.ndarray:
        """Spread the effects (or other values per patch) over the image's pixels, NaN kept."""
        image = np.asarray(self.effect if values is None else values)
        for axis, extent in enumerate(self.spatial):
            image = np.repeat(image, self.patch_size, axis=axis)
            image = image[(slice(None),) * axis + (slice(0, extent),)]
        return image

    def summary(self) -> dict[str, Any]:
        """Shares, extremes and the paper's histogram.

        Returns
        -------
        dict
            ``supporting``, ``harming``, ``irrelevant``: shares of the patches outside the region,
            by the threshold, summing to 1. ``strongest_support``, ``strongest_harm``: extreme
            effects, points. ``patches``: their number. ``base``: points. ``histogram``: counts by
            the paper's edges (those above the threshold), with ``edges`` in points.
        """
        effect = self.effect[np.isfinite(self.effect)].astype(float)
        limit = max(self.threshold, 1e-9)
        above = [b for b in BINS if b > limit]
        edges = [-np.inf, *(-b for b in reversed(above)), -limit, limit, *above, np.inf]
        counts = [
            int(((effect > low) & (effect <= high) if high <= 0 else
                 (effect >= low) & (effect < high) if low > 0 else
                 (np.abs(effect) < limit)).sum())
            for low, high in pairwise(edges)
        ]  # fmt: skip
        supporting, harming = float((effect <= -limit).mean()), float((effect >= limit).mean())
        return {
            "patches": len(effect),
            "base": self.base,
            "supporting": supporting,
            "harming": harming,
            "irrelevant": max(0.0, 1 - supporting - harming),
            "strongest_support": float(min(effect.min(), 0)),
            "strongest_harm": float(max(effect.max(), 0)),
            "edges": edges,
            "histogram": counts,
        }

    def to_dataframe(self) -> Any:
        """One row per patch outside the region: place in pixels, effect, stderr, samples."""
        pandas = _needs("pandas", "to_dataframe", "table")
        where = np.argwhere(np.isfinite(self.effect))
        at = tuple(where.T)
        names = ["z", "top", "left"][-where.shape[1] :]
        places = {n: where[:, i] * self.patch_size for i, n in enumerate(names)}
        values = {"effect": self.effect[at], "stderr": self.stderr[at], "samples": self.samples[at]}
        return pandas.DataFrame({**places, **values, "significant": self.significant[at]})

    def to_xarray(self) -> Any:
        """The grids as an ``xarray.Dataset`` over the patches' centres in pixels."""
        xarray = _needs("xarray", "to_xarray", "table")
        dims = ["z", "y", "x"][-self.effect.ndim :]
        centres = {}
        for d, n, extent in zip(dims, self.effect.shape, self.spatial, strict=True):
            first = np.arange(n) * self.patch_size
            centres[d] = (first + np.minimum(first + self.patch_size, extent)) / 2
        grids = {n: (dims, getattr(self, n)) for n in ("effect", "stderr", "samples")}
        extra = {"base": self.base, "evaluations": self.evaluations, "patch_size": self.patch_size}
        return xarray.Dataset(grids, centres, {**extra, "units": "points"})

    def to_nifti(
        self, path: str | Path, values: str = "effect", grid: Mapping[str, Any] | None = None
    ) -> None:
        """Write a value per pixel where the image lies in space, for any viewer of volumes.

        Parameters
        ----------
        path
            A name that ends in ``.nii`` or ``.nii.gz``.
        values
            ``"effect"`` or ``"stderr"`` (points), ``"samples"`` or ``"significant"``; NaN on the
            region.
        grid
            ``affine`` from index (slice, row, column) to millimetres and ``oriented``, as in the
            recipe of a map of an opened image, whose own is taken by default.

        Raises
        ------
        ValueError
            The map is of a plain array, whose place in space is not known, or unknown values.
        """
        if values not in GRIDS:
            raise ValueError(f"values must be one of {GRIDS}, got {values!r}")
        place = self.recipe.get("grid") if grid is None else grid
        if not place:
            raise ValueError(
                "where the image lies is not known: explain an image of `pdcr.open_image`, or say "
                "where its pixels are: `pdcr.save(map, path, like=opened_image)`, or affine="
            )
        held = getattr(self, values).astype(np.float32)
        held[np.isnan(self.effect)] = np.nan
        write_volume(self.to_image(held), np.array(place["affine"]), path, place["oriented"])

    def plot(self, ax: Any = None, **options: Any) -> Any:
        """Draw the map for a paper (matplotlib); options of `causal.figure.plot_map`.

        ``image=`` is drawn under it, ``limit=`` is the same for maps that are compared, and
        ``spacing=`` in millimetres draws a scale bar.
        """
        from pdcr_widgets.causal.figure import plot_map

        return plot_map(self, ax, **options)

    def _drawable(self) -> bool:
        return len(self.spatial) == 2 and bool(np.isfinite(self.effect).any())

    def _draw(self, figure: Any, **options: Any) -> None:
        from pdcr_widgets.causal.figure import COLUMN, map_height, plot_map

        width = options.get("width", COLUMN)
        if len(self.spatial) == 2:
            height = map_height(self.spatial, options.get("spacing"), width)
            figure.set_size_inches(width, height)
        plot_map(self, figure.add_subplot(), **options)

    def __repr__(self) -> str:
        told = self.summary()
        sides = " x ".join(map(str, self.effect.shape))
        return (
            f"ATEMap({sides} patches of {self.patch_size} pixels, outcome {self.base:.2f} of 100, "
            f"supporting {told['supporting']:.1%}, harming {told['harming']:.1%}, effects from "
            f"{told['strongest_support']:.2f} to {told['strongest_harm']:+.2f} points, "
            f"{self.evaluations} evaluations)"
        )

    def save(self, path: str | Path, bank: PatchBank | None = None) -> None:
        """Write everything to an ``.npz`` file; an older file stays whole until the new one is.

        Parameters
        ----------
        path
            Where to.
        bank
            The patches that were pasted, to keep them with the recipe that names them by their
            digest; `PatchBank.load` reads them from the same file.

        Raises
        ------
        ValueError
            A bank that is not the recipe's.
        """
        if bank is not None and bank.digest() != self.recipe.get("bank"):
            raise ValueError(
                "the map was not made with this bank: its SHA-256 is another one than the recipe's"
            )
        head = {
            "format": FORMAT,
            "base": self.base,
            "evaluations": self.evaluations,
            "patch_size": self.patch_size,
            "engine": self.engine,
            "reason": self.reason,
            "recipe": dict(self.recipe),
        }
        grids = {n: getattr(self, n) for n in ("effect", "stderr", "samples", "region")}
        write_npz(path, head, grids if bank is None else grids | bank.arrays())

    @classmethod
    def load(cls, path: str | Path) -> ATEMap:
        """Read a file written by `save`.

        Raises
        ------
        ValueError
            Not such a file, or one of a later version.
        """
        head, grids = read_npz(path, ("effect", "stderr", "samples", "region"), FORMAT)
        try:
            return cls(**{**grids, **head})
        except TypeError as error:
            raise ValueError(f"{str(path)!r} is not a saved map: {error}") from error


@dataclass(frozen=True, eq=False)
class ATEUpdate:
    """A state of a running computation.

    Parameters
    ----------
    map
        Complete and drawable: patches not yet measured carry a coarser estimate.
    done, total
        Evaluations made, and expected in all (an estimate that may shrink or grow).
    stage
        What is being done, in words.
    """

    map: ATEMap
    done: int
    total: int
    stage: str


def _needs(module: str, what: str, extra: str) -> Any:
    from importlib import import_module

    try:
        return import_module(module)
    except ImportError as error:
        raise ImportError(f'{what} needs {module}: pip install "pdcr-widgets[{extra}]"') from error
