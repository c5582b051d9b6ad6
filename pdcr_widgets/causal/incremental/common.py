"""Windows that lie at the same place for all interventions of a bucket.

Behind a global operation every intervention changes everything that is read. Such windows are kept
as one tensor and handed on as views, where windows of many places are gathered from a table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pdcr_widgets.causal.incremental.axes import Ints
from pdcr_widgets.causal.incremental.kinds import Shape
from pdcr_widgets.causal.moving import sent


@dataclass(frozen=True, eq=False)
class Common:
    """Windows of one node.

    Attributes
    ----------
    values
        ``(n, channels, *size)``, an intervention of the bucket per row.
    start
        First position on every axis.
    extent
        Of the map.
    """

    values: Tensor
    start: Shape
    extent: Shape

    @property
    def is_whole(self) -> bool:
        """Whether they are the whole map."""
        return tuple(self.values.shape[2:]) == self.extent

    def tile(self, reads: Sequence[tuple[Ints, int]], fill: float, picked: Ints) -> Tensor | None:
        """Tiles of some interventions, as `Reader.gather` gives them.

        None where they differ in place or hold original values, which are in the node's table.
        """
        values, pads = self.rows(picked), list[int]()
        for axis, (starts, length) in enumerate(reads):
            first = int(starts[0])
            low, high = max(first, 0), min(first + length, self.extent[axis])
            begin = low - self.start[axis]
            held = begin >= 0 and low < high <= self.start[axis] + values.shape[axis + 2]
            if not held or (starts != first).any():
                return None
            values = values.narrow(axis + 2, begin, high - low)
            pads = [low - first, first + length - high, *pads]
        return torch.constant_pad_nd(values, pads, fill) if any(pads) else values

    def rows(self, picked: Ints) -> Tensor:
        """Windows of some interventions."""
        first, last = int(picked[0]), int(picked[-1])
        if last - first == len(picked) - 1 and (np.diff(picked) == 1).all():
            return self.values[first : last + 1]
        return self.values.index_select(0, sent(picked, self.values.device))


def joined(parts: Sequence[tuple[Tensor, int]], count: int) -> Tensor:
    """Windows of a bucket from those of its parts, each with the number of rows that count."""
    values, used = parts[0]
    if len(parts) == 1:
        return values[:used]
    shape = (count, *values.shape[2:], values.shape[1])
    result = values.new_empty(shape).movedim(-1, 1)
    done = 0
    for values, used in parts:
        result[done : done + used] = values[:used]
        done += used
    return result
