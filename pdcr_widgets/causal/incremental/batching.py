"""How a recorded graph depends on the number of images.

A recording is of one image. Operators that are run as recorded may have been given sizes that
contain the batch, such as a reshape for attention; comparing with a recording of two images finds
them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pdcr_widgets.causal.incremental.capture import Call, Recording, Unsupported
from pdcr_widgets.causal.incremental.graph import Graph, operator_name
from pdcr_widgets.causal.incremental.kinds import Whole
from pdcr_widgets.causal.incremental.program import Scaled
from pdcr_widgets.causal.incremental.refusing import OneByOne

SIZED = frozenset({"view", "reshape", "_unsafe_view", "expand", "repeat", "unflatten"})


def depends_on_batch(recording: Recording, graph: Graph) -> bool:
    """Whether a graph runs operators that may have been given sizes with the batch in them."""
    for node in map(graph.__getitem__, graph.live()):
        if isinstance(node.kind, Whole):
            assert node.value is not None
            call = recording.calls[node.value]
            has_name = hasattr(call.op, "_schema")
            if not node.kind.is_map or (has_name and operator_name(call) in SIZED):
                return True
    return False


def for_any_batch(one: Recording, two: Recording) -> Recording:
    """Recording of one image with every size written as a function of the batch.

    Raises
    ------
    Unsupported
        The model computes differently for two images, or mixes them.
    """
    if len(one.calls) != len(two.calls) or one.output != two.output:
        raise Unsupported("the model takes other steps for two images than for one")
    calls = [_compared(a, b) for a, b in zip(one.calls, two.calls, strict=True)]
    return replace(one, calls=calls)


def _compared(one: Call, two: Call) -> Call:
    if one.op is not two.op or len(one.shape) != len(two.shape):
        raise Unsupported("the model takes other steps for two images than for one")
    grown = [axis for axis, (a, b) in enumerate(zip(one.shape, two.shape, strict=True)) if a != b]
    is_tensor = one.dtype is not None
    if one.live and is_tensor and not grown:
        raise OneByOne("the model mixes the images of a batch")
    if any(two.shape[axis] != 2 * one.shape[axis] for axis in grown) or len(grown) > 1:
        raise OneByOne("the model mixes the images of a batch")
    batched = grown == [0] and one.shape[0] == 1
    if grown and not one.live and not batched:
        raise Unsupported("the size of a constant depends on the number of images")
    args, kwargs = _sized(one.args, two.args), _sized(one.kwargs, two.kwargs)
    return replace(one, args=args, kwargs=kwargs, batched=batched)


def _sized(one: Any, two: Any) -> Any:
    if isinstance(one, Mapping):
        return {key: _sized(value, two[key]) for key, value in one.items()}
    if isinstance(one, (tuple, list)):
        return type(one)(_sized(a, b) for a, b in zip(one, two, strict=True))
    if isinstance(one, int) and isinstance(two, int) and one != two:
        return Scaled(two - one, 2 * one - two)
    return one
