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


class LayerStream:
    """Layer effects of a request: on the region, and when that is done on the rest of the image.

    Predictions of the whole image cost several times as much as those of the region. Where they are
    made anyway both are measured at once.

    Parameters
    ----------
    request
        What is asked.
    segmenter
        With its activation and target decided.
    """

    def __init__(self, request: Request, segmenter: Segmenter) -> None:
        self._asked = about(request, segmenter) | {
            "layers": request.components, "intervention": kinds_of(request),
        }  # fmt: skip
        self._elsewhere = request.elsewhere
        self._shown: LayerEffects | None = None

    def region(self) -> Generator[LayerEffectUpdate, None, None]:
        """Measure the region."""
        for update in iter_layer_effects(**self._asked):
            if self._elsewhere and update.effects.engine == "full":
                yield from iter_layer_effects(**self._asked, elsewhere=True)
                return
            yield _half_way(update) if self._elsewhere else update
        self._shown = update.effects if self._elsewhere else None

    def rest(self) -> Generator[LayerEffectUpdate, None, None]:
        """Measure the rest of the image, unless that is not asked for or done."""
        if self._shown is None:
            return
        for update in iter_layer_effects(**self._asked, elsewhere=True):
            yield _beside(self._shown, update)


def _half_way(update: LayerEffectUpdate) -> LayerEffectUpdate:
    """Count the rest of the image, which comes next, as half of the work."""
    last = update.done == update.total
    stage = "preparing, rest of the image" if last else update.stage
    return replace(update, total=2 * update.total, stage=stage)


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
