"""A row or grid of small pictures on an ipycanvas canvas."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from ipycanvas import Canvas
from PIL import Image

from pdcr_widgets.widgets.canvas_layers import LayerManager

SIDE = 30
GAP = 4
STRIP = 5
PER_ROW = 24


class Thumbnails(Canvas):
    """Small pictures side by side, each with an optional coloured strip below it.

    Parameters
    ----------
    rows
        Rows that there is room for; more pictures than fit are left out.
    """

    def __init__(self, rows: int = 1) -> None:
        self._commands = LayerManager()
        super().__init__(
            width=PER_ROW * (SIDE + GAP),
            height=rows * (SIDE + STRIP + GAP),
            _canvas_manager=self._commands,
        )
        self._room = rows * PER_ROW
        self.sheet = np.zeros((0, 0, 4), dtype=np.uint8)
        self.add_class("pdcr-thumbnails")
        self.on_client_ready(lambda: self._commands.replay(self))

    def still(self) -> bytes | None:
        """Give what is shown as PNG; None where nothing is."""
        if not self.sheet.any():
            return None
        file = io.BytesIO()
        Image.fromarray(self.sheet).save(file, "PNG")
        return file.getvalue()

    def show(self, patches: Any, window: tuple[float, float], strips: Sequence[str] = ()) -> None:
        """Draw pictures.

        Parameters
        ----------
        patches
            ``(n, channels, p, p)``, in the image's units; the first channel, or three as colours.
        window
            Values shown as black and as white.
        strips
            ``#rrggbb`` colours under the pictures, as many as pictures, or none.
        """
        self.sheet = sheet = np.zeros((self.height, self.width, 4), dtype=np.uint8)
        for number, patch in enumerate(np.asarray(patches)[: self._room]):
            top = number // PER_ROW * (SIDE + STRIP + GAP)
            left = number % PER_ROW * (SIDE + GAP)
            sheet[top : top + SIDE, left : left + SIDE] = picture(patch, window)
            if strips:
                below = slice(top + SIDE, top + SIDE + STRIP - 1)
                sheet[below, left : left + SIDE] = [*bytes.fromhex(strips[number][1:]), 255]
        with self._commands.batch():
            self.clear()
            self.put_image_data(sheet)


def picture(patch: np.ndarray, window: tuple[float, float]) -> np.ndarray:
    """Scale one patch ``(channels, p, p)`` to ``(SIDE, SIDE, 4)`` bytes, without smoothing."""
    low, high = window
    channels = patch if len(patch) == 3 else patch[:1].repeat(3, axis=0)
    grey = np.clip((channels.astype(float) - low) / (high - low), 0, 1)
    rows = np.arange(SIDE) * patch.shape[1] // SIDE
    columns = np.arange(SIDE) * patch.shape[2] // SIDE
    scaled = (255 * grey[:, rows][:, :, columns]).round().astype(np.uint8)
    return np.concatenate([np.moveaxis(scaled, 0, -1), np.full((SIDE, SIDE, 1), 255, np.uint8)], -1)
