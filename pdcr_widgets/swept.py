"""A sweep that a session keeps: with it the map of any region is there at once."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np
import traitlets as t

from pdcr_widgets.causal import ATEMap, ATEUpdate, Sweep, SweepUpdate
from pdcr_widgets.causal.arrays import as_region
from pdcr_widgets.causal.ingredients import model_digest
from pdcr_widgets.causal.state import DONE
from pdcr_widgets.causal.sweeping import LIMIT_BYTES
from pdcr_widgets.failures import in_words
from pdcr_widgets.inputs import Array, Inputs
from pdcr_widgets.progress import Progress, Stopwatch
from pdcr_widgets.request import Request
from pdcr_widgets.runner import Runner
from pdcr_widgets.signals import Event, Failed, Finished, Paused, Resumed, Signal, Started, Stopped
from pdcr_widgets.twin import lock_of

OTHER = {
    "image": "another image",
    "segmenter": "another model",
    "target": "another class",
    "patch_size": "another patch size",
    "baseline": "another baseline",
    "baseline_value": "another value of the baseline",
    "bank": "another patch bank",
    "make_bank": "another patch bank",
    "seed": "another seed",
}
"""Inputs that a sweep is made for, and what the question is about when one of them changes."""

ONLY_OF = {"baseline_value": "constant", "bank": "bank", "make_bank": "bank"}
"""Inputs that matter to one baseline alone."""


READ_OFF = ("region", "truth", "outcome")
"""Inputs that a sweep answers for without a forward pass."""


class Swept(Inputs):
    """Inputs, and a sweep of them.

    Notes
    -----
    Nothing is swept before `make_sweep` is called. A sweep is dropped as soon as an input changes
    that it was made for, and ``sweep_note`` says which.
    """

    sweep = t.Instance(Sweep, allow_none=True, read_only=True, help="as many draws of every patch")
    sweep_samples = t.Int(4, min=1, max=100, help="draws per patch of the next sweep")
    sweep_limit = t.Int(LIMIT_BYTES, min=1, help="bytes that a sweep may take")
    sweep_making = t.Bool(False, read_only=True)
    sweep_progress = t.Instance(Progress, (), read_only=True)
    sweep_bytes = t.Int(0, read_only=True, help="memory that it takes so far")
    sweep_note = t.Unicode("", read_only=True, help="why it is gone or incomplete, or empty")

    previewed = Array(None, read_only=True, help="region of the map while it is being drawn")
    ate = t.Instance(
        ATEMap, allow_none=True, read_only=True, help="measured, or read off the sweep"
    )

    threaded: bool
    _read: ATEMap | None = None
    _sweeper: Runner | None = None

    def __init__(self, **inputs: Any) -> None:
        super().__init__(**inputs)
        self.observe(self._drop_unfitting, names=list(OTHER))

    def make_sweep(self) -> None:
        """Intervene on every patch and keep what it does to the whole prediction.

        It can be used from its first round on, and goes on until every patch has had
        ``sweep_samples`` draws or it would take more than ``sweep_limit`` bytes.
        """
        self.drop_sweep()
        request, samples, limit = self._request(), self.sweep_samples, self.sweep_limit
        guard = lock_of(self.segmenter.model)
        self._set(sweep_note="", sweep_making=True, sweep_progress=Progress("waiting"))
        sweeper = self._sweeper = self._new_sweeper()
        sweeper.submit(lambda: request.sweep_updates(samples, limit), guard=guard)

    def stop_sweep(self) -> None:
        """End the sweep that is being made; its whole rounds stay."""
        if self._sweeper is not None:
            self._sweeper.stop()

    def drop_sweep(self, note: str = "") -> None:
        """Forget the sweep, made or being made; ``note`` says why."""
        sweeper, self._sweeper = self._sweeper, None
        if sweeper is not None:
            sweeper.close()
        if self.sweep is not None or self.sweep_making:
            self._set(sweep_note=note, sweep=None, sweep_making=False, sweep_bytes=0)

    def wait_sweep(self, timeout: float | None = None) -> bool:
        """Wait until no sweep is being made; False if `timeout` seconds were not enough."""
        sweeper = self._sweeper
        return sweeper is None or sweeper.join(timeout)

    def preview(self, region: Any) -> None:
        """Show the map of a region that is still being drawn, read off the sweep.

        Nothing happens without a sweep. No forward pass is made; `settle` ends it.
        """
        if self.sweep is None or not np.any(region):
            return
        if self.previewed is None:
            self._set(previewed=region)
            self.stop()
        try:
            drawn = as_region(region, self.image.shape[1:])
            self._read_off(drawn)
            self._set(previewed=drawn, error="", failure=None)
        except (TypeError, ValueError) as failure:
            self.report(failure)

    def settle(self, region: Any) -> None:
        """Make a region that was drawn the one that is asked about."""
        previewed, asked = self.previewed is not None, self.region
        self._set(previewed=None)
        self.region = region
        if previewed and self.region is asked:
            self._submit()

    def _read_off(self, region: Any) -> None:
        """Show what the sweep says about a region, until the computation knows better."""
        sweep = None if region is None else self._fitting_sweep()
        if sweep is not None:
            self._read = sweep.ate_map(region, self.truth, outcome=self.outcome)
            self._set(ate=self._read)

    def _knows_better(self, update: ATEUpdate) -> bool:
        """Whether an update may take the place of what is shown."""
        if self.previewed is not None:
            return False
        read = self._read
        return read is None or update.stage == DONE or spread(update.map) <= spread(read)

    def _fitting_sweep(self) -> Sweep | None:
        """Give the sweep, unless the model's weights were changed under it."""
        sweep = self.sweep
        if sweep is not None and sweep.recipe["model"] != model_digest(
            self._request().segmenter.model
        ):
            self.drop_sweep("the model's weights have changed")
            return None
        return sweep

    def stop(self) -> None:
        """End the computation of the map."""
        raise NotImplementedError

    def report(self, failure: Exception) -> None:
        """Show an error."""
        raise NotImplementedError

    def _submit(self) -> None:
        raise NotImplementedError

    def _request(self) -> Request:
        raise NotImplementedError

    def _drop_unfitting(self, change: Any) -> None:
        if ONLY_OF.get(change.name, self.baseline) == self.baseline:
            self.drop_sweep(f"the question is about {OTHER[change.name]} now")

    def _let_map_go_first(self, first: bool) -> None:
        """Hold the sweep that is being made while a new map has nothing to show yet."""
        if self._sweeper is not None:
            self._sweeper.pause() if first else self._sweeper.resume()

    def _new_sweeper(self) -> Runner:
        here, watch = weakref.ref(self), Stopwatch()

        def hear(signal: Signal) -> None:
            session = here()
            if session is not None and session._sweeper is sweeper:
                session._hear_of_sweep(signal, watch)

        sweeper = Runner(hear, threaded=self.threaded)
        weakref.finalize(self, sweeper.close)
        return sweeper

    def _hear_of_sweep(self, signal: Signal, watch: Stopwatch) -> None:
        match signal:
            case Started():
                watch.restart()
            case Event(value=SweepUpdate() as update):
                self._take_sweep(update, watch)
            case Paused():
                watch.hold()
            case Resumed():
                watch.go_on()
            case Finished():
                self._end_sweep(f"It reached its limit of {self.sweep_limit / 2**20:.3g} MB")
            case Stopped():
                self._end_sweep("It was stopped")
            case Failed(error=error):
                self.drop_sweep(in_words(error))

    def _take_sweep(self, update: SweepUpdate, watch: Stopwatch) -> None:
        if update.rounds > (self.sweep.rounds if self.sweep is not None else 0):
            self._set(sweep=update.sweep.first(update.rounds * update.patches).ready())
        progress = watch.count("sweep", update.done, update.total, "sweeping")
        self._set(sweep_bytes=update.nbytes, sweep_progress=progress)

    def _end_sweep(self, early: str) -> None:
        """Say what there is when a sweep ends before it had all its draws."""
        self._set(sweep_making=False)
        if self._sweeper is not None:
            self._sweeper.close()
        if self.sweep is None:
            note = f"{early} before every patch had a draw; larger patches need fewer."
        elif self.sweep.rounds < self.sweep.recipe["samples"]:
            note = f"{early} after {self.sweep.rounds} of {self.sweep.recipe['samples']} draws."
        else:
            note = ""
        self._set(sweep_note=note)

    def _set(self, **results: Any) -> None:
        for name, value in results.items():
            self.set_trait(name, value)


def spread(ate: ATEMap) -> float:
    """Root mean square of the standard errors of a map, points."""
    return float(np.sqrt(np.nanmean(ate.stderr**2)))
