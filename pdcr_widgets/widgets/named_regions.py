"""Several regions of one picture, each with a name and a colour."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import traitlets as t

from pdcr_widgets.widgets.canvas_wire import Wire, as_mask, mask_from_wire, mask_to_wire

REGION_COLOR = "#ffd60a"


@dataclass(frozen=True, eq=False)
class NamedRegion:
    """A region that is kept under a name.

    Parameters
    ----------
    name
        What it is called; unique on its canvas.
    mask
        Boolean array of the picture's shape.
    color
        ``"#rrggbb"`` of its outline.
    visible
        Whether it is shown while another one is being drawn.

    Raises
    ------
    ValueError
        An empty name, or what is no colour.
    """

    name: str
    mask: np.ndarray
    color: str = REGION_COLOR
    visible: bool = True

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise ValueError("a region needs a name of at least one visible character")
        if not re.fullmatch(r"#[0-9a-fA-F]{6}", self.color):
            raise ValueError(f"the color of a region is '#rrggbb', got {self.color!r}")


def _to_wire(regions: tuple[NamedRegion, ...], _owner: Any) -> list[Wire]:
    return [
        {"name": r.name, "color": r.color, "visible": r.visible} | (mask_to_wire(r.mask) or {})
        for r in regions
    ]


def _fitting(entry: NamedRegion, shape: tuple[int, int]) -> NamedRegion:
    mask = as_mask(entry.mask, shape, f"region {entry.name!r}")
    return entry if entry.mask.dtype == bool else replace(entry, mask=mask)


class Regions(t.TraitType[tuple[NamedRegion, ...], Any]):
    """Named regions of the owner's picture, in the order of the list.

    Entries from the browser that do not fit the picture were drawn on one that has been replaced
    meanwhile: they are dropped.
    """

    info_text = "named regions of the shape of the image, no name twice"

    def __init__(self) -> None:
        super().__init__(default_value=())
        self.metadata.update(sync=True)
        self.metadata.update(to_json=_to_wire, from_json=self._from_wire)

    def validate(self, owner: Any, value: Iterable[NamedRegion]) -> tuple[NamedRegion, ...]:
        """Check every entry against the owner's picture."""
        entries = tuple(value)
        for entry in entries:
            if not isinstance(entry, NamedRegion):
                raise t.TraitError(f"regions are NamedRegion values, got {type(entry).__name__}")
        names = [entry.name for entry in entries]
        if len(set(names)) < len(names):
            raise t.TraitError(f"regions need different names, got {names}")
        shape = owner.image.shape[1:]
        return tuple(_fitting(entry, shape) for entry in entries)

    def _from_wire(self, value: list[Wire], owner: Any) -> tuple[NamedRegion, ...]:
        shape = owner.image.shape[1:]
        masks = [mask_from_wire(wire) for wire in value]
        return tuple(
            NamedRegion(wire["name"], mask, wire["color"], bool(wire["visible"]))
            for wire, mask in zip(value, masks, strict=True)
            if mask.shape == shape
        )


class HasRegions(t.HasTraits):
    """Keeps named regions beside the one that is drawn on.

    The `active` one is the one that is drawn on: drawing changes it, and choosing another name
    brings that one. While no name is active, drawing leaves the named ones alone.
    """

    regions = Regions()
    active = t.Unicode("").tag(sync=True)

    @property
    def moving(self) -> bool:
        """Whether another slice is being brought, so that the region belongs to none."""
        return False

    @property
    def target(self) -> np.ndarray:
        """The region that is asked about."""
        return np.asarray(self.region)

    @target.setter
    def target(self, mask: Any) -> None:
        self.region = mask

    @t.validate("active")
    def _name_is_known(self, proposal: Any) -> str:
        name = str(proposal["value"])
        names = [entry.name for entry in self.regions]
        if name and name not in names:
            raise t.TraitError(f"no region is called {name!r}; there are {names}")
        return name

    @t.observe("active")
    def _bring_active(self, change: Any) -> None:
        for entry in self.regions:
            if entry.name == change["new"]:
                self.region = entry.mask

    @t.observe("region")
    def _keep_active(self, change: Any) -> None:
        self.regions = tuple(
            replace(entry, mask=change["new"])
            if entry.name == self.active and not np.array_equal(entry.mask, change["new"])
            else entry
            for entry in self.regions
        )

    @t.observe("regions")
    def _let_go_of_what_is_gone(self, change: Any) -> None:
        if self.active and self.active not in [entry.name for entry in change["new"]]:
            self.active = ""
