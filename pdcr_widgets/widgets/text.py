"""Numbers and names as people read them."""

from __future__ import annotations

import html
import math
import re

OUTCOME_WORDS = {
    "dice": "Dice",
    "iou": "IoU",
    "soft_dice": "Soft Dice",
    "mean_probability": "Mean probability",
    "area": "Area predicted",
}
BASELINE_WORDS = {
    "constant": "Constant value",
    "zero": "Zero",
    "mean": "Image mean",
    "blur": "Blurred image",
    "noise": "Gaussian noise",
    "bank": "Natural patches",
}

SAMPLING_WORDS = {"adaptive": "Adaptive", "paper": "As in the paper"}
INTERVENTION_WORDS = {
    "mean": "Its own mean",
    "zero": "Zero",
    "noise": "Matched noise",
    "dataset_mean": "Mean over donor images",
    "donor": "Donor image",
}

GROUP_WORDS = {
    "encoder": "ENCODER",
    "bottleneck": "BOTTLENECK",
    "skip": "SKIPS",
    "decoder": "DECODER",
    "other": "LAYERS",
}


def escape(text: object) -> str:
    """Make text safe inside HTML, attributes included."""
    return html.escape(str(text), quote=True)


def spoken(markup: str) -> str:
    """Give what a piece of HTML says."""
    return html.unescape(re.sub(r"<[^>]*>", "", markup)).strip()


def words(names: dict[str, str], name: str) -> str:
    """Give the words for a name, or the name itself made readable."""
    return names.get(name, name.replace("_", " ").capitalize())


def layer_name(name: str) -> str:
    """Write a layer or a connection between two with a proper arrow."""
    return name.replace(" -> ", " → ")


def shorten(text: str, length: int) -> str:
    """Cut the middle out of a text longer than ``length`` characters."""
    if len(text) <= length:
        return text
    tail = (length - 1) * 2 // 3
    return f"{text[: length - 1 - tail]}…{text[-tail:]}"


def signed(value: float, stderr: float | None = None) -> str:
    """Write points with their sign and, where it is not exact, their standard error.

    As many decimals as the standard error deserves, two at most.
    """
    if not math.isfinite(value):
        return "n/a"
    sign = "−" if value < 0 else "+" if value > 0 else ""
    text = f"{sign}{abs(value):.2f}"
    if stderr is None or not math.isfinite(stderr):
        return text
    return f"{text} ± {stderr:.2f}" if stderr > 0 else f"{text} (exact)"


def sentence(text: str) -> str:
    """Write a message as a sentence: a capital in front, a full stop behind."""
    text = text.strip()
    end = "" if text.endswith((".", "!", "?")) else "."
    return f"{text[:1].upper()}{text[1:]}{end}"


def plain(value: float) -> str:
    """Write a value of an image or a model in three digits."""
    return f"{value:.3g}".replace("-", "−")


def percent(share: float) -> str:
    """Write a share of 0..1 as a percentage; a share that is not 0 never reads 0."""
    if 0 < share < 0.001:
        return "< 0.1 %"
    return f"{100 * share:.1f} %"


def count(number: int) -> str:
    """Write a whole number with thin spaces between thousands."""
    return f"{number:,}".replace(",", "\u202f")


def memory(size: int) -> str:
    """Write bytes as megabytes."""
    return f"{size / 2**20:.1f} MB" if size < 10 * 2**20 else f"{count(round(size / 2**20))} MB"


def duration(seconds: float) -> str:
    """Write a time left, coarsely."""
    if seconds < 1:
        return "< 1 s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def rate(per_second: float) -> str:
    """Write evaluations per second."""
    return f"{count(round(per_second))}/s" if per_second >= 10 else f"{per_second:.1f}/s"
