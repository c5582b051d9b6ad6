"""Layer effects against plain forward hooks and Captum, on identical contents."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

from pdcr_widgets import channel_effects
from pdcr_widgets.causal.components.edits import edited
from pdcr_widgets.causal.components.effects import as_kinds, make_study
from pdcr_widgets.causal.components.sites import Site
from pdcr_widgets.causal.components.study import Study, draw_count
from tests.bench import clock
from tests.bench.clock import peak_of, table
from tests.bench.models import own_unet, problem

KINDS = ("zero", "mean", "noise", "donor")
DRAWS, TOGETHER = 20, 8
LIMIT = 1e-5
GOAL_HOOKS, GOAL_SWEEP = 20.0, 2.0


def run() -> None:
    """Print one row per stage, the medians, and the channel sweep."""
    model = own_unet()
    image, truth, region, _ = problem()
    donors = torch.stack([problem()[0].roll(9 * n + 9, dims=2) for n in range(DRAWS)])
    options = {"donors": donors, "outcome": "soft_dice"}
    hooks = make_study(model, image, region, truth, engine="full", **options)
    ours = make_study(model, image, region, truth, engine="incremental", **options)
    for study in (hooks, ours):
        _contents(study, study.sites[-1])
    rows = [_row(model, image, hooks, ours, number) for number in range(len(ours.sites))]
    middle = [statistics.median(row[k] for row in rows) for k in (2, 3)]
    table(
        f"Layer effects, {len(KINDS)} kinds x {DRAWS} draws, 256 x 256, region 32 x 32, s",
        ["stage", "ours", "over hooks", "over Captum", "max difference"],
        [[n, f"{s:.3f}", f"{h:.1f}x", f"{c:.1f}x", f"{d:.0e}"] for n, s, h, c, d in rows]
        + [
            ["median", "", f"{middle[0]:.1f}x", f"{middle[1]:.1f}x", ""],
            ["goal", "", f">= {GOAL_HOOKS:.0f}x", "", f"<= {LIMIT:.0e}"],
        ],
    )
    _memory(model, image, hooks, ours)
    _channels(model, image, region, truth)


def _memory(model: nn.Module, image: Tensor, hooks: Study, ours: Study) -> None:
    """Peak of each way over all stages."""

    def all_ours() -> None:
        for site in ours.sites:
            _ours(ours, site)

    def all_hooks() -> None:
        for site in hooks.sites:
            _by_hooks(hooks, site, _contents(hooks, site))

    def all_captum() -> None:
        for site in hooks.sites:
            _by_captum(model, image, site, _contents(hooks, site)[:2])

    works = {
        "ours": all_ours,
        "hooks, batches of 8": all_hooks,
        "Captum, one at a time": all_captum,
    }
    peaks = [[name, f"{peak_of(work):.0f}"] for name, work in works.items()]
    table("Peak memory above what is held, all stages", ["way", "MiB"], peaks)


def _row(
    model: nn.Module, image: Tensor, hooks: Study, ours: Study, number: int
) -> tuple[str, float, float, float, float]:
    site = ours.sites[number]
    whole = _contents(hooks, hooks.sites[number])
    ours.runner.window(site)  # type: ignore[func-returns-value]
    found: list[Tensor] = []
    taken = min(_cpu(lambda: found.append(_ours(ours, site))) for _ in range(2))
    found_by_hooks: list[Tensor] = []
    by_hooks = _cpu(lambda: found_by_hooks.append(_by_hooks(hooks, site, whole)))
    by_captum = _cpu(lambda: _by_captum(model, image, site, whole[:2])) / 2 * len(whole)
    difference = float((found[0] - found_by_hooks[0]).abs().max())
    if difference > LIMIT:
        raise RuntimeError(f"{site.name}: incremental and hooks differ by {difference}")
    return site.name, taken, by_hooks / taken, by_captum / taken, difference


def _ours(study: Study, site: Site) -> Tensor:
    """Everything that one stage costs: contents, plans and predictions."""
    study.runner._suffixes._last = None  # type: ignore[attr-defined]
    return study.runner.probabilities([(site, _contents(study, site))])


@torch.inference_mode()
def _contents(study: Study, site: Site) -> Tensor:
    source = study.source(site)
    kinds = as_kinds(KINDS)
    parts = []
    for kind in kinds.values():
        draws = list(range(draw_count(kind, DRAWS, study.donors)))
        parts.append(kind(source, draws).expand(-1, *[-1] * len(site.shape)))
        if not kind.random:
            parts.append(parts[-1].expand(DRAWS, *parts[-1].shape[1:])[: DRAWS - 1])
    return torch.cat(parts)


def _by_hooks(study: Study, site: Site, contents: Tensor) -> Tensor:
    """One whole pass per stage, kind and draw, eight in a batch."""
    target = study.target
    found = [
        edited(target.segmenter, target.image, [(site, c)])[0] for c in contents.split(TOGETHER)
    ]
    return torch.cat(found)[(slice(None), *target.window)]


def _by_captum(model: nn.Module, image: Tensor, site: Site, contents: Tensor) -> None:
    """Captum's layer feature ablation: the whole layer as one feature, the content as baseline."""
    from captum.attr import LayerFeatureAblation

    image = image.to(clock.device)
    ablation = LayerFeatureAblation(
        lambda x: model(x).sum((1, 2, 3)), model.get_submodule(site.module)
    )
    mask = torch.zeros((1, *site.shape), dtype=torch.long, device=image.device)
    with torch.inference_mode():
        for content in contents:
            ablation.attribute(image[None], layer_baselines=content[None], layer_mask=mask)


def _channels(model: nn.Module, image: Tensor, region: object, truth: object) -> None:
    layer = "encoder.4"
    channel_effects(model, image, region, truth, layer=layer)
    began, cpu = time.perf_counter(), time.process_time()
    found = channel_effects(model, image, region, truth, layer=layer)
    wall, used = time.perf_counter() - began, time.process_time() - cpu
    table(
        "Channel sweep",
        ["layer", "channels", "wall s", "goal", "CPU s", "threads", "load"],
        [[layer, str(len(found)), f"{wall:.2f}", f"< {GOAL_SWEEP:.0f}", f"{used:.2f}",
          str(torch.get_num_threads()), f"{os.getloadavg()[0]:.1f}"]],
    )  # fmt: skip


def _cpu(work: Callable[[], object]) -> float:
    """Processor time of a call, as others on the machine do not lengthen it; else wall clock."""
    if clock.device.type != "cpu":
        return clock.seconds(work)
    began = time.process_time()
    work()
    return time.process_time() - began


if __name__ == "__main__":
    torch.set_num_threads(1)
    run()
