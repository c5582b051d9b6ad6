"""Networks that answer with masks and their classes, as Mask2Former does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from pdcr_widgets.models.grid import resized

MASK2FORMER = (384, 384)


class MaskQueries(nn.Module):
    """Semantic scores of a network that returns mask and class logits of queries.

    The score of a class is the sum over queries of its probability times the mask's, as in
    MaskFormer (Cheng et al., 2021), at most 1. Masks are first brought to the size at which the
    network's own post-processing reads them.

    Parameters
    ----------
    model
        Module whose output has ``class_queries_logits`` (batch, queries, classes + 1) and
        ``masks_queries_logits`` (batch, queries, height, width).
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor, size: Sequence[int] | None = None) -> Tensor:
        """Scores 0..1 ``(batch, classes, height, width)`` of the images' size, or another."""
        output: Any = self.model(images)
        classes = output.class_queries_logits.softmax(dim=-1)[..., :-1]
        masks = self._sized(output.masks_queries_logits, images).sigmoid()
        scores: Tensor = (classes.transpose(1, 2) @ masks.flatten(2)).clamp(max=1.0)
        return resized(scores.unflatten(2, masks.shape[2:]), size or images.shape[2:])

    def _sized(self, masks: Tensor, images: Tensor) -> Tensor:
        kind = getattr(getattr(self.model, "config", None), "model_type", "")
        size = {"mask2former": MASK2FORMER, "eomt": images.shape[2:]}.get(kind)
        return masks if size is None else resized(masks, size)
