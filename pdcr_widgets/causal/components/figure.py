"""Small pictures of what is found inside a network: curves, bars, and where predictions change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pdcr_widgets.causal.figure import COLUMN, SMALL
from pdcr_widgets.causal.pictured import Pictured

if TYPE_CHECKING:
    from pdcr_widgets.causal.components.channels import DoseResponse, PredictionChange

SERIES = ("#1b1b1b", "#0e9aa7", "#d97706", "#8b5cf6")


class Barred(Pictured):
    """A table whose rows are drawn as bars side by side: one group per row."""

    BARS: tuple[str, ...]
    rows: Sequence[Any]
    outcome: str

    def _drawable(self) -> bool:
        return bool(self.rows)

    def _names(self) -> Iterable[str]:
        """Say what each row is about."""
        raise NotImplementedError

    def _draw(self, figure: Any, **_options: Any) -> None:
        figure.set_size_inches(COLUMN, 0.5 * len(self.rows) + 1.2)
        ax, height = figure.add_subplot(), 0.8 / len(self.BARS)
        places = np.arange(len(self.rows))
        for number, (name, color) in enumerate(zip(self.BARS, SERIES, strict=False)):
            values = [getattr(row, name) for row in self.rows]
            at = places + (number + 0.5) * height - 0.4
            ax.barh(at, values, height, color=color, label=name.replace("_", " "))
        ax.set_yticks(places, list(self._names()), fontsize=SMALL)
        ax.invert_yaxis()
        ax.axvline(0, color="black", linewidth=0.8)
        above = {"loc": "lower center", "bbox_to_anchor": (0.5, 1.0)}
        ax.legend(fontsize=SMALL - 1, frameon=False, ncols=2, **above)
        ax.locator_params(axis="x", nbins=5)
        _finish(ax, self.outcome)


def plot_dose(dose: DoseResponse, ax: Any) -> None:
    """Draw the effect of a component's output over the factor that it is multiplied by."""
    ax.plot(dose.factors, dose.effect, "o-", color=SERIES[0], markersize=3, label="in the region")
    if np.isfinite(dose.elsewhere).any():
        ax.plot(
            dose.factors, dose.elsewhere, "s--", color=SERIES[1], markersize=3, label="elsewhere"
        )
        ax.legend(fontsize=SMALL - 1, frameon=False)
    ax.axhline(0, color="black", linewidth=0.8)
    ax.set_xlabel(f"output of {dose.layer} times", fontsize=SMALL)
    ax.set_ylabel("effect, points", fontsize=SMALL)
    ax.tick_params(labelsize=SMALL)
    ax.spines[["top", "right"]].set_visible(False)


def plot_change(change: PredictionChange, ax: Any) -> None:
    """Draw where the probability falls (red: the component raises it there) and rises (blue)."""
    limit = max(float(np.abs(change.change).max()), 1e-6)
    shown = ax.imshow(change.change, cmap="RdBu", vmin=-limit, vmax=limit, interpolation="nearest")
    ax.set_title(f"{change.layer} := {change.kind}", fontsize=SMALL)
    ax.set_axis_off()
    bar = ax.figure.colorbar(shown, ax=ax, shrink=0.85, aspect=25, pad=0.02)
    bar.set_label("change of the probability", fontsize=SMALL)
    bar.ax.tick_params(labelsize=SMALL)


def _finish(ax: Any, outcome: str) -> None:
    ax.tick_params(axis="x", labelsize=SMALL)
    ax.tick_params(axis="y", length=0)
    ax.spines[["top", "right", "left"]].set_visible(False)
    words = outcome.replace("_", " ")
    ax.set_xlabel(f"effect on {words}, points\n(negative: supports the target)", fontsize=SMALL)
