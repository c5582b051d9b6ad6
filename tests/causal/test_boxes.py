"""Reading and pasting boxes, against slices written out."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from toys import picture, quick

from pdcr_widgets.causal.boxes import boxes, pasted


@quick
@given(
    channels=st.integers(1, 4),
    spatial=st.lists(st.integers(3, 7), min_size=2, max_size=3),
    data=st.data(),
)
def test_boxes_and_pasted_are_slices(
    channels: int, spatial: list[int], data: st.DataObject
) -> None:
    image = picture(channels, *spatial)
    size = [data.draw(st.integers(1, n)) for n in spatial]
    starts = np.array(
        [
            [data.draw(st.integers(0, n - s)) for n, s in zip(spatial, size, strict=True)]
            for _ in "ab"
        ]
    )
    content = picture(2, channels, *size, seed=1)
    read, written = boxes(image, starts, size), pasted(image, starts, content)
    for i, start in enumerate(starts):
        where = (slice(None), *(slice(a, a + n) for a, n in zip(start, size, strict=True)))
        torch.testing.assert_close(read[i], image[where], rtol=0, atol=0)
        expected = image.clone()
        expected[where] = content[i]
        torch.testing.assert_close(written[i], expected, rtol=0, atol=0)


def test_outside_the_image_the_nearest_pixel_is_read() -> None:
    image = torch.arange(6.0).reshape(1, 2, 3)
    read = boxes(image, np.array([[1, 1]]), (2, 3))
    torch.testing.assert_close(read[0, 0], torch.tensor([[4.0, 5, 5], [4, 5, 5]]))


def test_pasting_leaves_the_image_alone() -> None:
    image = torch.zeros(1, 4, 4)
    pasted(image, np.array([[0, 0]]), torch.ones(1, 1, 2, 2))
    assert not image.any()
