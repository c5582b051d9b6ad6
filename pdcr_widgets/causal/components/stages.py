"""Which modules are shown: the default stages of a network, names and globs, and their groups."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from torch import nn

from pdcr_widgets.causal.components.observe import Observed
from pdcr_widgets.causal.components.structure import reaches
from pdcr_widgets.causal.components.trace import Trace

NORMS = (
    nn.modules.batchnorm._NormBase,
    nn.LayerNorm,
    nn.GroupNorm,
    nn.LocalResponseNorm,
)


def default_stages(observed: Sequence[Observed]) -> list[Observed]:
    """Pick the stages of a network by how it runs, not by what its parts are called.

    A stage is the largest named module that gives one tensor once per pass and does not itself go
    through several resolutions: inside it, positions are halved (or more) at most once or doubled
    at most once, not both. Larger modules (a whole encoder, a U-Net's nested skip block), and those
    that hold more than half of the network's leaves, are opened and their children looked at.
    Modules without parameters, and normalisation layers on their own, are no stages.

    For a U-Net these are its encoder blocks, its bottleneck, its upsampling layers and decoder
    blocks and its head; for a residual encoder ``layer1`` to ``layer4`` and the stem; for a
    transformer encoder its patch embeddings and blocks.

    Parameters
    ----------
    observed
        From `observe`, the model itself last.

    Returns
    -------
    list of Observed
        In the order in which they finish.
    """
    leaves = [o for o in observed if o.is_leaf]
    chosen: set[str] = set()
    opened = {"": True}
    for candidate in sorted(observed, key=lambda o: o.name.count(".") + bool(o.name)):
        parent = _nearest(candidate.name, opened)
        if parent is None or not candidate.name:
            continue
        if candidate.parameters and _is_stage(candidate, observed, leaves):
            chosen.add(candidate.name)
            opened[candidate.name] = False
        else:
            opened[candidate.name] = True
    return [o for o in observed if o.name in chosen]


def _nearest(name: str, opened: dict[str, bool]) -> str | None:
    """Nearest enclosing module that was looked at, None where that one is already a stage."""
    while name:
        name = name.rpartition(".")[0]
        if name in opened:
            return name if opened[name] else None
    return ""


def _is_stage(
    candidate: Observed, observed: Sequence[Observed], leaves: Sequence[Observed]
) -> bool:
    if not candidate.is_replaceable:
        return False
    if candidate.is_leaf:
        return not isinstance(candidate.module, NORMS)
    inside = [o for o in observed if o.name.startswith(f"{candidate.name}.")]
    if 2 * sum(o.is_leaf for o in inside) > len(leaves) or _is_wrapper(candidate, inside):
        return False
    ndim = len(observed[-1].shape)
    steps = {(o.incoming, o.positions) for o in inside if _is_grid(o, ndim) and o.incoming > 0}
    downs = {after for before, after in steps if 1 < after <= before / 2}
    ups = {after for before, after in steps if 1 < before <= after / 2}
    return len(downs) + len(ups) <= 1


def _is_grid(module: Observed, ndim: int) -> bool:
    """Whether an output is a map or a row of tokens; what attention reshapes is neither."""
    return len(module.shape) in (2, ndim) and not module.merges


def _is_wrapper(candidate: Observed, inside: Sequence[Observed]) -> bool:
    """Whether one child does all the work and the module only joins something to its output."""
    children = [o for o in inside if "." not in o.name[len(candidate.name) + 1 :] and o.parameters]
    return (
        len(children) == 1
        and children[0].parameters == candidate.parameters
        and children[0].shape != candidate.shape
        and children[0].is_replaceable
    )


def select(observed: Sequence[Observed], layers: str | Sequence[str] | None) -> list[Observed]:
    """Give the modules that are asked for, in the order in which they finish.

    Parameters
    ----------
    observed
        From `observe`.
    layers
        None for `default_stages`; else module names or globs (``*`` also matches dots). A glob
        gives those of its matches whose output can be replaced.

    Raises
    ------
    ValueError
        A name that does not exist, did not run, runs more than once or gives no tensor; a glob
        without a match; a model without stages.
    """
    if layers is None:
        stages = default_stages(observed)
        if not stages:
            raise ValueError(
                "no stage was found in the model: it ran no named module with parameters that "
                "gives one tensor (a scripted model hides them); name the modules with `layers=`"
            )
        return stages
    wanted = [layers] if isinstance(layers, str) else list(layers)
    by_name = {o.name: o for o in observed if o.name}
    chosen: set[str] = set()
    for pattern in wanted:
        if pattern in by_name:
            _check(by_name[pattern])
            chosen.add(pattern)
            continue
        matches = [n for n, o in by_name.items() if o.is_replaceable and fnmatchcase(n, pattern)]
        if not matches:
            raise ValueError(
                f"no layer that ran is called or matches {pattern!r}; the default stages are "
                f"{[o.name for o in default_stages(observed)]}"
            )
        chosen.update(matches)
    return [o for o in observed if o.name in chosen]


def _check(layer: Observed) -> None:
    if layer.calls > 1:
        raise ValueError(
            f"layer {layer.name!r} runs {layer.calls} times in one pass, so its output is not one "
            f"thing to replace; name the modules around it"
        )
    if not layer.shape:
        raise ValueError(
            f"layer {layer.name!r} does not give a tensor; name a module inside it, for example "
            f"with the glob '{layer.name}.*'"
        )


def groups(observed: Sequence[Observed], found: Trace) -> dict[str, str]:
    """Say for every module where it lies: encoder, bottleneck, decoder, or other.

    What was computed without growing in resolution belongs to the encoder, at the lowest resolution
    of all (single positions, as in gates, do not count) to the bottleneck; what follows from
    growing and the last stage belong to the decoder. Where the network starts at its lowest
    resolution, as a vision transformer does, the last stage there is the bottleneck and the others
    the encoder. A network that keeps one resolution throughout has no such parts: ``"other"``.
    """
    stages = [o for o in default_stages(observed) if o.positions > 1]
    lowest = min((o.positions for o in stages), default=0)
    if all(o.positions == lowest for o in stages):
        return {o.name: "other" for o in observed}
    known = reaches(found)
    lies: dict[str, str] = {}
    for stage in stages:
        reach = known.get(found.outputs.get(stage.name, -2))
        if stage is stages[-1] or (reach is not None and reach.grown):
            lies[stage.name] = "decoder"
        elif stage.positions > lowest:
            lies[stage.name] = "encoder"
        else:
            lies[stage.name] = "decoder" if "decoder" in lies.values() else "bottleneck"
    flat = [o.name for o in stages if lies[o.name] == "bottleneck"]
    if flat and "encoder" not in list(lies.values())[: list(lies).index(flat[0])]:
        lies |= dict.fromkeys(flat[:-1], "encoder")
    return {o.name: _of_module(o, stages, lies) for o in observed}


def _of_module(module: Observed, stages: Sequence[Observed], lies: dict[str, str]) -> str:
    """Group of the stage that a module is or lies in, else of the last stage inside or before."""
    around = [s for s in stages if f"{module.name}.".startswith(f"{s.name}.")]
    before = [s for s in stages if s.order <= module.order]
    return lies[(around or before or list(stages))[-1].name]
