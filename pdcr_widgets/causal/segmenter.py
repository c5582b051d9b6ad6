"""Any segmentation model as one function: image -> probability of the target class."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from pdcr_widgets.causal.arrays import as_image

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
        ``(batch, *spatial)``. A module is put in evaluation mode for each call and restored.
    target
        Class index. None: decided by `resolve`.
    activation
        ``"identity"`` (the model returns probabilities), ``"sigmoid"``, ``"softmax"``, a callable
        from raw scores ``(batch, classes, *spatial)`` to probabilities of the same shape that
        works on each pixel alone, or ``"auto"``: decided by `resolve`.
    threshold
        Probability above which a pixel is predicted as the target, 0..1.
    """

    model: Callable[[Tensor], Any]
    target: int | None = None
    activation: str | Callable[[Tensor], Tensor] = "auto"
    threshold: float = 0.5

    def __post_init__(self) -> None:
        if not callable(self.model):
            raise TypeError(
                f"model must be a module or a callable, got {type(self.model).__name__}"
            )
        if not callable(self.activation) and self.activation not in {"auto", *ACTIVATIONS}:
            raise ValueError(
                f"activation must be a callable or one of {['auto', *ACTIVATIONS]}, "
                f"got {self.activation!r}"
            )
        if not 0 <= self.threshold <= 1:
            raise ValueError(f"threshold is a probability in 0..1, got {self.threshold}")

    @property
    def device(self) -> torch.device:
        """Where the model's weights are; the CPU when it has none."""
        return self._weight().device

    @property
    def dtype(self) -> torch.dtype:
        """Floating point type of the model's weights; float32 when it has none."""
        return self._weight().dtype

    def _weight(self) -> Tensor:
        if isinstance(self.model, nn.Module):
            for tensor in (*self.model.parameters(), *self.model.buffers()):
                if tensor.is_floating_point():
                    return tensor
        return torch.empty(0, dtype=torch.float32, device="cpu")

    @property
    def is_resolved(self) -> bool:
        """Whether activation and target are decided."""
        return self.activation != "auto" and self.target is not None

    @torch.inference_mode()
    def resolve(self, image: Any) -> Segmenter:
        """Decide an "auto" activation and a missing target on the case's own image.

        Scores that all lie in 0..1 (and, for several classes, either sum to one or overlap) are
        probabilities; other scores are logits, read by a sigmoid for one channel and a softmax for
        several. A missing target is class 1 of two, and of more the class other than 0 that is
        predicted in most pixels.

        Parameters
        ----------
        image
            As for `as_image`.

        Returns
        -------
        Segmenter
            The same model with both decided.
        """
        if self.is_resolved:
            return self
        scores = self.scores(as_image(image)[None])
        activation = self.activation
        if activation == "auto":
            probable = bool((scores.min() >= 0) & (scores.max() <= 1))
            logits = "sigmoid" if scores.shape[1] == 1 else "softmax"
            activation = "identity" if probable else logits
        target = self.target
        if target is None:
            target = _likely_target(scores)
        return replace(self, activation=activation, target=target)

    def probability(self, output: Any) -> Tensor:
        """Read the target's probability off a raw model output.

        Works on each pixel alone, so it may be given any window of the output.

        Parameters
        ----------
        output
            ``(batch, classes, *spatial)`` or ``(batch, *spatial)`` raw output.

        Returns
        -------
        Tensor
            ``(batch, *spatial)`` in 0..1.

        Raises
        ------
        ValueError
            The segmenter is not resolved, or the model has no such class.
        """
        if not self.is_resolved:
            raise ValueError("activation or target is undecided; call `.resolve(image)` first")
        scores = output
        if not 0 <= self.target < scores.shape[1]:  # type: ignore[operator]
            raise ValueError(
                f"target class {self.target} does not exist, the model returns "
                f"{scores.shape[1]} channels (0..{scores.shape[1] - 1})"
            )
        if callable(self.activation):
            return self.activation(scores)[:, self.target]
        if self.activation == "softmax":
            return scores.softmax(dim=1)[:, self.target]
        return ACTIVATIONS[self.activation](scores[:, self.target])

    def scores(self, images: Tensor) -> Tensor:
        """Run the model once and give its raw output as ``(batch, classes, *spatial)``."""
        with self.evaluating():
            output = self.model(images.to(self.device, self.dtype))
        return check_scores(output, images)

    def __call__(self, images: Tensor) -> Tensor:
        """Probability of the target, ``(batch, channels, *spatial) -> (batch, *spatial)``."""
        return self.probability(self.scores(images))

    @contextmanager
    def evaluating(self) -> Iterator[None]:
        """Evaluation mode without gradients; every module's own mode is restored afterwards."""
        modules = list(self.model.modules()) if isinstance(self.model, nn.Module) else []
        training = [m for m in modules if m.training]
        try:
            for module in training:
                module.training = False
            with torch.inference_mode():
                yield
        finally:
            for module in training:
                module.training = True


def segmenter(
    model: Any,
    target: int | None = None,
    activation: str | Callable[[Tensor], Tensor] = "auto",
    threshold: float = 0.5,
) -> Segmenter:
    """Wrap any segmentation model.

    Parameters
    ----------
    model
        Module or callable, ``(batch, channels, *spatial) -> (batch, classes, *spatial)`` or
        ``(batch, *spatial)``; a `Segmenter` is given back as it is.
    target
        Class whose prediction is explained; None decides on the first image (see
        `Segmenter.resolve`).
    activation
        ``"auto"``, ``"identity"``, ``"sigmoid"``, ``"softmax"`` or a callable.
    threshold
        Probability above which a pixel is predicted as the target, 0..1.

    Returns
    -------
    Segmenter

    Raises
    ------
    TypeError, ValueError
        Not a callable, an unknown activation, a threshold outside 0..1.
    """
    if isinstance(model, Segmenter):
        return model
    return Segmenter(model, target, activation, threshold)


def check_scores(output: Any, images: Tensor) -> Tensor:
    """Bring a raw output to ``(batch, classes, *spatial)`` or say what is wrong with it."""
    scores = _first_tensor(output)
    if scores is None:
        raise TypeError(
            f"the model returned {type(output).__name__}, not a tensor (nor a dict or sequence "
            f"that starts with one); wrap it in a function that returns (batch, classes, *spatial)"
        )
    if scores.ndim == images.ndim - 1:
        scores = scores[:, None]
    if scores.shape[0] != images.shape[0] or scores.shape[2:] != images.shape[2:]:
        raise ValueError(
            f"the model returned shape {tuple(scores.shape)} for images of shape "
            f"{tuple(images.shape)}; it must be (batch, classes, *spatial) with the same batch and "
            f"spatial shape"
        )
    if not scores.is_floating_point():
        raise TypeError(f"the model returned {scores.dtype}; it must return scores, not labels")
    return scores


def check_finite(probability: Tensor) -> Tensor:
    """Refuse NaN and infinite predictions (costs one host transfer)."""
    if not bool(torch.isfinite(probability).all()):
        raise ValueError(
            "the model returned NaN or infinite values for the image; check that the image is in "
            "the units the model takes and that its weights are finite"
        )
    return probability


def _first_tensor(output: Any) -> Tensor | None:
    if isinstance(output, Tensor):
        return output
    if isinstance(output, Mapping):
        for key in ("out", "logits", "masks"):
            if isinstance(output.get(key), Tensor):
                return output[key]
        return _first_tensor(next(iter(output.values()), None))
    if isinstance(output, Sequence) and output and not isinstance(output, str):
        return _first_tensor(output[0])
    return None


def _likely_target(scores: Tensor) -> int:
    classes = scores.shape[1]
    if classes <= 2:
        return classes - 1
    counts = torch.bincount(scores.argmax(dim=1).flatten(), minlength=classes)
    return 1 + int(counts[1:].argmax())
