"""Notices that the cell a widget was made in runs again."""

from __future__ import annotations

import weakref
from typing import Any


def end_when_rerun(widget: Any) -> None:
    """Close a widget when the notebook cell that made it runs again.

    Widgets live in a registry of ipywidgets until they are closed, so that a widget whose cell ran
    again would compute on unseen. Outside a notebook cell nothing happens.

    Parameters
    ----------
    widget
        Anything with ``close()``.
    """
    shell = running_shell()
    cell = current_cell(shell)
    if cell is None:
        return
    here = weakref.ref(widget)

    def before_a_cell(info: Any) -> None:
        alive = here()
        if alive is not None and getattr(info, "cell_id", None) != cell:
            return
        shell.events.unregister("pre_run_cell", before_a_cell)
        if alive is not None:
            alive.close()

    shell.events.register("pre_run_cell", before_a_cell)


def running_shell() -> Any:
    """Give the IPython shell this runs in, or None."""
    try:
        from IPython import get_ipython
    except ImportError:
        return None
    return get_ipython()


def current_cell(shell: Any) -> str | None:
    """Give the id of the cell that is running, or None where there is none or it has no id."""
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        return None
    parent = kernel.get_parent("shell") or {}
    return parent.get("metadata", {}).get("cellId")
