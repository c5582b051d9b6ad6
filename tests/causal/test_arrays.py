"""What users hand in, in every form they have it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from toys import box

from pdcr_widgets.causal.arrays import as_image, as_region, as_truth, as_whole, bounding_box

VALUES = np.random.default_rng(0).random((3, 6, 5)).astype(np.float32)

FORMS = {
    "list": VALUES.tolist(),
    "float16": VALUES.astype(np.float16),
    "float64": VALUES.astype(np.float64),
    "extended": VALUES.astype(np.longdouble),
    "big-endian": VALUES.astype(">f4"),
    "transposed": np.ascontiguousarray(VALUES.transpose(2, 1, 0)).transpose(2, 1, 0),
    "fortran": np.asfortranarray(VALUES),
    "strided": np.repeat(VALUES, 2, axis=2)[:, :, ::2],
    "reversed": VALUES[:, ::-1].copy()[:, ::-1],
    "read-only": np.broadcast_to(VALUES, VALUES.shape),
    "tensor": torch.from_numpy(VALUES.copy()),
    "tensor view": torch.from_numpy(VALUES.transpose(1, 2, 0).copy()).permute(2, 0, 1),
    "with gradient": torch.from_numpy(VALUES.copy()).requires_grad_(),
    "parameter": torch.nn.Parameter(torch.from_numpy(VALUES.copy())),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_an_image_is_the_same_image(form: str) -> None:
    image = as_image(FORMS[form])
    assert type(image) is torch.Tensor
    assert image.is_contiguous()
    assert not image.requires_grad
    tolerance = 1e-3 if form == "float16" else 1e-7
    torch.testing.assert_close(
        image.double(), torch.from_numpy(VALUES).double(), rtol=0, atol=tolerance
    )


def test_one_channel_needs_no_axis() -> None:
    assert as_image(VALUES[0]).shape == (1, 6, 5)


def test_a_volume_keeps_its_axes() -> None:
    assert as_image(np.zeros((2, 3, 4, 5), dtype=np.float32)).shape == (2, 3, 4, 5)


def test_reversed_axis_of_length_one() -> None:
    assert as_image(np.ones((1, 4, 4), dtype=np.float32)[::-1]).shape == (1, 4, 4)


@pytest.mark.parametrize(
    ("image", "error", "text"),
    [
        (np.zeros((4, 4), dtype=np.uint8), TypeError, "dtype uint8.*astype"),
        (np.zeros((4, 4), dtype=np.uint16), TypeError, "astype"),
        (np.zeros((4, 4), dtype=bool), TypeError, "dtype bool"),
        (torch.zeros(4, 4, dtype=torch.int64), TypeError, "dtype int64"),
        (np.zeros((4, 4), dtype=complex), TypeError, "real numbers.*complex128"),
        ([["a", "b"]], TypeError, "real numbers"),
        (None, TypeError, "real numbers"),
        (np.zeros(4, dtype=np.float32), ValueError, r"channels, height, width.*\(4,\)"),
        (np.zeros((1, 1, 4, 4, 4), dtype=np.float32), ValueError, r"got shape \(1, 1, 4, 4, 4\)"),
        (np.zeros((0, 4, 4), dtype=np.float32), ValueError, "empty axis"),
        (np.array([[0.0, np.nan], [1, 1]]), ValueError, "1 NaN or infinite.*nan_to_num"),
        (np.array([[np.inf, -np.inf], [1, 1]]), ValueError, "2 NaN or infinite"),
    ],
)
def test_a_bad_image_is_refused(image: object, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        as_image(image)


@pytest.mark.parametrize(
    "region",
    [
        (1, 2, 3, 2),
        [1, 2, 3, 2],
        np.array([1.0, 2.0, 3.0, 2.0]),
        torch.tensor([1, 2, 3, 2]),
        box((6, 5), slice(1, 4), slice(2, 4)),
        box((6, 5), slice(1, 4), slice(2, 4)).astype(np.uint8),
        box((6, 5), slice(1, 4), slice(2, 4)).astype(np.float32),
        torch.from_numpy(box((6, 5), slice(1, 4), slice(2, 4))),
    ],
)
def test_every_form_of_a_region(region: object) -> None:
    mask = as_region(region, (6, 5))
    assert mask.dtype == bool
    assert_array_equal(mask, box((6, 5), slice(1, 4), slice(2, 4)))


def test_a_box_in_a_volume() -> None:
    mask = as_region((0, 1, 2, 1, 2, 3), (4, 4, 6))
    assert_array_equal(mask, box((4, 4, 6), slice(0, 1), slice(1, 3), slice(2, 5)))


def test_a_region_is_a_copy() -> None:
    given = box((6, 5), slice(1, 4), slice(2, 4))
    held = as_region(given, (6, 5))
    given[:] = True
    assert held.sum() == 6


@pytest.mark.parametrize(
    ("region", "text"),
    [
        (np.zeros((6, 5), dtype=bool), "region is empty"),
        (np.ones((6, 5), dtype=bool), "covers the whole 6 x 5 image.*smaller"),
        (np.ones((5, 6), dtype=bool), r"shape \(5, 6\), the image is \(6, 5\)"),
        (np.full((6, 5), 2), "must be boolean, got int64 values between 2 and 2"),
        ((1, 2, 3), r"box \(top, left, height, width\)"),
        ((0, 0, 7, 2), "leaves the 6 x 5 image"),
        ((-1, 0, 2, 2), "leaves"),
        ((0, 0, 0, 2), "is empty"),
        ((0.5, 0, 2, 2), "whole pixels"),
        ((np.nan, 0, 2, 2), "whole pixels"),
    ],
)
def test_a_bad_region_is_refused(region: object, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        as_region(region, (6, 5))


def test_a_box_of_the_wrong_form_in_a_volume() -> None:
    with pytest.raises(ValueError, match=r"\(z, y, x, depth, height, width\)"):
        as_region((0, 0, 2, 2), (4, 4, 6))


MASK = box((6, 5), slice(1, 4), slice(2, 4))
LABELS = MASK * 2 + box((6, 5), slice(0, 1), slice(0, 5))


@pytest.mark.parametrize(
    ("truth", "target", "classes"),
    [
        (MASK, 0, 1),
        (MASK[None], 3, 5),
        (MASK.astype(np.uint8), 0, 1),
        (MASK.astype(np.float64), 1, 2),
        (torch.from_numpy(MASK), None, None),
        (LABELS, 2, 3),
        (LABELS.astype(np.float32), 2, None),
        (LABELS.astype(np.uint16), 2, 4),
    ],
)
def test_masks_and_labels(truth: object, target: int | None, classes: int | None) -> None:
    held = as_truth(truth, (6, 5), target, classes)
    assert held is not None
    assert held.dtype == bool
    assert_array_equal(held, MASK)


def test_no_truth() -> None:
    assert as_truth(None, (6, 5)) is None


def test_a_truth_is_a_copy() -> None:
    given = MASK.copy()
    held = as_truth(given, (6, 5))
    given[:] = True
    assert_array_equal(held, MASK)


def test_labels_without_the_target_class_are_an_empty_mask() -> None:
    held = as_truth(np.zeros((6, 5), dtype=int), (6, 5), 2, 3)
    assert_array_equal(held, np.zeros((6, 5), dtype=bool))


@pytest.mark.parametrize(
    ("truth", "target", "classes", "text"),
    [
        (MASK.T, 1, 2, r"shape \(5, 6\), the image is \(6, 5\)"),
        (MASK * 255, 0, 1, "between 0 and 255.*truth > 0"),
        (MASK * 255, 1, 2, r"labels 0\.\.1, got int64 values between 0 and 255"),
        (LABELS - 1, 2, 3, "between -1 and 1"),
        (LABELS, None, None, "boolean mask or class labels"),
        (LABELS * 0.25, 2, 3, "float64 values between 0.0 and 0.5"),
        (np.where(MASK, np.nan, 0), 1, 2, "nan"),
        (MASK.astype(int), 2, 3, "may be a mask of class 2 or labels.*truth == 2"),
        (MASK.astype(int), 0, 2, "may be a mask of class 0 or labels"),
    ],
)
def test_a_bad_truth_is_refused(
    truth: object, target: int | None, classes: int | None, text: str
) -> None:
    with pytest.raises(ValueError, match=text):
        as_truth(truth, (6, 5), target, classes)


@pytest.mark.parametrize("value", [3, 3.0, np.int32(3), np.float64(3)])
def test_whole_numbers(value: object) -> None:
    held = as_whole(value, "samples", 1)
    assert type(held) is int
    assert held == 3


@pytest.mark.parametrize("value", [True, np.True_, 2.5, "3", None, float("nan"), float("inf")])
def test_not_a_whole_number(value: object) -> None:
    with pytest.raises(TypeError, match="samples must be a whole number of at least 1"):
        as_whole(value, "samples", 1)


def test_too_small_a_number() -> None:
    with pytest.raises(ValueError, match="samples must be at least 1, got 0"):
        as_whole(0, "samples", 1)


def test_bounding_box() -> None:
    assert bounding_box(MASK) == (slice(1, 4), slice(2, 4))
