"""Any segmentation model as one function: image -> probability of the target class."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from pdcr_widgets.causal.arrays import as_image, as_whole
from pdcr_widgets.causal.evaluation import evaluation
from pdcr_widgets.causal.memory import is_out_of_memory
from pdcr_widgets.causal.precision import full_precision
from pdcr_widgets.causal.scores import check_finite as check_finite
from pdcr_widgets.causal.scores import check_scores as check_scores
from pdcr_widgets.causal.scores import described, likely_activation, short

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "identity": lambda scores: scores,
    "sigmoid": torch.sigmoid,
    "softmax": lambda scores: scores.softmax(dim=1),
}


@dataclass(frozen=True)
class Segmenter:
    """A model, and how its output is read.

    Parameters
    ----------
    model
        Module or callable, ``(batch, channels, *spatial) -> (batch, classes, *spatial)`` or
        ``(batch, *spatial)``. A module is put in evaluation mode for each call and restored; a
        callable is called as it is, so a network inside it must be in evaluation mode already.
    target
        Class index. None: decided by `resolve`.
    activation
        ``"identity"`` (the model returns probabilities), ``"sigmoid"``, ``"softmax"``, a callable
        from raw scores ``(batch, classes, *spatial)`` to probabilities of the same shape that
        works on each pixel alone, or ``"auto"``: decided by `resolve`.
    threshold
        Probability above which a pixel is predicted as the target, 0..1.
    classes
        Names of the classes, in the model's order, as people read them; may be fewer.
    """

    model: Callable[[Tensor], Any]
    target: int | None = None
    activation: str | Callable[[Tensor], Tensor] = "auto"
    threshold: float = 0.5
    classes: Sequence[str] = ()

    def __post_init__(self) -> None:
        if not callable(self.model):
            raise TypeError(
                f"model must be a module or a callable, got {type(self.model).__name__}; the path "
                f"of a model becomes one by `pdcr.segmenter(path)`"
            )
        if self.target is not None:
            object.__setattr__(self, "target", as_whole(self.target, "target", 0))
        if not callable(self.activation) and self.activation not in ["auto", *ACTIVATIONS]:
            raise ValueError(
                f"activation must be a callable or one of {['auto', *ACTIVATIONS]}, "
                f"got {self.activation!r}"
            )
        if isinstance(self.classes, str):
            raise TypeError(f"classes are names in a list, got {self.classes!r}")
        object.__setattr__(self, "classes", tuple(str(name) for name in self.classes))
        if not 0 <= self.threshold <= 1:
            raise ValueError(f"threshold is a probability in 0..1, got {self.threshold}")

    def class_name(self, target: int) -> str:
        """Name of a class, or its number in words where it has none."""
        return self.classes[target] if target < len(self.classes) else f"class {target}"

    @property
    def device(self) -> torch.device:
        """Where the model's weights are; the CPU when it has none."""
        weight = self._weight()
        return torch.device("cpu") if weight is None else weight.device

    @property
    def dtype(self) -> torch.dtype:
        """Floating point type of the model's weights; float32 when it has none."""
        weight = self._weight()
        return torch.float32 if weight is None else weight.dtype

    def _weight(self) -> Tensor | None:
        if isinstance(self.model, nn.Module):
            for tensor in (*self.model.parameters(), *self.model.buffers()):
                if tensor.is_floating_point():
                    return tensor
        return None

    def placed(self, images: Tensor) -> Tensor:
        """Copy images to where and what the weights are; without weights they stay where they are.

        Always a copy, so that a model that works in place never changes its caller's images.
        """
        device = images.device if self._weight() is None else self.device
        return images.to(device, self.dtype, copy=True)

    def prepare(self, image: Any) -> Tensor:
        """Check an image as `as_image` does and give a copy of it as the model takes it.

        Raises
        ------
        TypeError, ValueError
            As `as_image`; values that the model's floating point type cannot hold.
        """
        held = as_image(image)
        placed = self.placed(held)
        if not bool(torch.isfinite(placed).all()):
            raise ValueError(
                f"image has values from {held.min():g} to {held.max():g}, which the model's "
                f"{short(self.dtype)} cannot hold; rescale it to the units the model takes"
            )
        return placed

    @property
    def is_resolved(self) -> bool:
        """Whether activation and target are decided."""
        return self.activation != "auto" and self.target is not None

    def resolve(self, image: Any) -> Segmenter:
        """Decide an "auto" activation and a missing target on the case's own image.

        Scores that all lie in 0..1 are probabilities; others are logits, read by a sigmoid for one
        class (if some are negative) and a softmax for several. A missing target is the only class
        of one, class 1 of two, and of more the class other than 0 that is predicted in most pixels.

        Parameters
        ----------
        image
            As for `as_image`.

        Returns
        -------
        Segmenter
            The same model with both decided.

        Raises
        ------
        TypeError, ValueError
            A bad image, a model that fails on it or returns something else than scores, or scores
            of one class that are neither probabilities nor logits.
        """
        if self.is_resolved:
            return self
        scores = self.scores(as_image(image)[None])
        activation = self.activation
        if activation == "auto":
            activation = likely_activation(scores)
        target = self.target
        if target is None:
            target = _likely_target(scores)
        return replace(self, activation=activation, target=target)

    def probability(self, scores: Tensor) -> Tensor:
        """Read the target's probability off scores, as `scores` gives them.

        Works on each pixel alone, so it may be given any window of them.

        Parameters
        ----------
        scores
            ``(batch, classes, *spatial)``.

        Returns
        -------
        Tensor
            ``(batch, *spatial)`` in 0..1.

        Raises
        ------
        ValueError
            The segmenter is not resolved, the model has no such class, or the activation does not
            fit it.
        """
        if self.target is None or not self.is_resolved:
            raise ValueError("activation or target is undecided; call `.resolve(image)` first")
        classes = scores.shape[1]
        if self.target >= classes:
            raise ValueError(
                f"target class {self.target} does not exist, the model returns "
                f"{classes} channels (0..{classes - 1})"
            )
        if self.activation == "softmax" and classes == 1:
            raise ValueError(
                "a softmax over one channel is 1 everywhere; use activation 'sigmoid' or 'auto'"
            )
        if self.activation in ("identity", "sigmoid"):
            return ACTIVATIONS[self.activation](scores[:, self.target])
        activate = self.activation if callable(self.activation) else ACTIVATIONS[self.activation]
        activated = activate(scores)
        if getattr(activated, "shape", None) != scores.shape:
            raise ValueError(
                f"the activation returned {described(activated)} for scores of shape "
                f"{tuple(scores.shape)}; it must return probabilities of the same shape"
            )
        return activated[:, self.target]

    def scores(self, images: Tensor) -> Tensor:
        """Run the model once on ``(batch, channels, *spatial)``.

        Returns
        -------
        Tensor
            Raw output, ``(batch, classes, *spatial)``, without gradients.

        Raises
        ------
        TypeError, ValueError
            The model fails on the images or returns something else than scores. Memory that runs
            out is not caught.
        """
        placed = self.placed(images)
        with self.evaluating(placed.device):
            try:
                output = self.model(placed)
            except Exception as error:
                if is_out_of_memory(error):
                    raise
                raise ValueError(
                    f"the model failed on images of shape {tuple(placed.shape)} "
                    f"(batch, channels, *spatial), {short(placed.dtype)} on {placed.device}: "
                    f"{type(error).__name__}: {error}; check that channels come first and that the "
                    f"image has the channels and the size the model takes"
                ) from error
        return check_scores(output, images).detach()

    def __call__(self, images: Tensor) -> Tensor:
        """Probability of the target, ``(batch, channels, *spatial) -> (batch, *spatial)``."""
        with torch.no_grad():
            return self.probability(self.scores(images))

    @contextmanager
    def evaluating(self, device: torch.device | None = None) -> Iterator[None]:
        """Evaluation mode without gradients; every module's own mode is restored afterwards.

        On a CUDA device, which is the weights' unless said, 32-bit products keep their precision.

        Not inference mode: what a model caches in its first call would be unusable in training.
        """
        held = evaluation(self.model) if isinstance(self.model, nn.Module) else nullcontext()
        with held, torch.no_grad(), full_precision(device or self.device):
            yield


def segmenter(
    model: Any,
    target: int | None = None,
    activation: str | Callable[[Tensor], Tensor] = "auto",
    threshold: float = 0.5,
    classes: Sequence[str] = (),
) -> Segmenter:
    """Wrap a module or callable; a `Segmenter` is given back as it is.

    Parameters and errors are those of `Segmenter`. `pdcr_widgets.segmenter` opens files and takes
    networks of other libraries, too.
    """
    if isinstance(model, Segmenter):
        return model
    return Segmenter(model, target, activation, threshold, classes)


def _likely_target(scores: Tensor) -> int:
    classes = scores.shape[1]
    if classes <= 2:
        return classes - 1
    counts = torch.bincount(scores.argmax(dim=1).flatten(), minlength=classes)
    return 1 + int(counts[1:].argmax())
