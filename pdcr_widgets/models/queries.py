"""Networks that answer with masks and their classes, as Mask2Former does."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn


class MaskQueries(nn.Module):
    """Semantic scores of a network that returns mask and class logits of queries.

    The score of a class is the sum over queries of its probability times the mask's, as in
    MaskFormer (Cheng et al., 2021), at most 1.

    Parameters
    ----------
    model
        Module whose output has ``class_queries_logits`` (batch, queries, classes + 1) and
        ``masks_queries_logits`` (batch, queries, height, width).
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> Tensor:
        """Scores 0..1, ``(batch, classes, height, width)`` at the resolution of the masks."""
        output: Any = self.model(images)
        classes = output.class_queries_logits.softmax(dim=-1)[..., :-1]
        masks = output.masks_queries_logits.sigmoid()
        scores: Tensor = (classes.transpose(1, 2) @ masks.flatten(2)).clamp(max=1.0)
        return scores.unflatten(2, masks.shape[2:])
