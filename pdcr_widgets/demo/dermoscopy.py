"""Two lesion networks that are equally good on images with a ruler mark; one of them needs it."""

from __future__ import annotations

import numpy as np
import torch

from pdcr_widgets.causal import segmenter
from pdcr_widgets.demo.case import Case, cut_bank
from pdcr_widgets.demo.checkpoint import load_card, load_unet
from pdcr_widgets.demo.skin import make_skin

SHOWN = 20_001
REGION = (48, 48, 32, 32)
BANK_NUMBERS = range(30_000, 30_012)

DESCRIPTION = """
A made-up dermoscopy image (skin, hair, a lesion and a ruler mark beside it, all drawn by a
program) and a small U-Net that finds lesions. On 40 new images with a ruler mark its Dice is
{dice:.2f}. There are two such networks, trained on the same images: ask the map, with patches of
16 pixels, what each of them looks at."""


def dermoscopy_case(name: str) -> Case:
    """Load the made-up dermoscopy image with one of the two networks.

    Parameters
    ----------
    name
        ``"dermoscopy"``: learnt every lesion. ``"dermoscopy-shortcut"``: learnt from annotators who
        outlined a lesion only where a ruler mark lies beside it.
    """
    shown = make_skin(SHOWN)
    card = load_card(name)
    region = np.zeros(shown.lesion.shape, dtype=bool)
    top, left, height, width = REGION
    region[top : top + height, left : left + width] = True
    others = torch.as_tensor(
        np.stack([make_skin(number, ruler=False).image for number in BANK_NUMBERS])
    )
    return Case(
        name=name,
        title="A lesion and a ruler mark (made-up dermoscopy)",
        description=" ".join(DESCRIPTION.split()).format(dice=card["with_mark"]["dice"]),
        segmenter=segmenter(load_unet(name), 0, "sigmoid", classes=["lesion"]),
        image=torch.as_tensor(shown.image),
        truth=shown.lesion,
        region=region,
        bank=cut_bank(others, patch_size=8),
        bank_images=others,
        spacing=None,
        orientation="as drawn",
        card=card,
    )
