"""Exact predictions after replacing values in the middle of a recorded network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from pdcr_widgets.causal.incremental.engine import IncrementalEngine
from pdcr_widgets.causal.incremental.graph import operator_name
from pdcr_widgets.causal.incremental.kinds import Whole
from pdcr_widgets.causal.incremental.layers import Place, Suffix
from pdcr_widgets.causal.incremental.tables import inside
from pdcr_widgets.causal.incremental.trees import Ref, references
from pdcr_widgets.causal.memory import is_out_of_memory


class Suffixes:
    """What follows places of a network, computed at the cost of what the window reads of it.

    Parameters
    ----------
    engine
        For the image and the window that is read.
    """

    def __init__(self, engine: IncrementalEngine) -> None:
        self._engine = engine
        self._graph, self._recording = engine._graph, engine._recording
        live = set(self._graph.live())
        self._nodes = {
            node.value: i
            for i, node in enumerate(self._graph.nodes)
            if i in live and node.value is not None
        }
        self._last: tuple[tuple[Place, ...], Suffix] | None = None

    def layer(self, name: str) -> Place | None:
        """Place of a module's output; None where it is no value that the graph has."""
        call = self._recording.layers.get(name)
        if call is None or call in self._nodes:
            return None if call is None else Place(self._nodes[call])
        shown = self._graph.layers.get(name)
        if shown is None or any(view is not None for view in shown.views):
            return None
        return Place(shown.node) if self._is_only_name(call) else None

    def _is_only_name(self, call: int) -> bool:
        """Whether nobody reads the value under an earlier name, as before a ``contiguous()``."""
        uses = Counter(
            index for c in self._recording.calls for index in references((c.args, c.kwargs))
        )
        while call not in self._nodes:
            before = list(references(self._recording.calls[call].args))
            if len(before) != 1 or uses[before[0]] != 1:
                return False
            call = before[0]
        return True

    def result(self, operator: str, number: int) -> Place | None:
        """Place of the result of an operation: the ``number``-th of its name, 0 first.

        Only operations that depend on the image count.
        """
        call = self._call(operator, number)
        return None if call not in self._nodes else Place(self._nodes[call])

    def edge(self, operator: str, number: int, path: tuple[int, ...]) -> Place | None:
        """Place of what one operation reads at ``path`` in its arguments."""
        call = self._call(operator, number)
        if call is None or call not in self._nodes:
            return None
        read: Any = self._recording.calls[call].args
        for place in path:
            read = read[place]
        reader = self._nodes[call]
        operands = self._graph[reader].operands
        places = [
            p
            for p, operand in enumerate(operands)
            if isinstance(read, Ref) and self._graph[operand.node].value == read.index
        ]
        if len(places) != 1 or any(v is not None for v in operands[places[0]].views):
            return None
        return Place(operands[places[0]].node, reader, places[0])

    def _call(self, operator: str, number: int) -> int | None:
        found = [
            i
            for i, call in enumerate(self._recording.calls)
            if call.live and hasattr(call.op, "_schema") and operator_name(call) == operator
        ]
        return found[number] if number < len(found) else None

    def is_map(self, place: Place) -> bool:
        """Whether it is ``(channels, *spatial)``, of which a window may be given."""
        kind = self._graph[place.node].kind
        return not isinstance(kind, Whole) or kind.is_map

    def shape(self, place: Place) -> tuple[int, ...]:
        """Shape without the batch axis; of values that merge windows into it, the whole shape."""
        node = self._graph[place.node]
        if self.is_map(place):
            return node.channels, *node.spatial
        assert node.value is not None
        shape = self._recording.calls[node.value].shape
        return shape[1:] if shape[0] == 1 else shape

    def original(self, place: Place) -> Tensor | None:
        """Value on the recorded image, shaped as `shape` says; None where it was overwritten."""
        value = self._graph[place.node].value
        found = None if value is None else self._recording.values[value]
        return found.reshape(self.shape(place)) if isinstance(found, Tensor) else None

    def window(self, place: Place) -> tuple[slice, ...]:
        """Part of the spatial axes of a map that the predictions depend on; () for none."""
        return self._suffix((place,)).crops.get(place, ())

    def follows(self, later: Place, earlier: Place) -> bool:
        """Whether a place is computed from another one."""
        after = {earlier.reader if earlier.reader >= 0 else earlier.node}
        for i in self._graph.live():
            if any(operand.node in after for operand in self._graph[i].operands):
                after.add(i)
        return later.node in after

    @torch.no_grad()
    def probabilities(self, contents: Mapping[Place, Tensor]) -> Tensor:
        """Predict after replacing all places at once.

        Parameters
        ----------
        contents
            By place ``(n, *shape)`` or, of a single map, ``(n, channels, *window)``.

        Returns
        -------
        Tensor
            ``(n, *window that is read)`` probability of the target, 0..1.
        """
        engine = self._engine
        suffix = self._suffix(tuple(contents))
        count = len(next(iter(contents.values())))
        scores = engine.original_scores.expand(count, *engine.original_scores.shape)
        given = {
            place: self._cropped(place, suffix, content.to(scores))
            for place, content in contents.items()
            if place in suffix.nodes
        }
        if given:
            scores = self._run(suffix, given, count)
        return engine._segmenter.probability(scores)

    def _run(self, suffix: Suffix, given: dict[Place, Tensor], count: int) -> Tensor:
        engine = self._engine
        item = engine.original_scores.element_size()
        each = engine._bytes(suffix.plan(1), suffix.cones.graph) + item * suffix.plain
        most = max(1, min(engine.batch, engine._memory // each))
        parts: list[Tensor] = []
        done = 0
        while done < count:
            size = min(most, count - done)
            part = {place: self._merged(place, c[done : done + size]) for place, c in given.items()}
            try:
                parts.append(suffix.run(part, size))
            except RuntimeError as error:
                if not is_out_of_memory(error) or size == 1:
                    raise
                suffix.executor.release()
                most = size // 2
                continue
            done += size
        return torch.cat(parts)

    def _merged(self, place: Place, content: Tensor) -> Tensor:
        """Merge windows into the batch axis where the network does."""
        value = self._graph[place.node].value
        if self.is_map(place) or value is None:
            return content
        first, *rest = self._recording.calls[value].shape
        return content.reshape(len(content) * first, *rest)

    def _cropped(self, place: Place, suffix: Suffix, content: Tensor) -> Tensor:
        """What the suffix needs of a content."""
        shape = self.shape(place)
        if not self.is_map(place):
            if tuple(content.shape[1:]) != shape:
                raise ValueError(
                    f"values must be (n, {_written(shape)}), got {tuple(content.shape)}"
                )
            return content
        crop = suffix.crops[place]
        if tuple(content.shape[1:]) == shape:
            return inside(content, crop)
        expected = (shape[0], *(s.stop - s.start for s in crop))
        if tuple(content.shape[1:]) != expected:
            raise ValueError(
                f"values must be (n, {_written(shape)}) or of the window that is read, "
                f"(n, {_written(expected)}), got {tuple(content.shape)}"
            )
        return content

    def _suffix(self, places: tuple[Place, ...]) -> Suffix:
        if self._last is None or self._last[0] != places:
            window = self._engine._window
            self._last = places, Suffix(self._graph, self._recording, places, window)
        return self._last[1]


def _written(shape: tuple[int, ...]) -> str:
    return ", ".join(map(str, shape))
