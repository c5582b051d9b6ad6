"""What the configuration of a MONAI bundle does before and after its network."""

from __future__ import annotations

from typing import Any

from pdcr_widgets.causal.needs import needs
from pdcr_widgets.models.bundle_steps import is_named, moves, told

ACTIVATIONS = ("sigmoid", "softmax")
READER = "LoadImage"
BEFORE = (
    READER, "EnsureChannelFirst", "AddChannel", "AsChannelFirst", "EnsureType", "ToTensor",
    "ToDevice", "DeleteItems", "SelectItems", "Identity",
)  # fmt: skip
"""What has happened already when an image is open."""
PLACED = ("Spacing", "Orientation", "SpatialResample", "ResampleToMatch")
"""What depends on where an image is in space."""
JOINING = ("ConcatItems", "CopyItems")
READ = ("Activations", "Invert", "AsDiscrete", "SaveImage", "EnsureType", "ToTensor", "DeleteItems")
"""What comes after a network and is read, or does not change where a class is predicted."""


class Section:
    """One list of transforms in a configuration.

    Parameters
    ----------
    parser
        The configuration.
    name
        ``"preprocessing"`` or ``"postprocessing"``.
    """

    def __init__(self, parser: Any, name: str) -> None:
        self._parser, self._place = parser, f"{name}#transforms"
        held = parser.config.get(name)
        steps = held.get("transforms") if isinstance(held, dict) else None
        self.steps: list[Any] = steps if isinstance(steps, list) else []
        self.names = [_plain(step) for step in self.steps]
        self.whole = None if self.steps or held is None else name

    def find(self, name: str) -> int | None:
        """Place of a transform in the list."""
        return self.names.index(name) if name in self.names else None

    def value(self, number: int | None, name: str, default: Any = None) -> Any:
        """Argument of a transform, with references looked up."""
        if number is None or name not in self.steps[number]:
            return default
        return self._parser.get_parsed_content(f"{self._place}#{number}#{name}", instantiate=True)

    def build(self, left: tuple[str, ...]) -> list[Any]:
        """Make the transforms, but for those that are left out."""
        if self.whole is not None:
            built = self._parser.get_parsed_content(self.whole, instantiate=True)
            every = needs("monai.transforms", "models").Compose(built).flatten().transforms
            return [step for step in every if _bare(type(step).__name__) not in left]
        content = self._parser.get_parsed_content
        made = [
            content(f"{self._place}#{number}", instantiate=True)
            for number, name in enumerate(self.names)
            if name not in left
        ]
        return [step for step in made if step is not None]


class Before:
    """The part of a bundle's preprocessing that is meant for an image that is open.

    Parameters
    ----------
    parser
        The configuration.

    Attributes
    ----------
    key
        Name of the image in dictionaries.
    turned
        Whether the bundle reads files with x as the first axis.
    steps, random
        Transforms to apply, and those that are left out because they are drawn by chance.

    Raises
    ------
    ValueError
        It joins several files to one image.
    """

    def __init__(self, parser: Any) -> None:
        section = Section(parser, "preprocessing")
        reader = section.find(READER)
        keys = section.value(reader, "keys", "image")
        self.key = keys if isinstance(keys, str) else str(keys[0])
        self.turned = reader is not None and _is_x_first(section, reader)
        joined = [name for name in section.names if name in JOINING]
        if joined:
            raise ValueError(
                f"it joins several entries ({', '.join(joined)}), which one opened image does not "
                "have; build its network yourself, and declare what it needs: "
                "pdcr.segmenter(network, mean=..., std=..., ...)"
            )
        made = section.build(BEFORE)
        mine = [step for step in made if not is_named(step) or self.key in step.keys]
        chance = needs("monai.transforms", "models").RandomizableTrait
        self.steps = [step for step in mine if not isinstance(step, chance)]
        self.random = [step for step in mine if isinstance(step, chance)]

    @property
    def placed(self) -> list[Any]:
        """Transforms that depend on where an image is in space."""
        return [step for step in self.steps if _bare(type(step).__name__) in PLACED]

    def stored(self, like: Any) -> str:
        """Axes of the file that a volume comes from, where the transforms depend on them."""
        moving = [step for step in self.steps if moves(step)]
        if not self.turned or (moving and _bare(type(moving[0]).__name__) == "Orientation"):
            return ""
        return str(getattr(like, "provenance", {}).get("axes") or "")

    def notes(self, stored: str, activation: str) -> list[str]:
        """What is done before the network, for people to read."""
        said = [told(self.steps)] if self.steps else []
        if self.turned:
            said.append(
                f"x before y and {stored} as in the file"
                if stored
                else "x before y, as MONAI reads files"
            )
        if self.random:
            said.append(f"not applied, for it is random: {told(self.random)}")
        back = f"{activation} before scores go back to the image's grid"
        return [*said, back] if activation else said


class After:
    """What a bundle does after its network.

    Parameters
    ----------
    parser
        The configuration.

    Attributes
    ----------
    activation
        ``"sigmoid"``, ``"softmax"`` or empty.
    activated_first
        Whether that comes before the way back to the image's grid.
    nearest
        Whether the way back takes the nearest value.
    notes
        What is left out, in words.
    """

    def __init__(self, parser: Any) -> None:
        section = Section(parser, "postprocessing")
        active, back = section.find("Activations"), section.find("Invert")
        given = [name for name in ACTIVATIONS if section.value(active, name) is True]
        self.activation = given[0] if given else ""
        self.activated_first = back is None or (active is not None and active < back)
        self.nearest = back is not None and section.value(back, "nearest_interp", True) is True
        self.notes: list[str] = []
        if active is not None and not given:
            self.notes.append("its own activation is not applied")
        threshold = section.value(section.find("AsDiscrete"), "threshold")
        if isinstance(threshold, float) and threshold != 0.5:
            self.notes.append(f"its threshold is {threshold:g}: say threshold={threshold:g}")
        left = [name for name in section.names if name not in READ]
        if section.whole is not None or left:
            self.notes.append(f"not applied to predictions: {', '.join(left) or section.whole}")


def _plain(step: Any) -> str:
    """Name of a transform in a configuration, without the mark of dictionaries."""
    return _bare(str(step.get("_target_", "")).rpartition(".")[2]) if isinstance(step, dict) else ""


def _bare(name: str) -> str:
    return name.removesuffix("Dict").removesuffix("D").removesuffix("d")


def _is_x_first(section: Section, number: int) -> bool:
    """Whether a loader gives x as the first axis, as all but numpy's files have it by default."""
    asked = section.value(number, "reader")
    last = asked[-1] if isinstance(asked, list | tuple) and asked else asked
    name = str(getattr(last, "__name__", last)).rpartition(".")[2].lower()
    reverse = section.value(number, "reverse_indexing")
    if name == "numpyreader":
        return False
    if name == "pydicomreader":
        return bool(section.value(number, "swap_ij", True))
    return bool(reverse) if name == "pilreader" and reverse is not None else not reverse
