"""The engine: predictions after interventions, at the cost of what they change."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from pdcr_widgets.causal.boxes import channels_last
from pdcr_widgets.causal.incremental.axes import Ints
from pdcr_widgets.causal.incremental.cache import Prepared
from pdcr_widgets.causal.incremental.capture import Recording
from pdcr_widgets.causal.incremental.cones import Cones, Interval
from pdcr_widgets.causal.incremental.cost import in_common, spent, whole, work
from pdcr_widgets.causal.incremental.executor import Executor
from pdcr_widgets.causal.incremental.graph import Graph
from pdcr_widgets.causal.incremental.pace import pace
from pdcr_widgets.causal.incremental.tables import inside
from pdcr_widgets.causal.incremental.windows import Plan, laid_out, planned
from pdcr_widgets.causal.memory import is_out_of_memory
from pdcr_widgets.causal.moving import sent
from pdcr_widgets.causal.segmenter import Segmenter

FEWEST, PATIENCE = 16, 0.25
"""Interventions per call at least, and seconds that it may take."""
CALM = 32 << 20
"""Bytes of a tensor on a CPU; allocators give larger ones fresh pages every time, which is slow."""


class IncrementalEngine:
    """Exact predictions inside a window after replacing boxes of one image.

    Only what a box changes and the window depends on is computed again; a box that cannot change
    the window costs nothing and gives the original prediction. Make one with `incremental_engine`.
    Not to be shared between threads.

    Attributes
    ----------
    name
        ``"incremental"``.
    reason
        Always empty: nothing stands in the way of using it.
    batch
        Interventions per call that suit it.
    """

    name = "incremental"
    reason = ""

    def __init__(
        self,
        segmenter: Segmenter,
        recording: Recording,
        known: Prepared,
        window: tuple[slice, ...],
        memory: int,
    ) -> None:
        self._segmenter, self._window, self._memory = segmenter, window, memory
        self._recording, self._graph = recording, known.graph
        graph = known.simple
        self._pace = pace(recording.values[0].device)
        self.batch = self._pace.batch
        self._cones = Cones(graph, window)
        self._executor = Executor(graph, self._cones, recording.values)
        self._work = work(graph)
        self._extent: tuple[int, ...] = tuple(recording.calls[0].shape[2:])
        self._planned: dict[tuple[int, ...], list[dict[int, Interval]]] = {}
        original: Tensor = recording.values[recording.output]
        whole = original if original.ndim == len(window) + 2 else original[:, None]
        self.original_scores = inside(whole, window)[0]

    def reaches(self, starts: Ints, size: Sequence[int]) -> Ints:
        """Whether each box can change the prediction inside the window.

        Parameters
        ----------
        starts
            ``(n, dims)`` first pixel of each box.
        size
            Side of the boxes on each axis, pixels.

        Returns
        -------
        ndarray
            ``(n,)`` booleans. Where False the prediction is exactly the original one.
        """
        windows = self._axes(tuple(size))
        output = self._cones.graph.output.node
        reached = np.ones(len(starts), dtype=bool)
        for axis, intervals in enumerate(windows):
            first, last = intervals[output]
            reached &= (last >= first)[starts[:, axis]]
        return reached

    def probabilities(self, starts: Ints, content: Tensor) -> Tensor:
        """Predict after pasting each box into the image of its own.

        Parameters
        ----------
        starts
            ``(n, dims)`` first pixel of each box, inside the image.
        content
            ``(n, channels, *size)`` pixels to paste.

        Returns
        -------
        Tensor
            ``(n, *window)`` probability of the target, 0..1.
        """
        scores = self.scores(starts, content)
        return self._segmenter.probability(scores)

    @torch.no_grad()
    def scores(self, starts: Ints, content: Tensor) -> Tensor:
        """Raw output inside the window after pasting each box, ``(n, classes, *window)``."""
        starts = np.asarray(starts, dtype=np.int64)
        content = content.to(self.original_scores)
        size = tuple(content.shape[2:])
        result = self.original_scores.expand(len(starts), *self.original_scores.shape).clone()
        reached = np.flatnonzero(self.reaches(starts, size))
        for first in range(0, len(reached), self.batch):
            self._fill(result, reached[first : first + self.batch], starts, content)
        return result

    def _fill(self, result: Tensor, picked: Ints, starts: Ints, content: Tensor) -> None:
        """Evaluate one bucket, in halves when memory runs out."""
        size = tuple(content.shape[2:])
        where = sent(picked, content.device)
        try:
            plan = self._plan(starts[picked], size)
            if len(picked) == 1 or self._bytes(plan, self._cones.graph) <= self._memory:
                result[where] = self._executor.run({0: content[where]}, plan).to(result.dtype)
                return
        except RuntimeError as error:
            if not is_out_of_memory(error) or len(picked) == 1:
                raise
            self.batch = max(1, len(picked) // 2)
            self._executor.release()
        for half in np.array_split(picked, 2):
            self._fill(result, half, starts, content)

    def _plan(self, starts: Ints, size: tuple[int, ...]) -> Plan:
        box = laid_out(starts, np.tile(size, (len(starts), 1)), [np.arange(len(starts))])
        return planned(self._cones, self._axes(size), {0: box}, starts, self._work, self._pace.call)

    def _bytes(self, plan: Plan, graph: Graph) -> int:
        """Memory that a plan takes, nearly."""
        item = self.original_scores.element_size()
        rows = [(windows.rows, max(graph[i].channels, 1)) for i, windows in plan.items()]
        kept = sum(n * channels for n, channels in rows)
        largest = max(n * channels for n, channels in rows)
        return item * (kept + 8 * largest)

    def _axes(self, size: tuple[int, ...]) -> list[dict[int, Interval]]:
        """Windows of every node for every start, per axis."""
        if size not in self._planned:
            windows = []
            for axis, side in enumerate(size):
                first = np.arange(self._extent[axis] - side + 1)
                windows.append(self._cones.windows(axis, {0: (first, first + side - 1)}))
            self._planned[size] = windows
        return self._planned[size]

    def share(self, starts: Ints, size: tuple[int, ...]) -> float:
        """Work for boxes over that of plain forward passes; sets the batch that suits it."""
        graph, plan = self._cones.graph, self._plan(starts, size)
        each = spent(graph, plan) / len(starts)
        on_cpu = self.original_scores.device.type == "cpu"
        suits = np.clip(PATIENCE * self._pace.speed / each, FEWEST, self._pace.batch)
        self.batch = 1 << round(np.log2(suits))
        common, largest = in_common(graph, plan)
        if on_cpu and common > 0.5:
            item = self.original_scores.element_size()
            self.batch = int(np.clip(CALM / (item * largest), 2, self.batch))
        return each / whole(graph)


def as_images(image: Tensor, segmenter: Segmenter) -> Tensor:
    """Batch of one image, channels last, where and what the model takes."""
    return channels_last(image[None].to(segmenter.device, segmenter.dtype))
