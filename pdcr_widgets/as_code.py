"""A session's present question as Python that runs in another notebook."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from pdcr_widgets.causal import Segmenter
from pdcr_widgets.causal.arrays import bounding_box
from pdcr_widgets.causal.components import DEFAULT_KINDS
from pdcr_widgets.causal.ingredients import mask_to_runs
from pdcr_widgets.cut import Cut
from pdcr_widgets.session import Session

LINE = 96


def to_python(session: Any) -> str:
    """Write a cell that computes what a session shows, with its present settings.

    Parameters
    ----------
    session
        A `Session`, or an `Explorer`.

    Returns
    -------
    str
        Python source. A demo case is loaded by its name. Otherwise the cell expects what only you
        have under the names that its first line tells: ``model``, ``image`` and, where they are
        used, ``truth``, ``bank`` and ``donors``; of a slice of a volume, ``volume`` as it was given
        and its truth. It leaves the map in ``ate`` and the layer effects
        in ``effects``.

    Raises
    ------
    TypeError, ValueError
        Something else than a session, or one without a region.
    """
    held = getattr(session, "session", session)
    if not isinstance(held, Session):
        raise TypeError(f"give a Session or an Explorer, got {type(session).__name__}")
    if held.region is None:
        raise ValueError("the session has no region to ask about; draw one, or set session.region")
    return _Cell(held).text()


class _Cell:
    """Source of one session's question."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._case, self._cut = case_of(session), None
        if self._case is None and (cut := session.cut) is not None and cut.is_of(session.image):
            self._case, self._cut = case_cut(session, cut), cut
        asked = session.prediction
        read = asked.segmenter if asked is not None else session.segmenter
        self._segmenter = read if session.target is None else replace(read, target=session.target)

    def text(self) -> str:
        """The whole cell."""
        session = self._session
        lines = ["import numpy as np", "import pdcr_widgets as pdcr", "", *self._given(), ""]
        lines += _mask("region", np.asarray(session.region))
        if session.with_layers and isinstance(session.where, np.ndarray):
            lines += _mask("area", session.where)
        lines += ["", *_call("ate", "ate_map", self._subject(), self._map_options())]
        if session.with_layers:
            lines += [
                "",
                *_call("effects", "layer_effects", self._subject(), self._layer_options()),
            ]
        return "\n".join([*lines, "ate.summary()", ""])

    def _given(self) -> list[str]:
        """What the question is about."""
        if self._case is not None:
            name = f"case = pdcr.demo.load({self._case.name!r})"
            reading = f"segmenter = {_reading('case.segmenter.model', self._segmenter)}"
            return [name, reading, *self._sliced("case.volume.values", "case.volume.truth")]
        shown = "image" if self._cut is None else "volume"
        needed = ["model", shown, *(n for n in ("truth", "bank", "donors") if self._uses(n))]
        note = f"# needs what this was made with: {', '.join(needed)}"
        reading = f"segmenter = {_reading('model', self._segmenter)}"
        return [note, reading, *self._sliced("volume", "truth")]

    def _sliced(self, volume: str, truth: str) -> list[str]:
        """How the image, and its truth, are cut out of a volume."""
        cut, session = self._cut, self._session
        if cut is None:
            return []
        shape = cut.values.shape
        of_case = self._case is not None
        whole = f"np.asarray({volume})" + ("" if of_case else f".reshape{shape}")
        kind = str(session.image.dtype).removeprefix("torch.")
        lines = [
            f"# the {cut.plane} slice {cut.index}, turned as it was seen",
            f"image = np.ascontiguousarray({cut.code(whole, 4)}, dtype=np.{kind})",
        ]
        if not self._uses("truth"):
            return lines
        mask = f"np.asarray({truth})" + ("" if of_case else f".reshape{shape[1:]}")
        compared = np.array_equal(cut.take(cut.truth), session.truth)
        ending = "" if compared else f" == {self._segmenter.target}"
        return [*lines, f"truth = np.ascontiguousarray({cut.code(mask, 3)}{ending})"]

    def _uses(self, name: str) -> bool:
        if name == "bank":
            return self._session.baseline == "bank"
        return getattr(self._session, name) is not None

    def _subject(self) -> list[str]:
        place = "case." if self._case is not None and self._cut is None else ""
        image, truth = f"{place}image", f"{place}truth"
        return ["segmenter", image, "region", *([truth] if self._uses("truth") else [])]

    def _map_options(self) -> dict[str, str]:
        session = self._session
        names = ("patch_size", "outcome", "sampling", "samples", "seed")
        options = {name: repr(getattr(session, name)) for name in names}
        if session.engine != "auto":
            options["engine"] = repr(session.engine)
        return options | {"baseline": self._baseline()}

    def _baseline(self) -> str:
        session = self._session
        if session.baseline == "constant":
            return repr(session.baseline_value)
        if session.baseline != "bank":
            return repr(session.baseline)
        fits = session.bank is not None and session.bank.patch_size == session.patch_size
        if self._case is not None:
            return "case.bank" if fits else f"case.make_bank({session.patch_size})"
        return "bank"

    def _layer_options(self) -> dict[str, str]:
        session = self._session
        kinds = list(dict.fromkeys((session.intervention, *DEFAULT_KINDS)))
        options = {
            "layers": repr(session.components),
            "intervention": repr(kinds),
            "samples": repr(session.layer_samples),
            "outcome": repr(session.outcome),
            "seed": repr(session.seed),
        }
        if session.where is not None:
            options["where"] = repr(session.where) if isinstance(session.where, str) else "area"
        if session.elsewhere:
            options["elsewhere"] = "True"
        if session.donors is not None:
            options["donors"] = "donors" if self._case is None else "case.bank_images"
        return options


def _mask(name: str, mask: np.ndarray) -> list[str]:
    """A mask as a box where it is one."""
    window = bounding_box(mask)
    if mask[window].all():
        sides = [w.start for w in window] + [w.stop - w.start for w in window]
        return [f"{name} = ({', '.join(map(str, sides))})  # top, left, height, width, pixels"]
    runs = mask_to_runs(mask)
    lines = ["runs = [  # pixels outside, inside, outside ... row by row"]
    lines += _wrapped([str(run) for run in runs["runs"]])
    flags = "np.arange(len(runs)) % 2 == 1"
    return [*lines, "]", f"{name} = np.repeat({flags}, runs).reshape({tuple(runs['shape'])})"]


def case_of(session: Session) -> Any:
    """The demo case that a session asks about, as it is loaded; None for anything else."""
    from pdcr_widgets.demo import Case, names

    maker: Any = getattr(session.make_bank, "__self__", None)
    same = isinstance(maker, Case) and maker.name in names()
    asked = (
        same
        and maker.segmenter.model is session.segmenter.model
        and np.array_equal(np.asarray(maker.image), np.asarray(session.image.cpu()))
        and (session.truth is None or session.truth is maker.truth)
    )
    return maker if asked else None


def case_cut(session: Session, cut: Cut) -> Any:
    """The demo case whose volume a session's image was cut out of; None for anything else."""
    from pdcr_widgets.demo import Case, names

    maker: Any = getattr(session.make_bank, "__self__", None)
    known = isinstance(maker, Case) and maker.name in names() and maker.volume is not None
    if not known or maker.segmenter.model is not session.segmenter.model:
        return None
    told = maker.volume
    its_own = session.truth is None or np.array_equal(cut.take(told.truth), session.truth)
    return maker if its_own and np.array_equal(told.values, cut.values) else None


def _reading(model: str, segmenter: Segmenter) -> str:
    """How the model's output is read; an activation that is a function comes with the model."""
    if not isinstance(segmenter.activation, str):
        return f"{model}  # with its own activation: a pdcr.Segmenter"
    return (
        f"pdcr.segmenter({model}, target={segmenter.target!r}, "
        f"activation={segmenter.activation!r}, threshold={segmenter.threshold!r})"
    )


def _call(result: str, function: str, subject: list[str], options: dict[str, str]) -> list[str]:
    named = [f"{name}={value}" for name, value in options.items()]
    return [f"{result} = pdcr.{function}(", *_wrapped([*subject, *named]), ")"]


def _wrapped(items: list[str]) -> list[str]:
    """Lines of items with commas, indented."""
    lines = ["   "]
    for item in items:
        if len(lines[-1]) + len(item) + 2 > LINE:
            lines.append("   ")
        lines[-1] += f" {item},"
    return lines
