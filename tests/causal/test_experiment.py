"""One question about one image: what stays fixed, and single interventions by definition."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from toys import Linear, Pixelwise, Returns, SmallNet, box, picture

from pdcr_widgets.causal import PatchBank, Segmenter, ate_map
from pdcr_widgets.causal.experiment import Experiment, Target
from pdcr_widgets.causal.full import FullEngine

IMAGE = picture(2, 19, 14)
REGION = box((19, 14), slice(8, 13), slice(4, 9))
REGION[10, 6] = False


def experiment(
    baseline: Any, model: Any = None, size: int = 3, outcome: str = "mean_probability"
) -> Experiment:
    target = Target.of(model or SmallNet(2), IMAGE, REGION, outcome=outcome)
    engine = FullEngine(target.segmenter, target.image, target.window)
    return Experiment.of(target, size, baseline, engine, seed=0)


def score(held: Experiment, image: torch.Tensor) -> float:
    probability = held.target.segmenter(image[None])[0].double().numpy()
    return 100 * float(probability[REGION].mean())


def test_effects_are_paste_predict_subtract() -> None:
    held = experiment(PatchBank(picture(4, 2, 3, 3, seed=1)))
    bank = held.baseline.bank
    assert bank is not None
    cells, choices = held.grid.cells[[0, 3, 20, 3]], np.array([0, 1, 2, 3])
    found = held.effects(cells, choices)
    for effect, cell, choice in zip(found, cells, choices, strict=True):
        image = IMAGE.clone()
        top, left = 3 * (cell // 5), 3 * (cell % 5)
        part = image[:, top : top + 3, left : left + 3]
        part[:] = bank.patches[choice][:, : part.shape[1], : part.shape[2]]
        assert effect == pytest.approx(score(held, image) - score(held, IMAGE), abs=1e-4)
    assert held.evaluations == 4


@pytest.mark.parametrize("factor", [2, 3])
def test_group_effects_replace_every_member_with_its_own_content(factor: int) -> None:
    held = experiment(PatchBank(picture(7, 2, 3, 3, seed=1)))
    bank = held.baseline.bank
    assert bank is not None
    cells, corners = held.grid.groups(factor)
    choices = np.random.default_rng(0).integers(0, 7, cells.shape)
    found, _ = held.group_effects(cells, corners, choices)
    assert held.evaluations == len(cells)
    for effect, group, choice in zip(found, cells, choices, strict=True):
        image = IMAGE.clone()
        for cell, number in zip(group[group >= 0], choice[group >= 0], strict=True):
            top, left = 3 * (cell // 5), 3 * (cell % 5)
            part = image[:, top : top + 3, left : left + 3]
            part[:] = bank.patches[number][:, : part.shape[1], : part.shape[2]]
        assert effect == pytest.approx(score(held, image) - score(held, IMAGE), abs=1e-4)


def test_group_effects_of_a_linear_score_add_up() -> None:
    weight = picture(2, 19, 14, seed=1, dtype=torch.float64)
    held = experiment(0.2, Segmenter(Linear(weight), 0, "identity"))
    cells, corners = held.grid.groups(4)
    alone = np.zeros(int(np.prod(held.grid.shape)))
    alone[held.grid.cells] = held.effects(held.grid.cells, np.zeros_like(held.grid.cells))
    together, _ = held.group_effects(cells, corners, np.zeros_like(cells))
    assert_allclose(together, np.where(cells >= 0, alone[cells], 0).sum(axis=1), rtol=1e-9)


def test_groups_say_how_near_they_bring_a_pixel_to_a_flip() -> None:
    held = experiment(0.2, outcome="dice")
    cells, corners = held.grid.groups(3)
    _, nearness = held.group_effects(cells, corners, np.zeros_like(cells))
    base = held.target.probability.numpy()
    for near, group in zip(nearness, cells, strict=True):
        image = IMAGE.clone()
        for cell in group[group >= 0]:
            top, left = 3 * (cell // 5), 3 * (cell % 5)
            image[:, top : top + 3, left : left + 3] = 0.2
        changed = held.target.segmenter(image[None])[0].numpy()
        pixels = list(zip(*np.nonzero(REGION), strict=True))
        way = [abs(changed[p] - base[p]) / abs(base[p] - 0.5) for p in pixels]
        flipped = ((changed > 0.5) != (base > 0.5))[REGION].any()
        assert near == pytest.approx(max(way), rel=1e-3, abs=1e-5)
        assert near >= 1 or not flipped


def test_without_truth_the_models_own_prediction_is_the_reference() -> None:
    target = Target.of(Pixelwise(), IMAGE, REGION)
    assert not target.has_truth
    assert target.base == 100
    assert_array_equal(target.reference, IMAGE.mean(dim=0).numpy() > 0.5)


def test_the_base_is_the_outcome_against_the_truth() -> None:
    truth = picture(19, 14, seed=4).numpy() > 0.5
    target = Target.of(Pixelwise(), IMAGE, REGION, truth)
    predicted = IMAGE.mean(dim=0).numpy() > 0.5
    both = (predicted & truth)[REGION].sum()
    expected = 200 * both / (predicted[REGION].sum() + truth[REGION].sum())
    assert target.has_truth
    assert target.base == pytest.approx(expected)


def test_the_region_is_exactly_the_pixels_given() -> None:
    target = Target.of(Pixelwise(), IMAGE, REGION, outcome="area")
    inside = (IMAGE.mean(dim=0).numpy() > 0.5)[REGION]
    assert target.base == pytest.approx(100 * inside.mean())
    assert target.window == (slice(8, 13), slice(4, 9))


def three_classes(images: torch.Tensor) -> torch.Tensor:
    dark, bright = (images.mean(dim=1) < 0.4).float(), (images.mean(dim=1) > 0.6).float()
    return 9 * torch.stack([1 - dark - bright, dark, bright], dim=1)


@pytest.mark.parametrize("target", [1, 2])
def test_labels_are_compared_with_the_target(target: int) -> None:
    labels = three_classes(IMAGE[None])[0].argmax(dim=0)
    wrapped = Segmenter(Returns(three_classes), target)
    found = ate_map(wrapped, IMAGE, REGION, labels, patch_size=3)
    masked = ate_map(wrapped, IMAGE, REGION, labels == target, patch_size=3)
    assert found.base == masked.base == 100
    assert found.recipe["truth"] is True


def test_zeros_and_ones_for_a_later_class_must_say_what_they_are() -> None:
    labels = (IMAGE.mean(dim=0) < 0.4).int()
    with pytest.raises(ValueError, match="may be a mask of class 2 or labels"):
        ate_map(Segmenter(Returns(three_classes), 2), IMAGE, REGION, labels)


def test_a_target_that_the_model_lacks() -> None:
    with pytest.raises(ValueError, match=r"class 3 does not exist.*3 channels \(0\.\.2\)"):
        ate_map(Segmenter(Returns(three_classes), 3), IMAGE, REGION)


def test_a_target_with_automatic_activation() -> None:
    found = ate_map(Segmenter(Returns(three_classes), 2), IMAGE, REGION, patch_size=3)
    assert (found.recipe["target"], found.recipe["activation"]) == (2, "softmax")


@pytest.mark.parametrize("outcome", ["dice", "iou", "area", "soft_dice", "mean_probability"])
def test_effects_are_read_off_responses(outcome: str) -> None:
    held = experiment(PatchBank(picture(6, 2, 3, 3, seed=1)), outcome=outcome)
    cells, choices = held.grid.cells[:6], np.arange(6)
    effects, responses = held.responses(cells, choices)
    assert_allclose(effects, held.effects(cells, choices))
    assert responses.shape == (6, held.width)
    assert_allclose(held.read(responses, np.arange(held.width)), effects, atol=1e-5)
    telling = held.telling(np.abs(responses).max(axis=0))
    assert_allclose(held.read(responses[:, telling], telling), effects, atol=1e-5)
    assert held.evaluations == 12


def test_a_pixel_tells_once_it_may_flip() -> None:
    held = experiment(PatchBank(picture(2, 2, 3, 3, seed=1)), outcome="dice")
    before = held.target.segmenter(IMAGE[None])[0][REGION].double()
    margins = torch.logit(before).abs().numpy()
    assert held.telling(0.49 * margins).tolist() == []
    assert held.telling(0.51 * margins).tolist() == list(range(held.width))
    one = np.zeros(held.width)
    one[3] = margins[3]
    assert held.telling(one).tolist() == [3]


def test_responses_are_changes_of_the_regions_logits() -> None:
    held = experiment(PatchBank(picture(2, 2, 3, 3, seed=1)), outcome="dice")
    cell = held.grid.cells[:1]
    _, responses = held.responses(cell, np.array([1]))
    image = IMAGE.clone()
    (top, left), patch = held.grid.starts(cell)[0], held.baseline.bank.patches[1]  # type: ignore[union-attr]
    image[:, top : top + 3, left : left + 3] = patch
    before, after = (held.target.segmenter(i[None])[0][REGION].double() for i in (IMAGE, image))
    expected = torch.logit(after) - torch.logit(before)
    assert_allclose(responses[0], expected.numpy(), atol=1e-4)
