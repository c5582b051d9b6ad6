"""The state of a session in words."""

from __future__ import annotations

from pdcr_widgets.progress import Progress
from pdcr_widgets.session import Session
from pdcr_widgets.widgets.text import count, duration, escape, rate, sentence

STATUS_WORDS = {
    "idle": "Ready",
    "running": "Running",
    "paused": "Paused",
    "stopped": "Stopped",
    "done": "Done",
    "failed": "Failed",
}


def progress_html(session: Session) -> str:
    """Write progress, counts, rate, time left; engine, device, activation; a remark."""
    bar = bar_html(session.progress, session.status, "Progress")
    lines = "".join(line_html(items) for items in (_course(session), _setting(session)) if items)
    remark = region_remark(session)
    return bar + lines + (f'<p class="pdcr-warning">{escape(remark)}</p>' if remark else "")


def bar_html(progress: Progress, status: str, label: str) -> str:
    """Draw how much of a computation is done; all of it when it is ``"done"``."""
    share = progress.done / progress.total if progress.total else 0.0
    if status == "done":
        share = 1.0
    return (
        f'<div class="pdcr-bar pdcr-{status}" role="progressbar" aria-label="{escape(label)}" '
        f'aria-valuemin="0" aria-valuemax="100" aria-valuenow="{100 * share:.0f}">'
        f'<i style="width:{100 * share:.1f}%"></i></div>'
    )


def line_html(items: list[str]) -> str:
    """Put facts, HTML each, in a line."""
    return (
        f'<div class="pdcr-status-line">{"".join(f"<span>{item}</span>" for item in items)}</div>'
    )


def error_html(session: Session) -> str:
    """Write the error and, folded away, its traceback; empty when there is none."""
    if not session.error:
        return ""
    kept = " The map shown is from before." if session.ate is not None else ""
    return (
        f'<div class="pdcr-error" role="alert"><b>Not computed.</b> '
        f"{escape(sentence(session.error))}{kept}<details><summary>Technical details</summary>"
        f"<pre>{escape(session.traceback)}</pre></details></div>"
    )


def region_remark(session: Session) -> str:
    """Say in words what a number alone would hide: no region, or nothing to compare inside it."""
    region, prediction = session.region, session.prediction
    if region is None:
        return "Draw a region on the image to see what its prediction depends on."
    if prediction is None or prediction.probability.shape != region.shape:
        return ""
    predicted = bool(prediction.mask[region].any())
    if prediction.truth is None:
        return "" if predicted else "The model predicts no target inside the region."
    true = bool(prediction.truth[region].any())
    if predicted and true:
        return ""
    if predicted:
        return "There is no target inside the region, but the model predicts some."
    if true:
        return "The model misses the target inside the region altogether."
    return "There is no target inside the region and the model predicts none: they agree."


def _course(session: Session) -> list[str]:
    """What is being done and how fast."""
    if session.previewed is not None:
        return ["<b>Read off the sweep</b>", "no forward pass; measured anew when you let go"]
    progress = session.progress
    items = [f"<b>{STATUS_WORDS[session.status]}</b>"]
    if session.status == "running" and progress.stage:
        items = [f"<b>{escape(progress.stage.capitalize())}</b>"]
    if progress.total:
        items.append(f"{count(progress.done)} of {count(progress.total)} evaluations")
    if progress.rate:
        items.append(rate(progress.rate))
    if session.status in ("running", "paused") and progress.remaining is not None:
        items.append(f"{duration(progress.remaining)} left")
    return items


def _setting(session: Session) -> list[str]:
    """What is measured, and what measures it."""
    items = []
    if session.ate is not None:
        engine = f"{escape(session.ate.engine)} engine"
        if session.ate.reason:
            engine = f'<abbr title="{escape(session.ate.reason)}">{engine}</abbr>'
        items.append(f"{engine} on {escape(session.device)}")
    else:
        items.append(escape(session.device))
    if session.prediction is not None:
        decided = session.prediction.segmenter
        activation = decided.activation
        name = activation if isinstance(activation, str) else activation.__name__
        chosen = f", class {decided.target}" if session.prediction.classes > 1 else ""
        items.append(f"{escape(name)}{chosen}, predicted above {decided.threshold:g}")
    return items
