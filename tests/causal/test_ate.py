"""Properties that every map has, and closed forms that some have."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from toys import Blind, Linear, Pixelwise, SmallNet, box, picture, quick

from pdcr_widgets.causal import OUTCOMES, PatchBank, Segmenter, ate_map, iter_ate
from pdcr_widgets.causal.baseline import gaussian_blur

SAMPLING = ["paper", "adaptive"]


def patches(spatial: tuple[int, ...], size: int) -> list[tuple[tuple[int, ...], tuple[slice, ...]]]:
    """Grid place and pixels of every patch, cropped to the image."""
    grid = tuple(-(-n // size) for n in spatial)
    found = []
    for place in np.ndindex(*grid):
        starts = [size * i for i in place]
        pixels = tuple(slice(a, min(a + size, n)) for a, n in zip(starts, spatial, strict=True))
        found.append((place, pixels))
    return found


@quick
@given(
    spatial=st.lists(st.integers(6, 13), min_size=2, max_size=3),
    channels=st.integers(1, 4),
    size=st.integers(1, 6),
    sampling=st.sampled_from(SAMPLING),
    kind=st.sampled_from(["constant", "per channel", "mean", "blur", "bank"]),
)
def test_a_linear_score_has_a_closed_form(
    spatial: list[int], channels: int, size: int, sampling: str, kind: str
) -> None:
    """Its effect is the weighted change of the patch's pixels, for every patch size."""
    image = picture(channels, *spatial, dtype=torch.float64)
    weight = picture(channels, *spatial, seed=1, dtype=torch.float64) - 0.3
    bank = picture(1, channels, *[size] * len(spatial), seed=2, dtype=torch.float64)
    broad = [channels, *[1] * len(spatial)]
    levels = torch.linspace(0.2, 0.9, channels, dtype=torch.float64)
    spec, content = {
        "constant": (0.25, torch.full_like(image, 0.25)),
        "per channel": (levels, levels.reshape(broad).expand_as(image)),
        "mean": ("mean", image.flatten(1).mean(dim=1).reshape(broad).expand_as(image)),
        "blur": ("blur", gaussian_blur(image, float(size))),
        "bank": (PatchBank(bank), None),
    }[kind]
    corner = tuple(slice(0, 1) for _ in spatial)
    found = ate_map(
        Segmenter(Linear(weight), 0, "identity"), image, box(tuple(spatial), *corner),
        patch_size=size, baseline=spec, outcome="mean_probability", sampling=sampling, threshold=0,
    )  # fmt: skip
    for place, pixels in patches(tuple(spatial), size):
        where = (slice(None), *pixels)
        if not any(place):
            assert np.isnan(found.effect[place])
            continue
        part = tuple(slice(0, s.stop - s.start) for s in pixels)
        new = bank[0][(slice(None), *part)] if content is None else content[where]
        expected = 100 * (weight[where] * (new - image[where])).sum()
        assert found.effect[place] == pytest.approx(float(expected), rel=1e-5, abs=1e-5)
        assert found.stderr[place] == 0


@pytest.mark.parametrize("sampling", SAMPLING)
def test_a_linear_score_averages_a_bank(sampling: str) -> None:
    """Its mean effect is that of the bank's mean patch; every draw of the bank makes it exact."""
    image = picture(1, 24, 24, dtype=torch.float64)
    weight = picture(1, 24, 24, seed=1, dtype=torch.float64)
    bank = picture(16, 1, 4, 4, seed=2, dtype=torch.float64)
    found = ate_map(
        Segmenter(Linear(weight), 0, "identity"), image, (8, 8, 4, 4), patch_size=4,
        baseline=PatchBank(bank), outcome="mean_probability", sampling=sampling,
        samples=16 if sampling == "adaptive" else 200, threshold=0, precision=1e-12,
    )  # fmt: skip
    errors = []
    for place, pixels in patches((24, 24), 4):
        where = (slice(None), *pixels)
        expected = float(100 * (weight[where] * (bank.mean(dim=0) - image[where])).sum())
        if np.isfinite(found.effect[place]):
            errors.append((found.effect[place] - expected, found.stderr[place]))
    error, stderr = np.array(errors).T
    if sampling == "adaptive":
        assert_allclose(error, 0, atol=1e-3)
        assert_allclose(stderr, 0, atol=1e-6)
    else:
        assert 0.8 < np.sqrt(np.mean((error / stderr) ** 2)) < 1.25


@pytest.mark.parametrize("sampling", SAMPLING)
@pytest.mark.parametrize("outcome", OUTCOMES)
def test_a_patch_replaced_by_itself_has_no_effect(sampling: str, outcome: str) -> None:
    tiled = picture(1, 4, 4).repeat(1, 6, 6)
    bank = PatchBank(tiled[None, :, :4, :4])
    found = ate_map(
        SmallNet(), tiled, (9, 9, 5, 6), patch_size=4, baseline=bank, outcome=outcome,
        sampling=sampling,
    )  # fmt: skip
    measured = np.isfinite(found.effect)
    assert_array_equal(found.effect[measured], 0)


@pytest.mark.parametrize("sampling", SAMPLING)
@pytest.mark.parametrize("baseline", [1.0, "blur", "noise", PatchBank(picture(5, 1, 4, 4, seed=3))])
def test_a_model_blind_outside_the_region_gives_a_zero_map(sampling: str, baseline: Any) -> None:
    region = box((24, 24), slice(9, 15), slice(7, 13))
    found = ate_map(
        Segmenter(Blind(region), 0, "sigmoid"), picture(1, 24, 24), region, patch_size=4,
        baseline=baseline, outcome="mean_probability", sampling=sampling, samples=5,
    )  # fmt: skip
    touching = np.zeros((6, 6), dtype=bool)
    touching[2:4, 1:4] = True
    assert_array_equal(np.isnan(found.effect), touching)
    assert_array_equal(found.effect[~touching], 0)


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("baseline", [0.0, "mean", "blur"])
def test_flipping_a_pixelwise_model_flips_its_map(axis: int, baseline: Any) -> None:
    """A Pixelwise region reads pixels of no patch outside it: let it read its mirror image too."""

    class Mirrored(Pixelwise):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return super().forward(images + images.flip(2) + images.flip(3) - 1)

    image, region = picture(1, 24, 24), box((24, 24), slice(1, 7), slice(2, 9))
    options: dict[str, Any] = {
        "patch_size": 4, "baseline": baseline, "outcome": "mean_probability", "threshold": 1e-4,
    }  # fmt: skip
    one = ate_map(Mirrored(), image, region, **options)
    other = ate_map(Mirrored(), image.flip(axis + 1), np.flip(region, axis), **options)
    assert_allclose(np.flip(other.effect, axis), one.effect, atol=1e-3)
    assert (np.nan_to_num(one.effect) != 0).any()


@pytest.mark.parametrize("sampling", SAMPLING)
@pytest.mark.parametrize("baseline", [0.3, PatchBank(picture(8, 1, 4, 4, seed=3)), "noise"])
def test_the_batch_size_never_changes_a_result(sampling: str, baseline: Any) -> None:
    maps = [
        ate_map(
            SmallNet(), picture(1, 25, 22), (8, 9, 5, 6), patch_size=4, baseline=baseline,
            sampling=sampling, samples=8, batch=batch, engine="full",
        )
        for batch in (1, 2, 3, 5, 8, 16)
    ]  # fmt: skip
    for other in maps[1:]:
        assert_allclose(other.effect, maps[0].effect, atol=1e-3)
        assert_array_equal(other.samples, maps[0].samples)
        assert other.evaluations == maps[0].evaluations


FORMS: dict[str, Any] = {
    "float16": lambda a: a.astype(np.float16).astype(np.float32).astype(np.float16),
    "float64": lambda a: a.astype(np.float64),
    "big-endian": lambda a: a.astype(">f4"),
    "reversed": lambda a: a[:, ::-1].copy()[:, ::-1],
    "fortran": np.asfortranarray,
    "tensor": torch.from_numpy,
    "with gradient": lambda a: torch.from_numpy(a).requires_grad_(),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_form_of_the_image_never_changes_a_result(form: str) -> None:
    image = picture(2, 17, 14).half().float().numpy()
    options: dict[str, Any] = {"patch_size": 4, "outcome": "soft_dice"}
    expected = ate_map(SmallNet(2), image, (4, 4, 5, 3), **options)
    found = ate_map(SmallNet(2), FORMS[form](image), (4, 4, 5, 3), **options)
    assert_allclose(found.effect, expected.effect, atol=1e-4)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("outcome", ["dice", "soft_dice", "mean_probability"])
def test_models_of_every_precision(dtype: torch.dtype, outcome: str) -> None:
    options: dict[str, Any] = {"patch_size": 4, "outcome": outcome, "baseline": "noise"}
    image = picture(1, 16, 18)
    single = ate_map(SmallNet(), image, (4, 6, 5, 5), samples=3, **options)
    found = ate_map(SmallNet().to(dtype), image, (4, 6, 5, 5), samples=3, **options)
    assert found.effect.dtype == np.float32
    loss = {torch.float16: 5, torch.bfloat16: 25, torch.float64: 1e-2}[dtype]
    assert np.nanmax(np.abs(found.effect - single.effect)) < loss


@pytest.mark.parametrize("sampling", SAMPLING)
def test_volumes(sampling: str) -> None:
    image, region = picture(1, 9, 10, 12), (3, 3, 4, 3, 3, 3)
    net = SmallNet(axes=3)
    found = ate_map(
        net, image, region, patch_size=4, baseline=0.2, sampling=sampling,
        outcome="mean_probability", threshold=0,
    )  # fmt: skip
    inside = box((9, 10, 12), slice(3, 6), slice(3, 6), slice(4, 7))
    base = predicted_mean(net, image, inside)
    assert found.effect.shape == (3, 3, 3)
    assert found.base == pytest.approx(base, abs=1e-3)
    for place, pixels in patches((9, 10, 12), 4):
        if inside[pixels].any():
            assert np.isnan(found.effect[place])
            continue
        changed = image.clone()
        changed[(slice(None), *pixels)] = 0.2
        expected = predicted_mean(net, changed, inside) - base
        assert found.effect[place] == pytest.approx(expected, abs=1e-3)


def predicted_mean(net: torch.nn.Module, image: torch.Tensor, inside: np.ndarray) -> float:
    with torch.no_grad():
        probability = torch.sigmoid(net(image[None]))[0, 0].numpy()
    return 100 * float(probability[inside].astype(float).mean())


def test_changing_the_image_meanwhile_changes_nothing() -> None:
    image = picture(1, 24, 24).numpy()
    region = box((24, 24), slice(9, 15), slice(7, 13))
    expected = ate_map(SmallNet(), image.copy(), region.copy(), patch_size=4)
    updates = iter_ate(SmallNet(), image, region, patch_size=4)
    next(updates)
    image[:] = 0
    region[:] = True
    last = list(updates)[-1].map
    assert_array_equal(last.effect, expected.effect)
    assert_array_equal(last.region, expected.region)
