"""Image, truth and natural patches of a session, chosen from files."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import ipywidgets as w
import numpy as np

from pdcr_widgets.failures import in_words
from pdcr_widgets.images import OpenedImage, open_bank, open_image, open_truth
from pdcr_widgets.images.request import ChoiceNeeded
from pdcr_widgets.session import Session
from pdcr_widgets.turns import turn
from pdcr_widgets.widgets.file_chooser import LIMIT, FileChooser
from pdcr_widgets.widgets.menu import Menu
from pdcr_widgets.widgets.style import block, markup
from pdcr_widgets.widgets.text import escape
from pdcr_widgets.widgets.view import View

ROLES = (("Image", "image"), ("Truth", "truth"), ("Natural patches", "bank"))
PROMPTS = {"series": "Series", "volume": "Volume", "key": "Array", "label": "Label"}
FAILURES = (ImportError, OSError, TypeError, ValueError)
Choices = dict[str, Any]


class FileInputs(View):
    """Choose or drop files, and say what each is for.

    Parameters
    ----------
    session
        Whose image, truth and patch bank are set.
    folder
        Folder to choose from; nothing outside it can be seen. None: files can only be sent.
    limit
        Bytes that may be sent at once.
    image
        What was opened before; anything but an `OpenedImage` has no place in space.
    show
        ``(model, image or volume, **inputs)``: turns to another one, as `Session.show`, which is
        the default and takes pictures; `Explorer.show` takes volumes too.
    compare
        Takes another truth, by default as that of the session's picture.

    Attributes
    ----------
    chooser : FileChooser
        The files.
    opened : OpenedImage or None
        The picture or volume that was opened last.
    """

    def __init__(
        self,
        session: Session,
        folder: str | Path | None = None,
        limit: int = LIMIT,
        image: Any = None,
        show: Callable[..., None] | None = None,
        compare: Callable[[Any], None] | None = None,
    ) -> None:
        self.chooser = FileChooser(folder, limit=limit)
        super().__init__()
        self._session, self._show = session, show or session.show
        self._compare = compare or partial(setattr, session, "truth")
        self.opened = image if isinstance(image, OpenedImage) else None
        self._bank_of: Callable[[OpenedImage], Any] | None = None
        self._said: Choices = {}
        self._role = w.ToggleButtons(options=ROLES, description="Use as")
        self._role.add_class("pdcr-roles")
        self._choice = Menu(options=[("", None)])
        self._facts = markup("pdcr-hint")
        controls = block("pdcr-controls", children=[self._choice])
        self.fill(self._role, self.chooser, controls, self._facts)
        self._choice.observe(self._choose, names=["value"])
        self._ask(None)
        self.watch(self.chooser, ["chosen"], self._take)
        self.watch(session, ["image"], self._cut_bank_anew)
        if self.opened is not None:
            self._tell(self.opened)

    def _take(self, change: Any) -> None:
        self._said = {}
        self._attempt(change.new.source)

    def _attempt(self, source: Any) -> None:
        """Use a file as its role says; what it leaves open is asked for."""
        self._ask(None)
        self.chooser.tell("Opening …")
        use = {"image": self._as_image, "truth": self._as_truth, "bank": self._as_bank}
        try:
            with turn():
                use[self._role.value](source, self._said)
        except ChoiceNeeded as needed:
            self._ask(needed)
            self.chooser.tell("It holds several: choose one below.")
        except FAILURES as failure:
            self.chooser.tell(in_words(failure), wrong=True)
        else:
            self.chooser.tell("")

    def _ask(self, needed: ChoiceNeeded | None) -> None:
        self._choice.unobserve(self._choose, names=["value"])
        values = {} if needed is None else needed.values
        self._choice.options = [("choose …", None), *((words, v) for v, words in values.items())]
        self._choice.value = None
        if needed is not None:
            self._option = needed.option
            self._choice.description = PROMPTS[needed.option]
        self._choice.layout.display = "none" if needed is None else None
        self._choice.observe(self._choose, names=["value"])

    def _choose(self, change: Any) -> None:
        if change.new is not None and self.chooser.chosen is not None:
            self._said = {**self._said, self._option: change.new}
            self._attempt(self.chooser.chosen.source)

    def _as_image(self, source: Any, said: Choices) -> None:
        opened = open_image(source, **said)
        self._bank_of = None
        self._show(self._session.segmenter, opened)
        self.opened = opened
        self._tell(opened)

    def _as_truth(self, source: Any, said: Choices) -> None:
        opened, volume = self.opened, self.opened is not None and len(self.opened.spatial) == 3
        like = opened if opened is not None and volume else self._like()
        truth = open_truth(source, like, **said)
        self._compare(truth)
        told = f"Truth: {self.chooser.current}, {float(np.mean(truth)):.2%} of the "
        told += "volume" if volume else "pixels"
        if volume and not np.any(self._session.truth):
            told += "; there is none of it on the slice that is shown"
        self._facts.value = escape(told)

    def _as_bank(self, source: Any, said: Choices) -> None:
        session = self._session
        images = open_image(source, **said) if said else source
        make = _made(images, self._like())
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            bank = make(session.patch_size)
        self._bank_of = partial(_made, images)
        session.make_bank, session.bank, session.baseline = make, bank, "bank"
        told = [f"{len(bank)} natural patches of {self.chooser.current}"]
        told += dict.fromkeys(str(warning.message) for warning in heard)
        self._facts.value = escape("; ".join(told))

    def _cut_bank_anew(self, _change: Any) -> None:
        """Leave slices near another one out of the bank."""
        if self._bank_of is None or self._session.bank is None:
            return
        make = self._bank_of(self._like())
        try:
            with turn():
                bank = make(self._session.patch_size)
            self._session.make_bank, self._session.bank = make, bank
        except FAILURES as failure:
            self.chooser.tell(in_words(failure), wrong=True)

    def _like(self) -> OpenedImage:
        """What the session shows; an image of unknown origin lies nowhere."""
        image, cut = self._session.image.cpu().numpy(), self._session.cut
        if self.opened is not None and cut is not None and cut.is_of(image):
            return replace(self.opened.slice(cut.index, cut.axes[0]), array=image)
        if self.opened is not None:
            for candidate in _parts(self.opened, image.shape):
                if np.array_equal(candidate.array, image):
                    return candidate
        return OpenedImage(image, (float(image.min()), float(image.max())))

    def _tell(self, opened: OpenedImage) -> None:
        low, high = float(opened.array.min()), float(opened.array.max())
        told = [str(opened.provenance.get("file", "")), repr(opened)[len("<OpenedImage: ") : -1]]
        told.append(f"values {low:.4g} to {high:.4g}, mean {float(opened.array.mean()):.4g}")
        self._facts.value = escape("; ".join(filter(None, [*told, *opened.notes])))


def _parts(opened: OpenedImage, shape: tuple[int, ...]) -> Any:
    """Give the image itself, and the slices of a volume that have a shape."""
    if opened.array.shape == shape:
        yield opened
    for axis in range(3) if len(opened.spatial) == 3 else ():
        if shape[1:] == tuple(n for a, n in enumerate(opened.spatial) if a != axis):
            yield from (opened.slice(index, axis) for index in range(opened.spatial[axis]))


def _made(source: Any, like: OpenedImage) -> Callable[[int], Any]:
    """How a bank of any patch size is made for an image."""
    return partial(open_bank, source, like)
