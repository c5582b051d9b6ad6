"""What layer effects give: frozen rows, drawable at any time."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from pdcr_widgets.causal.archive import read_npz, write_npz
from pdcr_widgets.causal.pictured import Pictured

FORMAT = 1
SHOWN = 8  # strongest effects in the text


@dataclass(frozen=True)
class LayerEffect:
    """Effect of replacing one component's output by one kind of content.

    Attributes
    ----------
    layer : str
        Name of the component.
    kind : str
        Name of the intervention.
    effect : float
        Mean over draws of outcome(replaced) - outcome(original) inside the region, points.
        Negative: the component supports the target. NaN until a draw was measured.
    stderr : float
        Standard error of ``effect`` over draws, points; 0 where the kind is deterministic, NaN
        while only one draw is there.
    samples : int
        Number of draws measured so far.
    elsewhere : float
        The same outside the region, against the same reference; NaN where it was not asked for.
    elsewhere_stderr : float
        Its standard error.
    depth : int
        Place in the order in which the shown components run, 0 first.
    group : str
        ``"encoder"``, ``"bottleneck"``, ``"skip"``, ``"decoder"`` or ``"other"``.
    shape : tuple of int
        Shape of the component's output, without the batch axis.
    """

    layer: str
    kind: str
    effect: float
    stderr: float
    samples: int
    elsewhere: float
    elsewhere_stderr: float
    depth: int
    group: str
    shape: tuple[int, ...]


@dataclass(frozen=True, repr=False)
class LayerEffects(Pictured):
    """Effects of a network's components on the prediction inside a region.

    Attributes
    ----------
    rows : tuple of LayerEffect
        One per component and kind, components in the order in which they run.
    base : float
        Outcome of the untouched model, points 0..100.
    outcome : str
        Name of the outcome.
    seed : int
        Seed of every random value.
    reference : str
        What the prediction is compared with: ``"truth"`` or ``"prediction"``.
    engine : str
        ``"incremental"`` (only what the region reads was recomputed) or ``"full"``.
    reason : str
        Why this engine; empty when there is nothing to say.
    evaluations : int
        Number of interventions evaluated.
    recipe : mapping
        Everything it was made from and with, see `pdcr_widgets.recompute`.
    flow : sequence of (str, str)
        Which of the stages read which, skip connections left out; empty where it is not known.
    """

    rows: tuple[LayerEffect, ...]
    base: float
    outcome: str
    seed: int
    reference: str = "prediction"
    engine: str = "full"
    reason: str = ""
    evaluations: int = 0
    recipe: Mapping[str, Any] = field(default_factory=dict, compare=False)
    flow: Sequence[Sequence[str]] = field(default=(), compare=False)

    def __iter__(self) -> Iterator[LayerEffect]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the components, in the order in which they run."""
        return tuple(dict.fromkeys(row.layer for row in self.rows))

    @property
    def kinds(self) -> tuple[str, ...]:
        """Names of the interventions, in the order in which they were asked for."""
        return tuple(dict.fromkeys(row.kind for row in self.rows))

    def get(self, layer: str, kind: str | None = None) -> LayerEffect:
        """Give the row of one component and kind; the kind may be left out when there is one.

        Raises
        ------
        ValueError
            There is no such row, or several.
        """
        rows = [r for r in self.rows if r.layer == layer and kind in (None, r.kind)]
        if len(rows) != 1:
            raise ValueError(
                f"{len(rows)} rows for layer {layer!r} and kind {kind!r}; layers are "
                f"{list(self.layers)}, kinds {list(self.kinds)}"
            )
        return rows[0]

    def table(self, name: str = "effect") -> np.ndarray:
        """Give one number per component and kind, ``(layers, kinds)`` float64.

        Parameters
        ----------
        name
            ``"effect"``, ``"stderr"``, ``"samples"``, ``"elsewhere"`` or ``"elsewhere_stderr"``.
        """
        values = {(r.layer, r.kind): getattr(r, name) for r in self.rows}
        return np.array(
            [[values.get((layer, kind), np.nan) for kind in self.kinds] for layer in self.layers]
        )

    def to_dataframe(self) -> Any:
        """Give the rows as a pandas data frame.

        Raises
        ------
        ImportError
            pandas is not installed.
        """
        return as_dataframe([asdict(row) for row in self.rows], LayerEffect)

    def plot(self, ax: Any = None, **options: Any) -> Any:
        """Draw bars for a paper (matplotlib); options of `causal.figure.plot_layers`."""
        from pdcr_widgets.causal.figure import plot_layers

        return plot_layers(self, ax, **options)

    def _drawable(self) -> bool:
        return any(math.isfinite(row.effect) for row in self.rows)

    def _draw(self, figure: Any, **options: Any) -> None:
        from pdcr_widgets.causal.figure import COLUMN, layers_height, plot_layers

        height = layers_height(self, options.get("kind"))
        figure.set_size_inches(options.get("width", COLUMN), height)
        plot_layers(self, figure.add_subplot(), **options)

    def __repr__(self) -> str:
        title = (
            f"LayerEffects({len(self.layers)} components, {self.outcome} {self.base:.2f} of 100, "
            f"{self.evaluations} evaluations)"
        )
        strongest = sorted(self.rows, key=lambda row: -abs(np.nan_to_num(row.effect)))[:SHOWN]
        lines = [f"  {r.layer} := {r.kind}: {r.effect:+.2f} ± {r.stderr:.2f}" for r in strongest]
        return "\n".join([title, *lines])

    def save(self, path: str | Path) -> None:
        """Write everything to an ``.npz`` file; an older file stays whole until the new one is."""
        head = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "rows"}
        rows = [asdict(row) for row in self.rows]
        write_npz(path, {"format": FORMAT, **head, "layer_effects": rows}, {})

    @classmethod
    def load(cls, path: str | Path) -> LayerEffects:
        """Read a file written by `save`.

        Raises
        ------
        ValueError
            Not such a file, or one of a later version.
        """
        head, _ = read_npz(path, (), FORMAT)
        if "layer_effects" not in head:
            raise ValueError(f"{str(path)!r} holds another kind of result, not layer effects")
        rows = head.pop("layer_effects")
        read = tuple(LayerEffect(**{**row, "shape": tuple(row["shape"])}) for row in rows)
        return cls(rows=read, **head)


@dataclass(frozen=True)
class LayerEffectUpdate:
    """A step of the computation.

    Attributes
    ----------
    effects : LayerEffects
        Every row; those not measured yet hold NaN and 0 samples.
    done, total : int
        Evaluations done and to do.
    stage : str
        What is being measured, for people.
    """

    effects: LayerEffects
    done: int
    total: int
    stage: str


def as_dataframe(rows: list[dict[str, Any]], like: type) -> Any:
    """Give dictionaries as a pandas data frame with the columns of a dataclass, even if empty."""
    try:
        import pandas as pd
    except ImportError as error:
        raise ImportError('to_dataframe needs pandas: pip install "pdcr-widgets[table]"') from error
    return pd.DataFrame(
        rows or [], columns=list(rows[0]) if rows else [f.name for f in fields(like)]
    )
