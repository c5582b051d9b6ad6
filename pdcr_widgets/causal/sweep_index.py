"""Where in a sweep the changed pixels of a part of the image are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

BANDS = 64
CHUNK = 1 << 20


@dataclass(frozen=True, eq=False)
class Bands:
    """The first changed pixel of every intervention in every band of rows.

    With it a region is read at the cost of the rows that it lies in.

    Parameters
    ----------
    height
        Rows (of a volume: slices) in a band.
    first
        ``(n, bands + 1)`` numbers into the sweep's pixels.
    """

    height: int
    first: np.ndarray

    @classmethod
    def of(cls, offsets: np.ndarray, pixels: np.ndarray, spatial: tuple[int, ...]) -> Bands:
        """Find the bands of changed pixels; one band where they do not lie in ascending order."""
        row = int(np.prod(spatial[1:]))
        height = -(-spatial[0] // BANDS)
        count, bands = len(offsets) - 1, -(-spatial[0] // height)
        inside = np.zeros((count, bands), dtype=np.int64)
        done = 0
        while done < count:
            stop = int(np.searchsorted(offsets, offsets[done] + CHUNK, side="right")) - 1
            stop = min(max(stop, done + 1), count)
            part = pixels[offsets[done] : offsets[stop]] // np.uint32(row * height)
            owner = np.repeat(np.arange(stop - done), np.diff(offsets[done : stop + 1]))
            place = owner * bands + part
            if (np.diff(place) < 0).any():
                return cls(spatial[0], np.stack([offsets[:-1], offsets[1:]], axis=1))
            held = np.bincount(place, minlength=(stop - done) * bands)
            inside[done:stop] = held.reshape(-1, bands)
            done = stop
        ends = offsets[:-1, None] + np.cumsum(inside, axis=1)
        return cls(height, np.concatenate([offsets[:-1, None], ends], axis=1))

    def inside(self, region: np.ndarray, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Find the changed pixels inside a region.

        Parameters
        ----------
        region
            Boolean array of the image's shape, True somewhere.
        pixels
            The sweep's.

        Returns
        -------
        where : ndarray
            ``(m,)`` numbers into the sweep's pixels.
        owner : ndarray
            ``(m,)`` intervention of each.
        """
        rows = np.flatnonzero(region.reshape(len(region), -1).any(axis=1))
        low, high = rows[0] // self.height, rows[-1] // self.height + 1
        start, stop = self.first[:, low], self.first[:, high]
        end = np.cumsum(stop - start)
        kind = np.int32 if len(pixels) < 1 << 31 else np.int64
        where = np.arange(end[-1], dtype=kind)
        where += np.repeat((stop - end).astype(kind), stop - start)
        hit = np.flatnonzero(region.reshape(-1)[pixels[where]])
        return where[hit], np.searchsorted(end, hit, side="right")
