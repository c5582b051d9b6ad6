"""What is pasted in place of a patch."""

from __future__ import annotations

from typing import Any

import ipywidgets as w
import traitlets as t
from torch import Tensor

from pdcr_widgets.causal import BASELINES, PatchBank
from pdcr_widgets.inputs import Array
from pdcr_widgets.session import Session
from pdcr_widgets.widgets.style import block, markup
from pdcr_widgets.widgets.text import BASELINE_WORDS, count, words
from pdcr_widgets.widgets.thumbnails import Thumbnails
from pdcr_widgets.widgets.view import View

SHOWN = 24
STEPS = 200


class BaselineControls(View):
    """Kind of baseline, its value on the image's own range, and a look into the patch bank.

    Parameters
    ----------
    session
        Whose baseline is chosen; None to set or link the traits by hand.
    **traits
        Initial values of the traits below, or any of `ipywidgets.VBox`.

    Attributes
    ----------
    baseline : str
        A key of ``BASELINES``.
    baseline_value : float
        Value of the constant baseline, in the image's units.
    bank : PatchBank or None
        The patches of the bank baseline; without one that baseline is not offered.
    image : Tensor or None
        Gives the range of the slider and the grey window of the thumbnails.
    """

    baseline = t.Enum(list(BASELINES), "mean")
    baseline_value = t.Float(0.0)
    bank = t.Instance(PatchBank, None, allow_none=True)
    image = Array(None)

    def __init__(self, session: Session | None = None, **traits: Any) -> None:
        self._kind = w.Dropdown(description="Baseline")
        self._value = w.FloatSlider(description="Value", readout_format=".3g")
        self._caption = markup("pdcr-hint")
        self._thumbnails = Thumbnails(rows=1)
        self._bank = block("pdcr-bank", children=[self._thumbnails, self._caption])
        super().__init__(**traits)
        self._fit_kinds()
        self._fit_range()
        controls = block("pdcr-controls", children=[self._kind, self._value])
        self.fill(controls, self._bank)
        self.observe(self._fit_range, names=["image"])
        self.observe(self._fit_kinds, names=["bank"])
        self.observe(self._show, names=["baseline", "bank", "image"])
        if session is not None:
            for name in ("image", "bank"):
                self.follow((session, name), (self, name))
            self.link((session, "baseline"), (self, "baseline"))
            self.link((session, "baseline_value"), (self, "baseline_value"))
        self.link((self, "baseline"), (self._kind, "value"))
        self.link((self, "baseline_value"), (self._value, "value"))
        self._show()

    def still(self) -> bytes | None:
        """Give patches of the bank as PNG, where they are the baseline."""
        return self._thumbnails.still() if self.baseline == "bank" else None

    def __repr__(self) -> str:
        value = f" {self.baseline_value:g}" if self.baseline == "constant" else ""
        return f"BaselineControls({words(BASELINE_WORDS, self.baseline)}{value})"

    def _fit_kinds(self, _change: Any = None) -> None:
        names = [n for n in BASELINES if n != "bank" or self.bank is not None]
        options = [(words(BASELINE_WORDS, name), name) for name in names]
        if tuple(self._kind.options) != tuple(options):
            chosen = self.baseline if self.baseline in names else "mean"
            self._kind.options = options
            self._kind.value = self.baseline = chosen

    def _fit_range(self, _change: Any = None) -> None:
        low, high = grey_range(self.image)
        low, high = min(low, self.baseline_value), max(high, self.baseline_value)
        with self._value.hold_sync():
            self._value.min, self._value.max = min(low, self._value.min), max(high, self._value.max)
            self._value.min, self._value.max = low, high
            self._value.step = (high - low) / STEPS

    def _show(self, _change: Any = None) -> None:
        self._value.layout.display = None if self.baseline == "constant" else "none"
        bank = self.bank if self.baseline == "bank" else None
        self._bank.layout.display = None if bank is not None else "none"
        if bank is None:
            return
        step = max(1, len(bank) // SHOWN)
        self._thumbnails.show(bank.patches[::step][:SHOWN], grey_range(self.image))
        side = bank.patch_size
        self._caption.value = f"{count(len(bank))} patches of {side} × {side} px"


def grey_range(image: Tensor | None) -> tuple[float, float]:
    """Smallest and largest value of an image; (0, 1) without one, never an empty range."""
    if image is None:
        return 0.0, 1.0
    low, high = float(image.min()), float(image.max())
    return (low, high) if high > low else (low, low + 1.0)
