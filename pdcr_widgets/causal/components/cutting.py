"""A network with some of its connections cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from pdcr_widgets.causal.components.effects import make_study
from pdcr_widgets.causal.components.interventions import INTERVENTIONS
from pdcr_widgets.causal.components.sites import Site
from pdcr_widgets.causal.components.study import Study
from pdcr_widgets.causal.experiment import Target


@dataclass(frozen=True, eq=False)
class Cuts:
    """Any set of a network's components replaced at once, for one target.

    Attributes
    ----------
    study
        The network on its image, read everywhere.
    """

    study: Study

    @classmethod
    def of(
        cls, model: Any, image: Any, region: Any, truth: Any = None, layers: Any = "skips"
    ) -> Cuts:
        """Look at the network; see `iter_layer_effects` for the parameters.

        Raises
        ------
        ValueError
            The network has no such components.
        """
        study = make_study(
            model, image, region, truth, layers=layers, elsewhere=True, engine="full"
        )
        if not study.sites:
            raise ValueError(f"the network has no components {layers!r} that could be cut")
        return cls(study)

    @property
    def target(self) -> Target:
        """What is measured."""
        return self.study.target

    @property
    def names(self) -> list[str]:
        """Names of the components, in the order in which they run."""
        return [site.name for site in self.study.sites]

    def shape(self, name: str) -> tuple[int, ...]:
        """Shape of what a component gives, without the batch axis."""
        return self._site(name).shape

    def probability(self, names: Sequence[str], intervention: str = "mean") -> Tensor:
        """Predict with components replaced, all at once.

        Parameters
        ----------
        names
            Components; none predicts the network as it is.
        intervention
            A deterministic kind: ``"mean"`` or ``"zero"``.

        Returns
        -------
        Tensor
            ``(*spatial)``, 0..1.

        Raises
        ------
        ValueError
            An unknown component or kind, or one that is random or needs donors.
        """
        kind = INTERVENTIONS.get(intervention)
        if kind is None or kind.random or kind.needs_donors:
            known = [n for n, k in INTERVENTIONS.items() if not (k.random or k.needs_donors)]
            raise ValueError(f"intervention must be one of {known}, got {intervention!r}")
        if not names:
            return self.target.probability
        with torch.inference_mode():
            edits = [(s, kind(self.study.source(s), [0])) for s in map(self._site, names)]
            return self.study.runner.probabilities(edits)[0]

    def _site(self, name: str) -> Site:
        for site in self.study.sites:
            if site.name == name:
                return site
        raise ValueError(f"there is no component {name!r}; there are {self.names}")
