"""What a page would send and get, and small pictures to send."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from comm.base_comm import BaseComm

from pdcr_widgets.causal import ATEMap

SHAPE = (40, 56)


class Recorder(BaseComm):
    """A comm that keeps what is sent, as a page would get it."""

    sent: list[tuple[str, Any, list[bytes]]]

    def publish_msg(
        self, msg_type: str, data: Any = None, metadata: Any = None, buffers: Any = None, **_: Any
    ) -> None:
        json.dumps(data)
        self.__dict__.setdefault("sent", []).append((msg_type, data, buffers or []))

    def updates(self, name: str) -> list[Any]:
        return [
            data["state"][name]
            for _, data, _ in self.sent
            if data and data.get("method") == "update" and name in data["state"]
        ]


def effect_map(shape: tuple[int, int] = SHAPE, size: int = 8, scale: float = 3.0) -> ATEMap:
    rows, cols = (-(-side // size) for side in shape)
    effect = scale * np.linspace(-1, 1, rows * cols, dtype=np.float32).reshape(rows, cols)
    region = np.zeros(shape, bool)
    region[8:16, 8:24] = True
    effect[1, 1:3] = np.nan
    stderr = np.where(np.isnan(effect), np.nan, 0.1).astype(np.float32)
    samples = np.where(np.isnan(effect), 0, 8)
    return ATEMap(effect, stderr, samples, 90.0, 100, size, region)


def sent_region(mask: np.ndarray) -> dict[str, Any]:
    return {"shape": list(mask.shape), "data": memoryview(np.packbits(mask).tobytes())}


def as_box(top: int, left: int) -> np.ndarray:
    mask = np.zeros(SHAPE, bool)
    mask[top : top + 8, left : left + 8] = True
    return mask


def blob(height: int, width: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).random((height, width)) > 0.6
