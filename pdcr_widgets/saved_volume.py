"""What is kept of a volume that an explorer walks through: the place, and what was drawn where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from torch import Tensor

from pdcr_widgets.as_code import case_cut, case_of
from pdcr_widgets.causal.ingredients import mask_from_runs, mask_to_runs
from pdcr_widgets.session import Session
from pdcr_widgets.widgets import Explorer, NamedRegion
from pdcr_widgets.widgets.slice_targets import SliceTargets
from pdcr_widgets.widgets.volumes import Volume, volume_of

ARRAYS = ("image", "truth", "donors")
VALUES, TRUTH = "volume", "volume_truth"
PLAIN = ("spacing", "orientation", "learnt_from", "whole", "grid")


def case_asked(session: Session) -> Any:
    """The demo case that a session asks about, or whose volume it walks through; else None."""
    return case_of(session) if session.cut is None else case_cut(session, session.cut)


def head_of(explorer: Explorer) -> dict[str, Any] | None:
    """What JSON can hold of an explorer's volume, its arrays left out; None without one."""
    volume, canvas = explorer.volume, explorer.canvas
    if volume is None:
        return None
    head = {name: getattr(volume, name) for name in PLAIN}
    head |= {"plane": canvas.plane, "index": canvas.index}
    canvas._named[canvas._shown] = canvas.regions
    head["named"] = {
        place: [as_plain(entry) for entry in entries] for place, entries in canvas._named.items()
    }
    if isinstance(canvas, SliceTargets):
        head["keep"] = canvas.keep
        head["drawn"] = [
            [plane, index, mask_to_runs(mask)] for (plane, index), mask in canvas._own.items()
        ]
    return head


def arrays_of(explorer: Explorer) -> dict[str, np.ndarray]:
    """Image, truth and donors of an explorer, and of its volume the voxels and their truth."""
    session, volume = explorer.session, explorer.volume
    held = {name: getattr(session, name) for name in ARRAYS}
    if volume is not None:
        truth = session.truth if session.cut is None else session.cut.truth
        held |= {VALUES: volume.values, TRUTH: truth}
        del held["image"], held["truth"]
    return {name: _as_array(value) for name, value in held.items() if value is not None}


def volume_from(head: Mapping[str, Any], arrays: Mapping[str, np.ndarray], case: Any) -> Volume:
    """Put together what was kept; a demo case brings its own voxels."""
    names = (*PLAIN, "plane", "index")
    told = {name: _as_tuple(head[name]) for name in names}
    own = volume_of(case, None) if case is not None else None
    if own is not None:
        return replace(own, **told)
    return Volume(arrays[VALUES], arrays.get(TRUTH), **told)


def bring_back(canvas: Any, head: Mapping[str, Any]) -> None:
    """Give a volume's slices the regions that were drawn on them."""
    canvas._named = {
        place: tuple(as_region(entry) for entry in entries)
        for place, entries in head["named"].items()
    }
    if isinstance(canvas, SliceTargets):
        canvas._own = {(plane, index): mask_from_runs(runs) for plane, index, runs in head["drawn"]}
        canvas.keep = head["keep"]
        canvas._show(canvas.index)


def as_plain(entry: NamedRegion) -> dict[str, Any]:
    """Write a named region as JSON holds it."""
    return {
        "name": entry.name,
        "mask": mask_to_runs(np.asarray(entry.mask)),
        "color": entry.color,
        "visible": entry.visible,
    }


def as_region(held: Mapping[str, Any]) -> NamedRegion:
    """Read what `as_plain` wrote."""
    return NamedRegion(**{**held, "mask": mask_from_runs(held["mask"])})


def _as_array(value: Any) -> np.ndarray:
    return value.cpu().numpy() if isinstance(value, Tensor) else np.asarray(value)


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
