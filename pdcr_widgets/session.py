"""The one owner of inputs, results, status and errors; everything on the screen is a view of it."""

from __future__ import annotations

import threading
import traceback
import weakref
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import traitlets as t

from pdcr_widgets.causal import ATEMap, ATEUpdate, PatchDraws
from pdcr_widgets.causal.components import LayerEffects, LayerEffectUpdate
from pdcr_widgets.failures import in_words
from pdcr_widgets.inputs import OF_LAYERS, QUESTION, read_subject
from pdcr_widgets.progress import Progress, Stopwatch
from pdcr_widgets.request import LayersUnavailable, Prediction, Request
from pdcr_widgets.runner import Runner
from pdcr_widgets.signals import Event, Failed, Finished, Paused, Resumed, Signal, Started, Stopped
from pdcr_widgets.swept import READ_OFF, Swept
from pdcr_widgets.turns import turn
from pdcr_widgets.twin import lock_of, twin

STATUSES = ("idle", "running", "paused", "stopped", "done", "failed")


class Session(Swept):
    """One explanation, kept up to date: change an input and it is computed anew.

    Parameters
    ----------
    subject
        A case (anything with ``segmenter`` and ``image``, and perhaps ``truth``, ``region``,
        ``bank``, ``make_bank``, ``bank_images``, ``spacing``), or a model or `Segmenter` to go with
        ``image``.
    image
        ``(channels, height, width)`` or ``(height, width)``, in the model's units.
    threaded
        False computes in the caller's thread: results are there when an assignment returns.
    **inputs
        Any input trait, for example ``truth=..., patch_size=16``.

    Notes
    -----
    Inputs may be set from any thread; results change on the worker's thread. Nothing is computed
    before `run` is called or an input changes. A question that cannot be answered ends in
    ``status`` "failed" with the reason in ``error``; earlier results stay.
    """

    stale = t.Bool(
        False, read_only=True, help="whether map and layers are of another image or model"
    )
    prediction = t.Instance(Prediction, allow_none=True, read_only=True)
    layers = t.Instance(LayerEffects, allow_none=True, read_only=True)
    layer_note = t.Unicode("", read_only=True, help="why there are no layer effects, or empty")
    draws = t.Instance(PatchDraws, allow_none=True, read_only=True)
    draws_note = t.Unicode("", read_only=True, help="why the patch has no draws, or empty")
    generation = t.Int(0, read_only=True, help="number of the question that is being answered")
    status = t.Enum(STATUSES, "idle", read_only=True)
    progress = t.Instance(Progress, (), read_only=True)
    error = t.Unicode("", read_only=True, help="what went wrong and what to do, or empty")
    failure = t.Instance(Exception, allow_none=True, read_only=True)

    def __init__(
        self, subject: Any, image: Any = None, *, threaded: bool = True, **inputs: Any
    ) -> None:
        self.threaded = threaded
        self._lock = threading.RLock()
        self._stopwatch = Stopwatch()
        self._oldest = 0
        self._runner = Runner(_weakly(self._receive), is_frame=_is_frame, threaded=threaded)
        super().__init__(**{**read_subject(subject, image), **inputs})
        if self.bank is not None and "baseline" not in inputs:
            self.baseline = "bank"
        self.observe(self._ask_anew, names=list(QUESTION))
        self.observe(self._look_at_patch, names=["patch"])
        self._finalizer = weakref.finalize(self, self._runner.close)

    def run(self) -> None:
        """Compute, or go on where it was paused."""
        if self.status == "paused":
            self._runner.resume()
        else:
            self._submit()

    def pause(self) -> None:
        """Hold after the current step; `run` goes on."""
        self._runner.pause()

    def stop(self) -> None:
        """End after the current step; what was found so far stays."""
        self._runner.stop()

    def close(self) -> None:
        """Stop for good and end the worker threads; results stay readable."""
        self._finalizer()
        self.stop_sweep()
        if self._sweeper is not None:
            self._sweeper.close()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until nothing is left to compute; False if `timeout` seconds were not enough."""
        return self._runner.join(timeout)

    def show(self, subject: Any, image: Any = None, **inputs: Any) -> None:
        """Turn to another case, or another model and image, keeping the settings."""
        names = ("region", "truth", "bank", "make_bank", "donors", "target", "patch")
        with self.hold_trait_notifications():
            chosen = (
                dict.fromkeys((*names, "spacing", "grid", "cut"))
                | read_subject(subject, image)
                | inputs
            )
            for name, value in chosen.items():
                setattr(self, name, value)
            if self.bank is None and self.make_bank is None and self.baseline == "bank":
                self.baseline = "mean"

    def restore(self, ate: ATEMap, layers: LayerEffects | None = None) -> None:
        """Take results that were found before as the answer to the present question.

        The model runs once, for its prediction.
        """
        with turn(), lock_of(self.segmenter.model):
            prediction = self._request().predict()
        self._set(prediction=prediction, ate=ate, layers=layers, stale=False, status="done")

    def report(self, failure: Exception) -> None:
        """Show an error that happened outside the computation, such as a refused input."""
        self._set(failure=failure, error=in_words(failure))

    def frame_sent(self, view: object) -> None:
        """Note that `view` was sent a map; the computation pauses if it never paints it."""
        self._runner.sent(view)

    def frame_painted(self, view: object, last: bool) -> None:
        """Note that `view` painted a map, the `last` one on its way or not."""
        self._runner.painted(view, all_of_them=last)

    @property
    def device(self) -> str:
        """Where the model computes, for example ``"cpu"``."""
        return str(self.segmenter.device)

    @property
    def traceback(self) -> str:
        """Full traceback of the last failure, or empty."""
        return "".join(traceback.format_exception(self.failure)) if self.failure else ""

    @t.validate("ate")
    def _in_its_place(self, proposal: Any) -> Any:
        ate = proposal["value"]
        known = ate is None or self.grid is None
        return ate if known else replace(ate, recipe={**ate.recipe, "grid": self.grid})

    def _ask_anew(self, change: Any) -> None:
        spatial = tuple(self.image.shape[1:])
        if change.name == "image" and self.region is not None and self.region.shape != spatial:
            self.region, self.truth = None, None
        if change.name == "image" and not isinstance(self.where, str):
            self.where = None
        if change.name in ("image", "patch_size"):
            self.patch = None
        self._read = None
        if change.name in ("image", "segmenter"):
            self._set(stale=self.ate is not None, prediction=None)
        if change.name in READ_OFF:
            self._read_off(self.region)
        layers_only = change.name in OF_LAYERS and self.status == "done"
        self._submit(at_once=change.name in ("image", "segmenter"), layers_only=layers_only)

    def _submit(self, at_once: bool = False, layers_only: bool = False) -> None:
        with self._lock:
            guard = lock_of(self.segmenter.model)
            request = self._request()
            updates = request.updates_of_layers if layers_only else request.updates
            generation = self._runner.submit(updates, guard=guard, at_once=at_once)
            if at_once:
                self._oldest = generation

    def _request(self) -> Request:
        asked = {name: getattr(self, name) for name in QUESTION}
        asked["segmenter"] = replace(self.segmenter, model=twin(self.segmenter.model))
        return Request(**asked)

    def _look_at_patch(self, _change: Any = None) -> None:
        if self.patch is None or self.region is None:
            self._set(draws=None, draws_note="")
            return
        here, request, patch = weakref.ref(self), self._request(), self.patch
        guard = lock_of(self.segmenter.model)

        def answer() -> None:
            try:
                with turn(), guard:
                    found, note = request.draws(patch), ""
            except (TypeError, ValueError) as failure:
                found, note = None, in_words(failure)
            if (session := here()) is not None and session.patch == patch:
                try:
                    session._set(draws_note=note, draws=found)
                except Exception as failure:
                    session.report(failure)

        self._runner.ask(answer)

    def _receive(self, signal: Signal) -> None:
        if not isinstance(signal, Event):
            self._let_map_go_first(isinstance(signal, Started) and self.region is not None)
        match signal:
            case Started(generation):
                self._stopwatch.restart()
                self._set(generation=generation, error="", failure=None, layer_note="")
                self._set(progress=Progress("starting"), status="running")
            case Event(generation, event):
                if generation >= self._oldest:
                    self._take(event)
            case Paused():
                self._stopwatch.hold()
                self._set(status="paused")
            case Resumed():
                self._stopwatch.go_on()
                self._set(status="running")
            case Stopped():
                self._set(status="stopped")
            case Finished():
                if self.region is None:
                    self._set(ate=None, layers=None, stale=False)
                self._set(status="idle" if self.region is None else "done")
                self._look_at_patch()
            case Failed(error=error):
                self.report(error)
                self._set(status="failed")

    def _take(self, event: Any) -> None:
        match event:
            case Prediction():
                self._set(prediction=event, progress=Progress("preparing the engine"))
            case ATEUpdate():
                self._set(progress=self._count("map", event))
                self._let_map_go_first(False)
                if self._knows_better(event):
                    self._read = None
                    self._set(ate=event.map, stale=False)
            case LayerEffectUpdate():
                self._set(progress=self._count("layers", event), layers=event.effects)
            case LayersUnavailable(failure):
                self._set(layers=None, layer_note=in_words(failure))

    def _count(self, stream: str, update: ATEUpdate | LayerEffectUpdate) -> Progress:
        return self._stopwatch.count(stream, update.done, update.total, update.stage)


def _is_frame(event: Any) -> bool:
    return isinstance(event, ATEUpdate)


def _weakly(method: Callable[[Signal], None]) -> Callable[[Signal], None]:
    """Call a bound method without keeping its object alive."""
    reference = weakref.WeakMethod(method)

    def call(signal: Signal) -> None:
        alive = reference()
        if alive is not None:
            alive(signal)

    return call
