"""Optional libraries: imported when they are used, or the way to get them."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def needs(module: str, extra: str) -> Any:
    """Import an optional library.

    Parameters
    ----------
    module
        Name to import, such as ``"pydicom.pixels"``.
    extra
        The extra of this package that brings it.

    Raises
    ------
    ImportError
        It is not installed; the message says how to get it.
    """
    try:
        return import_module(module)
    except ImportError as error:
        library = module.partition(".")[0]
        raise ImportError(
            f'{library} is needed for this; get it with: pip install "pdcr-widgets[{extra}]"'
        ) from error
