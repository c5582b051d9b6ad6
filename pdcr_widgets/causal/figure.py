"""Drawing a map with matplotlib, where it is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pdcr_widgets.causal.results import ATEMap


def plot_map(ate: ATEMap, ax: Any = None, image: Any = None, limit: float | None = None) -> Any:
    """Draw a map: red patches support the target, blue ones harm it, white has no effect.

    Parameters
    ----------
    ate
        A map of a two-dimensional image.
    ax
        Matplotlib axes; None makes new ones.
    image
        Optional picture to draw under the map, ``(H, W)`` or ``(channels, H, W)``.
    limit
        Points at the ends of the colour scale, symmetric around 0; None takes the map's extreme.
        Give the same limit to maps that are compared.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ImportError
        matplotlib is not installed.
    ValueError
        The map is not two-dimensional, or the limit is not above 0.
    """
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError('plot needs matplotlib: pip install "pdcr-widgets[plot]"') from error
    if len(ate.spatial) != 2:
        raise ValueError(f"plot draws maps of two dimensions, this one has shape {ate.spatial}")
    largest = float(np.nanmax(np.abs(ate.effect)))
    limit = limit if limit is not None else (largest or 1.0)
    if not limit > 0:
        raise ValueError(f"limit is in points and above 0, got {limit}")
    if ax is None:
        ax = plt.subplots(figsize=(4.5, 3.6), layout="constrained")[1]
    opacity = 1.0
    if image is not None:
        picture = np.asarray(image, dtype=float)
        gray = picture.mean(axis=0) if picture.ndim == 3 else picture
        ax.imshow(gray, cmap="gray", interpolation="nearest")
        opacity = 0.55
    shown = ax.imshow(
        ate.to_image(), cmap="RdBu", vmin=-limit, vmax=limit, alpha=opacity, interpolation="nearest"
    )
    ax.contour(ate.region, levels=[0.5], colors=["#1a9850"], linewidths=1.4)
    ax.set_axis_off()
    bar = ax.figure.colorbar(shown, ax=ax, shrink=0.85)
    bar.set_label("effect, points (negative: supports the target)")
    return ax
