"""An explorer's work as one file: regions, settings, results and view; no code in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from pdcr_widgets.causal import ATEMap, PatchBank, Segmenter, segmenter
from pdcr_widgets.causal.archive import read_arrays, read_npz, write_npz
from pdcr_widgets.causal.components import LayerEffects
from pdcr_widgets.causal.ingredients import mask_from_runs, mask_to_runs, model_digest
from pdcr_widgets.export.document import from_document, to_document
from pdcr_widgets.inputs import LOOKS, QUESTION
from pdcr_widgets.saved_volume import (
    ARRAYS,
    TRUTH,
    VALUES,
    arrays_of,
    as_plain,
    as_region,
    bring_back,
    case_asked,
    head_of,
    volume_from,
)
from pdcr_widgets.session import Session
from pdcr_widgets.widgets import Explorer, NamedRegion

FORMAT = 1
MARK = "explorer_session"
NOT_PLAIN = (*ARRAYS, "segmenter", "region", "bank", "make_bank", "models", "cut")
PLAIN = tuple(name for name in (*QUESTION, *LOOKS) if name not in NOT_PLAIN)
VIEW = (
    "active", "brush_size", "channel", "colormap", "contour_opacity", "limit", "mode", "opacity",
    "show_grid", "show_notes", "show_prediction", "show_region", "show_scale", "show_truth",
    "significant", "smooth", "snap", "tool", "view", "window",
)  # fmt: skip
"""What of the canvas is kept."""


@dataclass(frozen=True, eq=False)
class ExplorerSession:
    """What an explorer holds, so that the work can go on another day.

    Take it with `of`, write it with `save`, read it with `load`, go on with `explorer`. The model
    is not in it, only its digest; a demo case is known by its name.

    Parameters
    ----------
    settings
        Every input of the session that is a plain value.
    arrays
        Image, truth and donor images, where there are any.
    region
        Boolean array of the image's shape, or None.
    reader
        How the model's output is read, and the digest of its weights.
    bank
        The patch bank, where it is not a demo case's own.
    case
        Name of the demo case, or empty.
    ate, layers
        Results, or None.
    regions
        The canvas's named regions.
    view
        What the canvas shows and how.
    volume
        Where in a volume the slice lies, and what was drawn on the others; None for a picture. The
        voxels are in `arrays`.
    """

    settings: Mapping[str, Any]
    arrays: Mapping[str, np.ndarray]
    region: np.ndarray | None
    reader: Mapping[str, Any]
    bank: PatchBank | None = None
    case: str = ""
    ate: ATEMap | None = None
    layers: LayerEffects | None = None
    regions: tuple[NamedRegion, ...] = ()
    view: Mapping[str, Any] = field(default_factory=dict)
    volume: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, explorer: Explorer) -> ExplorerSession:
        """Take what an explorer holds now; unfinished results are left out.

        Raises
        ------
        TypeError
            Something else than an explorer.
        """
        if not isinstance(explorer, Explorer):
            raise TypeError(f"give an Explorer, got {type(explorer).__name__}")
        session, canvas = explorer.session, explorer.canvas
        done = session.status == "done"
        case, volume = case_asked(session), head_of(explorer)
        return cls(
            settings={name: getattr(session, name) for name in PLAIN},
            arrays={} if case is not None else arrays_of(explorer),
            bank=None if case is not None and session.bank is case.bank else session.bank,
            region=None if session.region is None else np.array(session.region),
            reader=_reader(session),
            case="" if case is None else case.name,
            ate=session.ate if done else None,
            layers=session.layers if done else None,
            regions=canvas.regions,
            view={name: getattr(canvas, name) for name in VIEW},
            volume=volume,
        )

    def save(self, path: str | Path) -> None:
        """Write to an ``.npz`` file; an older file stays whole until the new one is.

        Raises
        ------
        ValueError
            A setting that no file can hold, such as components that are no names.
        """
        region, bank = self.region, self.bank
        head = {
            "format": FORMAT,
            MARK: True,
            "settings": dict(self.settings),
            "region": None if region is None else mask_to_runs(region),
            "reader": dict(self.reader),
            "case": self.case,
            "has_bank": bank is not None,
            "ate": None if self.ate is None else to_document(self.ate),
            "layers": None if self.layers is None else to_document(self.layers),
            "regions": [as_plain(entry) for entry in self.regions],
            "view": dict(self.view),
            **({} if self.volume is None else {"volume": dict(self.volume)}),
        }
        try:
            write_npz(path, head, {**self.arrays, **({} if bank is None else bank.arrays())})
        except TypeError as error:
            raise ValueError(f"a setting cannot be kept in a file: {error}") from error

    @classmethod
    def load(cls, path: str | Path) -> ExplorerSession:
        """Read what `save` wrote.

        Raises
        ------
        ValueError
            Another or a damaged file, or one of a later version.
        """
        head, _ = read_npz(path, (), FORMAT)
        if not head.pop(MARK, False):
            raise ValueError(f"{str(path)!r} holds no explorer session; `pdcr.load` reads results")
        arrays = read_arrays(path, (*ARRAYS, VALUES, TRUTH))
        try:
            results = {n: head.pop(n) for n in ("ate", "layers")}
            read: dict[str, Any] = {
                n: None if v is None else from_document(v) for n, v in results.items()
            }
            bank = PatchBank.load(path) if head.pop("has_bank") else None
            region = head.pop("region")
            return cls(
                arrays=arrays,
                bank=bank,
                region=None if region is None else mask_from_runs(region),
                regions=tuple(as_region(entry) for entry in head.pop("regions")),
                **read,
                **head,
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{str(path)!r} is not a saved explorer session: {error}") from error

    def explorer(self, model: Any = None, *, strict: bool = True) -> Explorer:
        """Give a new explorer that shows what was kept, without computing it again.

        Parameters
        ----------
        model
            The model, or a `Segmenter` where its activation is a function; None for a demo case.
        strict
            False takes a model with other weights, too, and computes anew.

        Raises
        ------
        ValueError
            No model, or one with other weights than the results were made with.
        """
        asked, same = self._model(model, strict)
        if self.volume is not None:
            return self._walk(self.volume, asked, same)
        session = Session(self._subject(asked), **self._inputs())
        self._restore(session, same)
        return self._as_seen(Explorer(session))

    def _walk(self, head: Mapping[str, Any], model: Segmenter, same: bool) -> Explorer:
        """Give an explorer of the whole volume, at the slice where it was."""
        subject = self._subject(model)
        volume = volume_from(head, self.arrays, _demo(self.case) if self.case else None)
        inputs = {**self._inputs(), "bank": subject.bank}
        if self.case:
            inputs |= {"make_bank": subject.make_bank, "donors": subject.bank_images}
        elif "donors" in self.arrays:
            inputs["donors"] = subject.bank_images
        if volume.whole and self.reader["truth"]:
            inputs["truth"] = volume.truth
        for name in ("spacing", "grid"):
            inputs.pop(name)
        explorer = Explorer(model, volume, **inputs)
        explorer.session.stop()
        explorer.session.wait()
        bring_back(explorer.canvas, head)
        explorer.session.stop()
        explorer.session.wait()
        self._restore(explorer.session, same)
        return self._as_seen(explorer)

    def _restore(self, session: Session, same: bool) -> None:
        if same and self.ate is not None:
            session.restore(self.ate, self.layers)

    def _as_seen(self, explorer: Explorer) -> Explorer:
        """Show what was shown, as it was."""
        canvas = explorer.canvas
        canvas.regions = self.regions
        for name in VIEW:
            if name in self.view:
                setattr(canvas, name, _as_trait(self.view[name]))
        return explorer

    def _model(self, model: Any, strict: bool) -> tuple[Segmenter, bool]:
        """Read a model's output as it was read, and say whether its weights are the same."""
        if model is None:
            if not self.case:
                raise ValueError("a file holds no model; give the one that this was made with")
            model = _demo(self.case).segmenter
        given, reader = segmenter(model), self.reader
        activation = reader["activation"] or given.activation
        read = Segmenter(given.model, reader["target"], activation, reader["threshold"])
        same = model_digest(given.model) == self.reader["model"]
        if strict and not same:
            raise ValueError(
                "the model has other weights than this was made with; give that one, or "
                "strict=False to compute anew"
            )
        return read, same

    def _subject(self, model: Segmenter) -> Any:
        """What the session asks about: the demo case, or what is in the arrays."""
        held = {n: torch.from_numpy(self.arrays[n]) for n in ARRAYS if n in self.arrays}
        if self.case:
            case = _demo(self.case)
            return replace(case, segmenter=model, bank=self.bank or case.bank)
        return SimpleNamespace(
            segmenter=model, image=held.get("image"), truth=self.arrays.get("truth"),
            bank=self.bank, bank_images=held.get("donors"),
        )  # fmt: skip

    def _inputs(self) -> dict[str, Any]:
        settings = {name: _as_trait(value) for name, value in self.settings.items()}
        given = {} if self.reader["truth"] else {"truth": None}
        return {**settings, **given, "region": self.region}


def _reader(session: Session) -> dict[str, Any]:
    """How the model's output is read; an activation that is a function comes with the model."""
    asked = session.prediction
    read = session.segmenter if asked is None else asked.segmenter
    named = isinstance(read.activation, str)
    return {
        "model": model_digest(session.segmenter.model),
        "target": session.segmenter.target,
        "activation": read.activation if named else None,
        "threshold": read.threshold,
        "truth": session.truth is not None,
    }


def _demo(name: str) -> Any:
    from pdcr_widgets.demo import load

    return load(name)


def _as_trait(value: Any) -> Any:
    """JSON has lists where traits are tuples."""
    return tuple(_as_trait(each) for each in value) if isinstance(value, list) else value
