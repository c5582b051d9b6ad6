"""The figure of a comparison: maps of all methods under one scale, and the games they played."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pdcr_widgets.causal.figure import COLUMN, PAGE, SMALL, new_axes, paint
from pdcr_widgets.causal.needs import needs

if TYPE_CHECKING:
    from pdcr_widgets.evaluate.comparison import Comparison
    from pdcr_widgets.evaluate.curves import Curve

COLUMNS = 4  # maps in a row
TITLES = {
    "pdcr": "PdCR",
    "seg_grad_cam": "Seg-Grad-CAM",
    "seg_hires_grad_cam": "Seg-HiRes-Grad-CAM",
    "seg_xres_cam": "Seg-XRes-CAM",
    "misure": "MiSuRe",
    "rise": "RISE",
    "occlusion": "Occlusion",
    "random": "Random",
}
COLORS = ("#1b1b1b", "#b2182b", "#e08214", "#8073ac", "#1b7837", "#2166ac", "#35978f", "#a6a6a6")
WORDS = {"dice": "Dice", "iou": "IoU"}
SCALE = "share of each map's largest value (red: supports, blue: harms)"


def plot(
    comparison: Comparison,
    figure: Any = None,
    image: Any = None,
    spacing: Sequence[float] | None = None,
    width: float = PAGE,
) -> Any:
    """Draw the map of every method under one colour scale, and below them the curves.

    Units differ from method to method, so every map is divided by its own largest absolute value
    outside the region; the one scale runs from -1 to 1 and says so.

    Parameters
    ----------
    comparison
        Of a two-dimensional image.
    figure
        An empty matplotlib figure; None makes a new one.
    image
        Optional picture to draw under the maps, ``(H, W)`` or ``(channels, H, W)``.
    spacing
        Millimetres per row and column: sets the aspect and draws scale bars.
    width
        Of the figure, inches; the whole width of a journal's page.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ImportError
        matplotlib is not installed.
    ValueError
        The comparison is not of two dimensions, or no method gave a map.
    """
    region, names = comparison.region, list(comparison.maps)
    if region.ndim != 2 or not names:
        raise ValueError(
            f"plot draws maps of two dimensions; this comparison has {len(names)} maps of shape "
            f"{region.shape}"
        )
    if figure is None:
        figure = needs("matplotlib.pyplot", "plot").figure(layout="constrained")
    columns = min(COLUMNS, len(names))
    rows = -(-len(names) // columns)
    steps = (1.0, 1.0) if spacing is None else spacing
    tall = region.shape[0] * float(steps[0]) / (region.shape[1] * float(steps[1]))
    maps = rows * (width / columns * tall + 0.2)
    figure.set_size_inches(width, maps + 0.35 + 2.3)
    above, below = figure.subfigures(2, 1, height_ratios=[maps + 0.35, 2.3])
    axes = above.subplots(rows, columns, squeeze=False).reshape(-1)
    for ax in axes[len(names) :]:
        ax.set_axis_off()
    for ax, name in zip(axes, names, strict=False):
        values = relative(comparison.maps[name], region)
        shown = paint(ax, -values, 1.0, region, image, spacing)
        ax.set_title(TITLES.get(name, name), fontsize=SMALL)
    _scale(above, shown, axes)
    _games(comparison, below)
    return figure


def relative(importance: np.ndarray, region: np.ndarray) -> np.ndarray:
    """Divide a map by its largest absolute value outside the region, which becomes NaN."""
    values = np.where(region, np.nan, importance)
    largest = np.nanmax(np.abs(values)) if np.isfinite(values).any() else 0.0
    return values / largest if largest > 0 else values


def _scale(figure: Any, shown: Any, axes: np.ndarray) -> None:
    bar = figure.colorbar(
        shown, ax=list(axes), location="bottom", shrink=0.5, aspect=40, pad=0.02,
        ticks=[-1, -0.5, 0, 0.5, 1],
    )  # fmt: skip
    bar.solids.set(alpha=1, edgecolor="face")
    bar.ax.set_xticklabels(["1", "0.5", "0", "0.5", "1"])
    bar.set_label(SCALE, fontsize=SMALL)
    bar.ax.tick_params(labelsize=SMALL)


def _games(comparison: Comparison, figure: Any) -> None:
    """Deletion and insertion curves side by side, one legend."""
    words = WORDS.get(comparison.outcome, comparison.outcome.replace("_", " ").capitalize())
    axes = figure.subplots(1, 2, sharey=True)
    told = {"deletion": "Deletion: low is faithful", "insertion": "Insertion: high is faithful"}
    for ax, game in zip(axes, told, strict=True):
        for number, (name, curves) in enumerate(comparison.curves.items()):
            draw_curve(curves[game], ax, TITLES.get(name, name), COLORS[number % len(COLORS)])
        ax.set_title(told[game], fontsize=SMALL)
        ax.set_xlabel(
            f"patches {'replaced' if game == 'deletion' else 'put back'}, %", fontsize=SMALL
        )
    axes[0].set_ylabel(f"{words} in the region, points", fontsize=SMALL)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right center", fontsize=SMALL, frameon=False)


def plot_curve(curve: Curve, ax: Any, label: str, color: str) -> Any:
    """Draw one curve with its axes named; axes of one's own, or new ones."""
    if ax is None:
        ax = new_axes(COLUMN, 2.4)
    draw_curve(curve, ax, label, color)
    done = "replaced" if curve.kind == "deletion" else "put back"
    ax.set_xlabel(f"patches {done}, %", fontsize=SMALL)
    ax.set_ylabel("outcome in the region, points", fontsize=SMALL)
    if label:
        ax.legend(fontsize=SMALL, frameon=False)
    return ax


def draw_curve(curve: Curve, ax: Any, label: str, color: str) -> None:
    """Draw one curve over the share of the patches."""
    ax.plot(
        100 * curve.fractions, curve.outcomes, color=color, linewidth=1.2,
        label=label, linestyle="--" if label == "Random" else "-",
    )  # fmt: skip
    ax.tick_params(labelsize=SMALL)
    ax.spines[["top", "right"]].set_visible(False)
