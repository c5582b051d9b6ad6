"""Demo cases that come with the package: nothing is downloaded.

`load` gives a `Case`: a network trained by us, an image it did not learn from, the truth, a region
worth explaining and a bank of natural patches.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from pdcr_widgets.demo.brain import brain_case, brain_volume_case
from pdcr_widgets.demo.case import Case
from pdcr_widgets.demo.dermoscopy import dermoscopy_case

__all__ = ["Case", "load", "names"]

CASES: dict[str, Callable[[], Case]] = {
    "brain": brain_case,
    "brain-volume": brain_volume_case,
    "dermoscopy": partial(dermoscopy_case, "dermoscopy"),
    "dermoscopy-shortcut": partial(dermoscopy_case, "dermoscopy-shortcut"),
}


def names() -> list[str]:
    """Names that `load` knows."""
    return list(CASES)


def load(name: str = "brain") -> Case:
    """Load a demo case.

    Parameters
    ----------
    name
        ``"brain"``: lateral ventricles on a slice of the MNI152 template; ``"brain-volume"``: on
        the whole of it. ``"dermoscopy"`` and
        ``"dermoscopy-shortcut"``: two lesion networks on one made-up image, of which the second
        needs the ruler mark beside the lesion.

    Returns
    -------
    Case
        Made anew at every call; the global random state is not touched.

    Raises
    ------
    ValueError
        For a name that `names` does not list.
    ModuleNotFoundError
        When a package of the ``demo`` extra is missing.
    """
    if name not in CASES:
        raise ValueError(f"there is no demo case {name!r}; choose one of {names()}")
    return CASES[name]()
