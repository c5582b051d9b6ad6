"""What is kept per model: its simplified graph and the verdict of the self-check.

The graph is recorded anew for every image, at the cost of one forward pass, and compared with what
was kept, so a model that was edited is noticed whatever was done to it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from pdcr_widgets.causal.incremental.batching import depends_on_batch, for_any_batch
from pdcr_widgets.causal.incremental.builder import build
from pdcr_widgets.causal.incremental.capture import Recording
from pdcr_widgets.causal.incremental.flat import flattened
from pdcr_widgets.causal.incremental.folding import simplified
from pdcr_widgets.causal.incremental.graph import Graph
from pdcr_widgets.causal.incremental.pointwise import positionwise
from pdcr_widgets.causal.incremental.rules import RULES

LOCK = threading.RLock()


@dataclass
class Prepared:
    """A model's graph for one shape of input.

    Attributes
    ----------
    identity
        Structure and weights the graph was made from.
    graph, simple
        As recorded, and simplified for interventions on the input.
    verdicts
        Reason why not to use it, or "", by what was asked.
    """

    identity: tuple[Any, ...]
    graph: Graph
    simple: Graph
    verdicts: dict[Any, str] = field(default_factory=dict)


_PREPARED: WeakKeyDictionary[Any, dict[Any, Prepared]] = WeakKeyDictionary()


def prepared(
    model: Callable[..., Any], recording: Recording, of_two: Callable[[], Recording]
) -> Prepared:
    """Graph of a model as it is now; kept for as long as the model lives and stays the same.

    Parameters
    ----------
    recording
        Of the image at hand.
    of_two
        Makes a recording of two images, for graphs whose sizes depend on the batch.
    """
    first = recording.calls[0]
    key = (first.shape, first.dtype, recording.values[0].device)
    identity = (recording.signature(), fingerprint(recording))
    with LOCK:
        kept = _kept(model)
        found = kept.get(key)
        if found is None or found.identity != identity:
            graph = build(recording, RULES, positionwise, flattened)
            if depends_on_batch(recording, graph):
                graph = build(for_any_batch(recording, of_two()), RULES, positionwise, flattened)
            found = kept[key] = Prepared(identity, graph, simplified(graph))
        return found


def known_verdict(model: Callable[..., Any], images: Tensor, question: Any) -> str:
    """Reason that was found earlier against an engine for a question, or ""."""
    with LOCK:
        found = _kept(model).get((images.shape, images.dtype, images.device))
    return "" if found is None else found.verdicts.get(question, "")


def _kept(model: Callable[..., Any]) -> dict[Any, Prepared]:
    try:
        return _PREPARED.setdefault(model, {})
    except TypeError:
        return {}


def fingerprint(recording: Recording) -> tuple[Any, ...]:
    """Identity of the weights that a model used: where they are, how often written, what is in."""
    weights = [
        value
        for call, value in zip(recording.calls, recording.values, strict=True)
        if call.op is None and not call.live and isinstance(value, Tensor)
    ]
    floats = [w for w in weights if w.is_floating_point() and w.numel()]
    sums = []
    for device in dict.fromkeys(w.device for w in floats):
        norms = torch._foreach_norm([w for w in floats if w.device == device])
        sums += torch.stack([n.double() for n in norms]).tolist()
    places = tuple((w.data_ptr(), _version(w), tuple(w.shape)) for w in weights)
    return places, tuple(sums)


def _version(tensor: Tensor) -> int:
    return -1 if tensor.is_inference() else tensor._version
