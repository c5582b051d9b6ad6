"""Paths among what an explorer is given, opened."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pdcr_widgets.causal import Segmenter
from pdcr_widgets.images import OpenedImage, open_image, open_truth
from pdcr_widgets.models import segmenter
from pdcr_widgets.session import Session
from pdcr_widgets.turns import turn
from pdcr_widgets.widgets.root_folder import RootFolder

MOST_TRIED = 50


@turn()
def opened_inputs(
    subject: Any, image: Any, inputs: dict[str, Any], folder: Any = None
) -> tuple[Any, Any, dict[str, Any]]:
    """Open what is a path, and bring a model to the form that sessions take.

    Parameters
    ----------
    subject, image, inputs
        As for `Explorer`; ``label`` chooses among the labels of a truth that is a path.
    folder
        Without an image, the first one that can be opened in this folder is taken.

    Raises
    ------
    ValueError
        A file that cannot be opened, or no image in the folder.
    """
    inputs = dict(inputs)
    is_case = hasattr(subject, "segmenter") or isinstance(subject, Session)
    if not is_case and (image is not None or folder is not None):
        subject = subject if isinstance(subject, Segmenter) else segmenter(subject)
    if image is None and folder is not None and not is_case:
        image = _first(folder)
    if _is_path(image) or (isinstance(image, list) and image and all(map(_is_path, image))):
        image = open_image(image)
    truth, label = inputs.get("truth"), inputs.pop("label", None)
    if _is_path(truth):
        if not isinstance(image, OpenedImage):
            raise ValueError("a truth in a file needs an image from a file: the same grid")
        inputs["truth"] = open_truth(truth, image, label)
    return subject, image, inputs


def _is_path(value: Any) -> bool:
    return isinstance(value, str | os.PathLike)


def _first(folder: str | Path) -> OpenedImage:
    """First image of a folder that opens without further questions."""
    root = RootFolder(folder)
    files = [entry.name for entry in root.entries([])[0] if not entry.is_folder]
    for name in files[:MOST_TRIED]:
        try:
            return open_image(root.find([name]))
        except ValueError:
            continue
    raise ValueError(f"no image in {root.path.name} could be opened; give one as image")
