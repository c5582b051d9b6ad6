"""Where the lateral ventricles are in the MNI152 template: a rule, not an expert.

The template is an average of 152 aligned heads, made exactly mirror symmetric, and it comes with
probabilities of grey and white matter but no ventricle labels. The labels used here are derived
from these three volumes:

1. **fluid**: T1 below 0.48 (of the volume's maximum), white matter at most 0.3, and not mostly
   grey matter;
2. within a **box** around the ventricles (at least 15 mm inside the brain everywhere but at the
   midline fissures), take the dark fluid (T1 below 0.45), open it once (6 neighbours) and keep the
   largest connected part that lies wholly in one hemisphere, with its mirror image. The third and
   fourth ventricles, the cisterns and the fissures cross the midline and drop out;
3. grow it by two voxels within the fluid, which gives back what the opening took;
4. close it (ball of 2 voxels, per hemisphere, only where T1 is below 0.6) and fill the holes of
   each axial slice: the choroid plexus inside the ventricle counts as ventricle.

The inferior and occipital horns, which in the average are a voxel or two thin, are left out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Volume = NDArray[np.float32]
Mask = NDArray[np.bool_]

BOX = (slice(58, 139), slice(70, 171), slice(64, 106))
FLUID, DARK, PLEXUS = 0.48, 0.45, 0.60


def lateral_ventricles(t1: Volume, grey: Volume, white: Volume) -> Mask:
    """Mark the lateral ventricles of the MNI152 2009a symmetric template.

    Parameters
    ----------
    t1, grey, white : ndarray (197, 233, 189) float32
        T1 scaled to its maximum, and the probabilities of grey and white matter; all 0 to 1,
        1 mm voxels, axes left-right, back-front, down-up.

    Returns
    -------
    ndarray (197, 233, 189) bool
        Two parts, mirror images of each other.

    Raises
    ------
    ValueError
        When the volumes are not the template's shape: the rule holds for no other head.
    """
    for volume in (t1, grey, white):
        if volume.shape != (197, 233, 189):
            raise ValueError(
                f"the rule is for the (197, 233, 189) MNI152 template, got {volume.shape}"
            )
    truth = np.zeros(t1.shape, dtype=bool)
    truth[BOX] = _in_box(t1[BOX], grey[BOX], white[BOX])
    return truth


def _in_box(t1: Volume, grey: Volume, white: Volume) -> Mask:
    from scipy import ndimage

    mostly_grey = (grey > white) & (grey + white > 0.5)
    fluid = (t1 < FLUID) & (white <= 0.3) & ~mostly_grey
    core = _largest_pair(ndimage.binary_opening(fluid & (t1 < DARK)))
    grown = ndimage.binary_dilation(core, iterations=2, mask=fluid)
    filled = _close_left(grown) & (t1 < PLEXUS)
    truth = grown | filled | filled[::-1]
    for level in range(truth.shape[2]):
        truth[..., level] = ndimage.binary_fill_holes(truth[..., level])
    return truth


def _largest_pair(mask: Mask) -> Mask:
    """Keep the largest connected part wholly in the left half, and its mirror image."""
    from scipy import ndimage

    labels, count = ndimage.label(mask)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    left = np.bincount(labels[: len(mask) // 2].ravel(), minlength=count + 1)
    candidates = np.where(left == sizes, sizes, 0)
    candidates[0] = 0
    part = labels == candidates.argmax()
    return part | part[::-1]


def _close_left(mask: Mask, radius: int = 2) -> Mask:
    """Close the left half alone, so that the septum between the ventricles stays open."""
    from scipy import ndimage

    steps = np.ogrid[-radius : radius + 1, -radius : radius + 1, -radius : radius + 1]
    ball = sum(step**2 for step in steps) <= radius**2
    half = len(mask) // 2
    left = mask.copy()
    left[half:] = False
    closed: Mask = ndimage.binary_closing(left, ball)
    closed[half:] = False
    return closed
