"""What may be spent on a map: evaluations or time."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from pdcr_widgets.causal.arrays import as_whole

UNITS = {"ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0}
WRITTEN = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*(ms|s|min|h)\s*")


def spending(budget: Any, seconds: float | None = None) -> tuple[int | None, float | None]:
    """Tell a budget of evaluations from one of time.

    Parameters
    ----------
    budget
        A whole number of evaluations; or time, as a `datetime.timedelta` or as text with its unit,
        ``"500 ms"``, ``"2s"``, ``"1.5 min"``, ``"1 h"``. None for no limit.
    seconds
        Time by itself, so that both may be given.

    Returns
    -------
    evaluations : int or None
    seconds : float or None

    Raises
    ------
    TypeError, ValueError
        A budget of no known kind, or time given twice.
    """
    taken = _seconds(budget)
    if taken is None:
        return None if budget is None else as_whole(budget, "budget", 1), seconds
    if seconds is not None:
        raise ValueError(f"budget={budget!r} is time, and seconds={seconds!r} is given too")
    if not taken > 0:
        raise ValueError(f"budget must be more than no time, got {budget!r}")
    return None, taken


def _seconds(budget: Any) -> float | None:
    """Seconds of a budget of time; None for any other."""
    if isinstance(budget, timedelta):
        return budget.total_seconds()
    if isinstance(budget, float):
        raise TypeError(
            f"budget is a whole number of evaluations, or time with its unit; got {budget!r}: "
            f"write budget={budget:.0f} for evaluations or budget='{budget:g} s' for seconds"
        )
    if not isinstance(budget, str):
        return None
    read = WRITTEN.fullmatch(budget)
    if read is None:
        raise ValueError(
            f"budget is a whole number of evaluations, or time such as '500 ms', '2 s', '1.5 min' "
            f"or '1 h', got {budget!r}"
        )
    return float(read[1]) * UNITS[read[2]]
