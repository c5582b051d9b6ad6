"""What a request asks about the inside of its network."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pdcr_widgets.causal import Segmenter
from pdcr_widgets.causal.components import (
    DEFAULT_KINDS,
    LayerEffects,
    LayerEffectUpdate,
    iter_layer_effects,
)

if TYPE_CHECKING:
    from pdcr_widgets.request import Request


def kinds_of(request: Request) -> list[str]:
    """Name the interventions that are shown together, the chosen one first."""
    return list(dict.fromkeys((request.intervention, *DEFAULT_KINDS)))


def about(request: Request, segmenter: Segmenter | None = None) -> dict[str, Any]:
    """Give what every question about the network takes, by the names of `iter_layer_effects`."""
    return {
        "model": segmenter or request.segmenter, "image": request.image, "region": request.region,
        "truth": request.truth, "samples": request.layer_samples, "donors": request.donors,
        "where": request.where, "outcome": request.outcome, "seed": request.seed,
    }  # fmt: skip


def layer_updates(
    request: Request, segmenter: Segmenter
) -> Generator[LayerEffectUpdate, None, None]:
    """Measure the region first, and then the rest of the image beside it.

    Predictions of the whole image cost several times as much as those of the region, unless they
    are made anyway.
    """
    asked = about(request, segmenter) | {
        "layers": request.components, "intervention": kinds_of(request),
    }  # fmt: skip
    shown: LayerEffects | None = None
    for update in iter_layer_effects(**asked):
        if not request.elsewhere:
            yield update
        elif update.effects.engine == "full":
            break
        else:
            shown = update.effects
            yield replace(update, total=2 * update.total)
    if request.elsewhere:
        for update in iter_layer_effects(**asked, elsewhere=True):
            yield update if shown is None else _beside(shown, update)


def _beside(shown: LayerEffects, update: LayerEffectUpdate) -> LayerEffectUpdate:
    """What was measured in the region, with what is known of the rest of the image."""
    total = update.total
    if update.done == total:
        return replace(update, done=2 * total, total=2 * total)
    rows = tuple(
        replace(row, elsewhere=new.elsewhere, elsewhere_stderr=new.elsewhere_stderr)
        for row, new in zip(shown.rows, update.effects.rows, strict=True)
    )
    done = total + update.done
    effects = replace(shown, rows=rows, evaluations=done)
    return LayerEffectUpdate(effects, done, 2 * total, f"{update.stage}, rest of the image")
