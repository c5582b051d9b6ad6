"""The brain case: lateral ventricles on an axial T1 slice of the MNI152 template."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from pdcr_widgets.causal import segmenter
from pdcr_widgets.demo.case import Case, Volume, cut_bank
from pdcr_widgets.demo.checkpoint import load_card, load_unet
from pdcr_widgets.demo.template import Z_ORIGIN, axial_stack

HELD_OUT = range(77, 85)
MARGIN = 3
SLICE = 84
REGION = (112, 88, 32, 32)
BANK_GAP = 10
DIVISOR = 8

DESCRIPTION = """
Axial T1 slice at z = {z:+d} mm of the MNI152 template (ICBM 2009a symmetric), an average of 152
aligned heads and not a patient. The target is the lateral ventricles. Their outline was derived
from the template by a documented rule, not drawn by an expert. The network is a small U-Net that
never saw the slices z = {low:+d} to {high:+d} mm in training; on those its Dice is {dice:.2f}, and
the best intensity band reaches {band:.2f}: to be right it has to look around. In the region it
takes a few pixels of the fornix for ventricle: there is something to gain and something to lose."""


def brain_case() -> Case:
    """Load the embedded brain case; about a second, no download.

    Raises
    ------
    ModuleNotFoundError
        When the packages of the ``demo`` extra are not installed.
    """
    stack = axial_stack()
    card = load_card("brain")
    region = np.zeros(stack.truth[SLICE].shape, dtype=bool)
    top, left, height, width = REGION
    region[top : top + height, left : left + width] = True
    slices = torch.as_tensor(stack.images)[:, None]
    others = slices[bank_slices()].contiguous()
    return Case(
        name="brain",
        title="Lateral ventricles on an averaged brain (MNI152 T1)",
        description=" ".join(DESCRIPTION.split()).format(
            z=SLICE - Z_ORIGIN,
            low=HELD_OUT[0] - Z_ORIGIN,
            high=HELD_OUT[-1] - Z_ORIGIN,
            dice=card["held_out"]["dice"],
            band=card["held_out"]["intensity_band_dice"],
        ),
        segmenter=segmenter(load_unet("brain"), 0, "sigmoid", classes=["lateral ventricles"]),
        image=slices[SLICE].clone(),
        truth=stack.truth[SLICE],
        region=region,
        bank=cut_bank(others, patch_size=8),
        bank_images=others,
        spacing=(1.0, 1.0),
        orientation="front of the head up, right side of the head on the left",
        card=card,
    )


def brain_volume_case() -> Case:
    """Load the brain case with the whole template, for an explorer that walks through its slices.

    The network learnt from axial slices of the template itself, most of these included: only those
    that `HELD_OUT` names are new to it. Three black slices are added on top, so that coronal and
    sagittal slices, too, have sides that the network takes.
    """
    case, stack = brain_case(), axial_stack()
    on_top = ((0, -len(stack.images) % DIVISOR), (0, 0), (0, 0))
    volume = Volume(
        values=torch.as_tensor(np.pad(stack.images, on_top))[None],
        truth=np.pad(stack.truth, on_top),
        spacing=(1.0, 1.0, 1.0),
        orientation="SPL",
        index=SLICE,
        plane="axial",
    )
    return replace(case, name="brain-volume", volume=volume)


def bank_slices() -> list[int]:
    """Slices that patches are cut from: every third one, none within 10 mm of the shown slice."""
    return [z for z in range(40, 136, 3) if abs(z - SLICE) > BANK_GAP]
