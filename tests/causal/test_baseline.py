"""What is put in place of a patch, each kind against its definition."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from toys import picture, quick

from pdcr_widgets.causal.bank import PatchBank
from pdcr_widgets.causal.baseline import BASELINES, UNBOUNDED, as_baseline, gaussian_blur

IMAGE = picture(3, 9, 7)
STARTS = np.array([[0, 0], [3, 3], [6, 6]])
CHOICE = np.array([0, 1, 2])


def content(spec: object, image: torch.Tensor = IMAGE) -> torch.Tensor:
    return as_baseline(spec, image, (3, 3)).content(STARTS, CHOICE)


@pytest.mark.parametrize(
    ("spec", "value"),
    [
        (0.25, [0.25] * 3),
        (1, [1.0] * 3),
        (np.float32(0.5), [0.5] * 3),
        ([0.1, 0.2, 0.3], [0.1, 0.2, 0.3]),
        (torch.tensor([0.1, 0.2, 0.3]), [0.1, 0.2, 0.3]),
        ("zero", [0.0] * 3),
        ("mean", IMAGE.double().mean(dim=(1, 2)).tolist()),
    ],
)
def test_constants(spec: object, value: list[float]) -> None:
    baseline = as_baseline(spec, IMAGE, (3, 3))
    pasted = content(spec)
    assert baseline.deterministic
    assert pasted.shape == (3, 3, 3, 3)
    assert pasted.dtype == IMAGE.dtype
    assert_allclose(pasted.numpy(), np.broadcast_to(np.reshape(value, (1, 3, 1, 1)), (3, 3, 3, 3)))


def test_blur_shows_the_place_it_is_pasted_at() -> None:
    blurred = gaussian_blur(IMAGE, 3.0)
    pasted = content("blur")
    torch.testing.assert_close(pasted[1], blurred[:, 3:6, 3:6])
    assert blurred.std() < 0.3 * IMAGE.std()


@quick
@given(
    spatial=st.lists(st.integers(1, 9), min_size=2, max_size=3),
    sigma=st.floats(0.5, 12),
    seed=st.integers(0, 99),
)
def test_blur_is_a_weighted_mean_of_reflected_pixels(
    spatial: list[int], sigma: float, seed: int
) -> None:
    image = picture(2, *spatial, seed=seed, dtype=torch.float64)
    expected = image.numpy()
    for axis, extent in enumerate(spatial, start=1):
        radius = min(int(np.ceil(3 * sigma)), extent - 1)
        offsets = np.arange(-radius, radius + 1)
        weights = np.exp(-0.5 * (offsets / sigma) ** 2)
        pad = [(0, 0)] * image.ndim
        pad[axis] = (radius, radius)
        padded = np.pad(expected, pad, mode="reflect") if radius else expected
        shifted = [np.take(padded, range(k, k + extent), axis=axis) for k in range(2 * radius + 1)]
        expected = np.tensordot(weights / weights.sum(), np.stack(shifted), axes=1)
    assert_allclose(gaussian_blur(image, sigma).numpy(), expected, rtol=1e-10, atol=1e-12)


def test_blur_keeps_a_constant_and_the_dtype() -> None:
    flat = torch.full((1, 5, 4), 0.5, dtype=torch.float16)
    blurred = gaussian_blur(flat, 8.0)
    assert blurred.dtype == torch.float16
    torch.testing.assert_close(blurred, flat)


def test_noise_has_the_images_moments_and_is_keyed_by_the_choice() -> None:
    image = torch.stack([picture(40, 40), 5 + 3 * picture(40, 40, seed=1)])
    baseline = as_baseline("noise", image, (8, 8))
    assert baseline.choices == UNBOUNDED
    starts = np.zeros((300, 2), dtype=int)
    drawn = baseline.content(starts, np.arange(300))
    assert drawn.shape == (300, 2, 8, 8)
    for channel in range(2):
        held = image[channel]
        assert drawn[:, channel].mean() == pytest.approx(float(held.mean()), abs=0.05)
        assert drawn[:, channel].std() == pytest.approx(float(held.std()), rel=0.05)
    again = baseline.content(starts[:1] + 8, np.array([7]))
    torch.testing.assert_close(again[0], drawn[7], rtol=0, atol=0)


def test_a_bank_gives_its_patches() -> None:
    bank = PatchBank(picture(5, 3, 3, 3))
    baseline = as_baseline(bank, IMAGE, (3, 3))
    assert baseline.choices == 5
    pasted = baseline.content(STARTS, np.array([4, 0, 4]))
    torch.testing.assert_close(pasted, bank.patches[[4, 0, 4]], rtol=0, atol=0)


def test_a_bank_takes_the_images_type() -> None:
    bank = PatchBank(picture(2, 3, 3, 3, dtype=torch.float64))
    assert as_baseline(bank, IMAGE.half(), (3, 3)).content(STARTS, CHOICE * 0).dtype == torch.half


def test_recipes_tell_values_and_banks_apart() -> None:
    one, other = (as_baseline(v, IMAGE, (3, 3)).details for v in (0.25, 0.5))
    assert one == {"baseline_value": [0.25]}
    assert one != other
    banks = [PatchBank(picture(2, 3, 3, 3, seed=s)) for s in (0, 1)]
    first, second = (as_baseline(b, IMAGE, (3, 3)).details for b in banks)
    assert first == {"bank": banks[0].digest(), "nearest": None}
    assert first != second


def test_every_kind_is_in_the_menu() -> None:
    assert list(BASELINES) == ["constant", "zero", "mean", "blur", "noise", "bank"]


@pytest.mark.parametrize(
    ("spec", "error", "text"),
    [
        ("gray", ValueError, r"one of .'zero', 'mean', 'blur', 'noise'., got 'gray'"),
        ("bank", ValueError, "a PatchBank or one of"),
        (None, TypeError, "baseline must be real numbers"),
        (["a"], TypeError, "real numbers"),
        ([0.1, 0.2], ValueError, r"one value or one per channel \(3\), got 2"),
        (np.nan, ValueError, r"must be finite.*\[?nan"),
        (torch.zeros(4, 3, 3, 3), TypeError, r"PatchBank\(patches\)"),
        (
            PatchBank(picture(2, 3, 4, 4)),
            ValueError,
            r"\(3, 4, 4\).*needs \(3, 3, 3\).*from_images",
        ),
        (PatchBank(picture(2, 1, 3, 3)), ValueError, r"\(1, 3, 3\).*needs \(3, 3, 3\)"),
    ],
)
def test_a_bad_baseline_is_refused(spec: object, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        as_baseline(spec, IMAGE, (3, 3))


def test_a_value_that_half_precision_cannot_hold() -> None:
    with pytest.raises(ValueError, match=r"finite in the model's units, got 1000000\.0"):
        as_baseline(1e6, IMAGE.half(), (3, 3))
