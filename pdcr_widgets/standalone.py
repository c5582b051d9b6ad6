"""Figures in one file that answer hover, opacity, limits, regions and layers without a kernel."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from pdcr_widgets.causal import ATEMap
from pdcr_widgets.causal.components import LayerEffects
from pdcr_widgets.causal.files import whole_file
from pdcr_widgets.precomputed import Picture, Shown, from_maps, from_session
from pdcr_widgets.session import Session
from pdcr_widgets.widgets.canvas_wire import (
    as_picture,
    effect_to_wire,
    image_to_wire,
    mask_to_wire,
    nice_limit,
)
from pdcr_widgets.widgets.colors import COLORMAPS
from pdcr_widgets.widgets.text import BASELINE_WORDS, INTERVENTION_WORDS, OUTCOME_WORDS, words

STATIC = Path(__file__).with_name("static")
NETWORK_OFF = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"
)
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{title}</title>
<style>body {{ margin: 0; }} {css}</style>
</head>
<body>
<main id="pdcr-figure" class="pdcr-figure"><noscript>{text}</noscript></main>
<script type="application/json" id="pdcr-data">{data}</script>
<script type="module">{script}</script>
</body>
</html>
"""


@dataclass(frozen=True)
class LivingPage:
    """A page that needs no kernel; displayed in a notebook it lives in a frame of its own.

    The frame holds the page itself, so it stays alive in the saved notebook and in what nbconvert
    makes of it.

    Parameters
    ----------
    html
        The whole page.
    height
        Of the frame, pixels.
    """

    html: str
    height: int = 900

    def save(self, path: str | Path) -> None:
        """Write the page to a file that ends in ``.html``, whole or not at all.

        Raises
        ------
        ValueError
            Another ending.
        """
        if not str(path).endswith(".html"):
            raise ValueError(f"path must end in .html, got {str(path)!r}")
        with whole_file(path) as part:
            part.write_text(self.html, encoding="utf-8")

    def _repr_html_(self) -> str:
        frame = f'srcdoc="{escape(self.html)}" width="100%" height="{self.height}"'
        return f'<div><iframe {frame} title="Effects"></iframe></div>'

    def __repr__(self) -> str:
        return f"LivingPage({len(self.html.encode()) / 1e6:.2f} MB)"


def embed(
    subject: Any,
    path: str | Path | None = None,
    *,
    regions: Mapping[str, Any] | None = None,
    patch_sizes: Iterable[int] | None = None,
    image: Any = None,
    spacing: Sequence[float] | None = None,
    prediction: Any = None,
    truth: Any = None,
    layers: LayerEffects | None = None,
    channels: bool = True,
    title: str | None = None,
    colormap: str = "red-blue",
) -> LivingPage | None:
    """Make one HTML page that shows maps and layer effects, with no kernel and no network.

    It keeps the read-out under the pointer with standard errors, opacity, limits and colours of the
    map, significance, contours, zoom and window, the choice among the regions and patch sizes given
    here, and the layers with their channels. Maps of
    one patch size share one colour scale.

    Parameters
    ----------
    subject
        An `Explorer`, a `Session` or a demo case: what it does not show yet is computed first. Or
        an `ATEMap`, or several, to go with ``image``.
    path
        File to write, whole or not at all; it ends in ``.html``. None gives the page back, which a
        notebook shows in a frame.
    regions
        Names and regions to choose from, for an explorer, session or case. None: the present one.
    patch_sizes
        Patch sizes to choose from, pixels, likewise.
    image, spacing, prediction, truth, layers
        What goes with maps: ``(channels, H, W)`` or ``(H, W)`` numbers, millimetres per row and
        column, boolean masks, and the layer effects of the first map's region.
    channels
        Whether the layers' channels are measured too, for an explorer, session or case.
    title
        Heading; the case's own by default.
    colormap
        A key of `COLORMAPS`.

    Returns
    -------
    LivingPage or None
        The page, where no path was given.

    Raises
    ------
    TypeError, ValueError
        Something else than these; a session without a region; maps without an image.
    """
    if path is not None and not str(path).endswith(".html"):
        raise ValueError(f"path must end in .html, got {str(path)!r}")
    if colormap not in COLORMAPS:
        raise ValueError(f"colormap must be one of {list(COLORMAPS)}, got {colormap!r}")
    maps = [subject] if isinstance(subject, ATEMap) else subject
    if isinstance(maps, (list, tuple)):
        shown = from_maps(maps, Picture(image, spacing, prediction, truth), layers)
    else:
        shown = from_session(_session(subject), regions, patch_sizes, channels)
    heading = title or getattr(subject, "title", "") or "Effect of image patches on a segmentation"
    page = _page(_figure(shown, heading, colormap), heading, shown)
    if path is None:
        return LivingPage(page)
    LivingPage(page).save(path)
    return None


def _session(subject: Any) -> Session:
    if isinstance(subject, Session):
        return subject
    inner = getattr(subject, "session", None)
    if isinstance(inner, Session):
        return inner
    if hasattr(subject, "segmenter"):
        return Session(subject, threaded=False)
    raise TypeError(
        f"give an Explorer, a Session, a case or maps to embed, got {type(subject).__name__}"
    )


def _figure(shown: Shown, title: str, colormap: str) -> dict[str, Any]:
    picture = as_picture(shown.picture.image)
    limits: dict[int, float] = {}
    for _, ate in shown.maps:
        limits[ate.patch_size] = max(limits.get(ate.patch_size, 0.0), nice_limit(ate.effect))
    maps = []
    for number, (region, ate) in enumerate(shown.maps):
        limit = limits[ate.patch_size]
        effect = {**effect_to_wire(ate, number, 0), "limit": limit}
        scale = f"Colours from −{limit:g} to +{limit:g} points"
        shared = f"{scale}, for all maps of {ate.patch_size} px patches"
        facts = [*_facts(ate), shared if len(shown.maps) > 1 else scale]
        maps.append({"region": region, "effect": effect, "facts": facts})
    return {
        "title": title,
        "image": {**image_to_wire(picture, 0), "place": ""},
        "prediction": mask_to_wire(shown.picture.prediction),
        "truth": mask_to_wire(shown.picture.truth),
        "spacing": shown.picture.spacing,
        "colormap": colormap,
        "regions": [
            {"name": name, "mask": mask_to_wire(mask), "layers": _layers(layers, found)}
            for name, mask, layers, found in shown.regions
        ],
        "maps": maps,
    }


def _facts(ate: ATEMap) -> list[str]:
    recipe, summary = ate.recipe, ate.summary()
    against = "truth" if recipe.get("truth") else "the model's own prediction"
    content = words(BASELINE_WORDS, str(recipe.get("baseline", "not recorded")))
    return [
        f"{words(OUTCOME_WORDS, str(recipe.get('outcome', 'outcome')))} inside the region "
        f"{ate.base:.2f} of 100, against {against}",
        f"Patches of {ate.patch_size} × {ate.patch_size} px, replaced by: {content}",
        f"Supporting {summary['supporting']:.1%}, harming {summary['harming']:.1%}, no effect "
        f"{summary['irrelevant']:.1%} of {summary['patches']} patches",
        f"{ate.evaluations} evaluations, seed {recipe.get('seed', 'not recorded')}",
    ]


def _layers(
    effects: LayerEffects | None, channels: Mapping[str, LayerEffects]
) -> dict[str, Any] | None:
    if effects is None or not len(effects):
        return None
    kind = effects.kinds[0]
    drilled = {}
    for name, parts in channels.items():
        bars = [_bar(row) for row in parts]
        drilled[name] = sorted(bars, key=lambda bar: -abs(bar["effect"] or 0.0))
    replaced = words(INTERVENTION_WORDS, kind)
    return {
        "base": effects.base,
        "replaced": f"Each layer's output replaced by: {replaced}",
        "bars": [_bar(row) for row in effects if row.kind == kind],
        "channels": drilled,
    }


def _bar(row: Any) -> dict[str, Any]:
    effect, stderr = (v if v == v else None for v in (row.effect, row.stderr))
    return {"name": row.layer, "effect": effect, "stderr": stderr, "samples": row.samples}


def _page(figure: dict[str, Any], title: str, shown: Shown) -> str:
    data = json.dumps(figure, default=_as_base64, allow_nan=False)
    region, ate = shown.maps[0]
    said = f"{shown.regions[region][0]}: {'. '.join(_facts(ate))}. JavaScript shows the map."
    return PAGE.format(
        policy=escape(NETWORK_OFF),
        title=escape(title),
        text=escape(said),
        css=(STATIC / "figure.css").read_text(encoding="utf-8").replace("</", "<\\/"),
        data=data.replace("<", "\\u003c"),
        script=(STATIC / "figure.js").read_text(encoding="utf-8").replace("</script", "<\\/script"),
    )


def _as_base64(value: Any) -> dict[str, str]:
    return {"base64": base64.b64encode(bytes(value)).decode("ascii")}
