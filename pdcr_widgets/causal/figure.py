"""Figures for papers with matplotlib, where it is installed: vectors, one scale, a scale bar."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pdcr_widgets.causal.needs import needs

if TYPE_CHECKING:
    from pdcr_widgets.causal.components.layer_results import LayerEffects
    from pdcr_widgets.causal.results import ATEMap

COLUMN, PAGE = 3.5, 7.2  # inches: one column, and the whole width, of most journals
SMALL = 7  # points
REGION = "#ffd60a"
COLORS = {"supports": "#b2182b", "harms": "#2166ac"}


def plot_map(
    ate: ATEMap,
    ax: Any = None,
    image: Any = None,
    limit: float | None = None,
    spacing: Sequence[float] | None = None,
    colorbar: bool = True,
    width: float = COLUMN,
) -> Any:
    """Draw a map: red patches support the target, blue ones harm it, white has no effect.

    Parameters
    ----------
    ate
        A map of a two-dimensional image.
    ax
        Matplotlib axes; None makes new ones, one journal column wide.
    image
        Optional picture to draw under the map, ``(H, W)`` or ``(channels, H, W)``; the map is then
        the more opaque the larger the effect.
    limit
        Points at the ends of the colour scale, symmetric around 0; None takes the map's extreme.
        Give the same limit to maps that are compared.
    spacing
        Millimetres per row and column: sets the aspect and draws a scale bar.
    colorbar
        Whether to draw the scale beside the map.
    width
        Inches, of new axes.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ImportError
        matplotlib is not installed.
    ValueError
        The map is not two-dimensional, or limit or spacing is not above 0.
    """
    if len(ate.spatial) != 2:
        raise ValueError(f"plot draws maps of two dimensions, this one has shape {ate.spatial}")
    limit = limit if limit is not None else (float(np.nanmax(np.abs(ate.effect))) or 1.0)
    if not limit > 0:
        raise ValueError(f"limit is in points and above 0, got {limit}")
    rows, columns = (1.0, 1.0) if spacing is None else (float(step) for step in spacing)
    if not (rows > 0 and columns > 0):
        raise ValueError(f"spacing is (row, column) in mm and above 0, got {spacing}")
    ax = new_axes(width, map_height(ate.spatial, spacing, width)) if ax is None else ax
    shown = paint(ax, ate.to_image(), limit, ate.region, image, spacing)
    if colorbar:
        bar = ax.figure.colorbar(shown, ax=ax, shrink=0.85, aspect=25, pad=0.02)
        bar.solids.set(alpha=1, edgecolor="face")
        bar.set_label("effect, points (negative: supports the target)", fontsize=SMALL)
        bar.ax.tick_params(labelsize=SMALL)
    return ax


def paint(
    ax: Any, values: np.ndarray, limit: float, region: np.ndarray, image: Any, spacing: Any
) -> Any:
    """Draw values per pixel between -limit (red) and limit (blue), the region, and a scale bar."""
    opacity = None
    if image is not None:
        picture = np.asarray(image, dtype=float)
        gray = picture.mean(axis=0) if picture.ndim == 3 else picture
        ax.imshow(gray, cmap="gray", interpolation="nearest")
        opacity = 0.85 * np.clip(2 * np.abs(np.nan_to_num(values)) / limit, 0, 1)
    shown = ax.imshow(
        values, cmap="RdBu", vmin=-limit, vmax=limit, alpha=opacity, interpolation="nearest"
    )
    _outline(ax, region)
    ax.set_axis_off()
    if spacing is not None:
        rows, columns = (float(step) for step in spacing)
        ax.set_aspect(rows / columns)
        _scale_bar(ax, region.shape, columns)
    return shown


def map_height(spatial: Sequence[int], spacing: Sequence[float] | None, width: float) -> float:
    """Height in inches of a figure of one map with its scale."""
    rows, columns = (1.0, 1.0) if spacing is None else spacing
    return 0.8 * width * spatial[0] * float(rows) / (spatial[1] * float(columns)) + 0.1


def layers_height(effects: LayerEffects, kind: str | None = None) -> float:
    """Height in inches of a figure of the bars of one intervention."""
    chosen = kind if kind is not None or not effects.kinds else effects.kinds[0]
    return 0.16 * sum(row.kind == chosen for row in effects) + 0.6


def plot_layers(
    effects: LayerEffects,
    ax: Any = None,
    kind: str | None = None,
    limit: float | None = None,
    width: float = COLUMN,
) -> Any:
    """Draw layer effects as bars with standard errors, in the order in which the layers run.

    Parameters
    ----------
    effects
        Of one or more interventions.
    ax
        Matplotlib axes; None makes new ones, one journal column wide.
    kind
        Which intervention; None takes the first.
    limit
        Points at the ends of the axis, symmetric around 0; None fits the effects.
    width
        Inches, of new axes.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ImportError
        matplotlib is not installed.
    ValueError
        There are no effects of that kind.
    """
    kind = kind if kind is not None or not effects.kinds else effects.kinds[0]
    rows = [row for row in effects if row.kind == kind and math.isfinite(row.effect)]
    if not rows:
        raise ValueError(f"there are no effects of kind {kind!r}, only of {list(effects.kinds)}")
    ax = new_axes(width, layers_height(effects, kind)) if ax is None else ax
    errors = [row.stderr if math.isfinite(row.stderr) else 0.0 for row in rows]
    colors = [COLORS["supports" if row.effect < 0 else "harms"] for row in rows]
    names = [row.layer.replace(" -> ", " → ") for row in rows]
    places = np.arange(len(rows))
    style = {"ecolor": "#444444", "elinewidth": 0.8}
    ax.barh(
        places, [r.effect for r in rows], xerr=errors, color=colors, height=0.72, error_kw=style
    )
    ax.set_yticks(places, names, fontsize=SMALL)
    ax.invert_yaxis()
    ax.axvline(0, color="black", linewidth=0.8)
    ax.tick_params(axis="x", labelsize=SMALL)
    ax.tick_params(axis="y", length=0)
    ax.spines[["top", "right", "left"]].set_visible(False)
    if limit is not None:
        ax.set_xlim(-limit, limit)
    words = effects.outcome.replace("_", " ")
    ax.set_xlabel(f"effect on {words}, points\n(negative: supports the target)", fontsize=SMALL)
    return ax


def new_axes(width: float, height: float) -> Any:
    """Make axes on a figure of their own, inches."""
    plt = needs("matplotlib.pyplot", "plot")
    return plt.subplots(figsize=(width, height), layout="constrained")[1]


def _outline(ax: Any, region: np.ndarray) -> None:
    """Draw the region's border along the sides of its pixels."""
    collections = needs("matplotlib.collections", "plot")
    padded = np.pad(region, 1)
    across = np.argwhere(padded[1:, 1:-1] != padded[:-1, 1:-1])
    along = np.argwhere(padded[1:-1, 1:] != padded[1:-1, :-1])
    segments = [[(x - 0.5, y - 0.5), (x + 0.5, y - 0.5)] for y, x in across.tolist()]
    segments += [[(x - 0.5, y - 0.5), (x - 0.5, y + 0.5)] for y, x in along.tolist()]
    for name, color, width in (("halo", "black", 2.2), ("region", REGION, 1.2)):
        lines = collections.LineCollection(
            segments, colors=color, linewidths=width, capstyle="projecting", zorder=3
        )
        lines.set_gid(name)
        ax.add_collection(lines)


def _scale_bar(ax: Any, spatial: Sequence[int], millimetres: float) -> None:
    """Draw a bar of a round length, a quarter of the picture at most, in its lower left corner."""
    effects = needs("matplotlib.patheffects", "plot")
    height, width = spatial
    longest = width * millimetres / 4
    power = 10.0 ** math.floor(math.log10(longest))
    length = max(step * power for step in (1, 2, 5) if step * power <= longest)
    left, low = 0.04 * width, 0.95 * height
    pixels = length / millimetres
    halo = [effects.withStroke(linewidth=3, foreground="black")]
    (bar,) = ax.plot(
        [left, left + pixels], [low, low], color="white", linewidth=2, path_effects=halo,
        solid_capstyle="butt", scalex=False, scaley=False,
    )  # fmt: skip
    bar.set_gid("scale-bar")
    ax.text(
        left, low - 0.015 * height, f"{length:g} mm", color="white", ha="left",
        va="bottom", fontsize=SMALL, path_effects=halo[:1],
    )  # fmt: skip
