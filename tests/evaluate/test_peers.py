"""Other methods against their definitions done by hand, and against Captum."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from toys import Linear, Pixelwise, SmallNet, box, picture, quick

from pdcr_widgets.causal import segmenter
from pdcr_widgets.evaluate import PEERS, saliency
from pdcr_widgets.evaluate.peers.misure import _dilated, _ellipse

SPATIAL = (12, 8)
REGION = box(SPATIAL, slice(3, 9), slice(2, 7))
IMAGE = picture(1, *SPATIAL)


class Coarse(nn.Module):
    """Halves the image, makes two features of every mean, and adds them up with weights."""

    def __init__(self) -> None:
        super().__init__()
        self.pool = nn.AvgPool2d(2)
        self.features = nn.Conv2d(1, 2, 1)
        self.relu = nn.ReLU(inplace=True)
        self.head = nn.Conv2d(2, 1, 1)
        self.up = nn.Upsample(scale_factor=2)
        with torch.no_grad():
            self.features.weight.copy_(torch.tensor([1.0, -2.0]).reshape(2, 1, 1, 1))
            self.features.bias.copy_(torch.tensor([-0.2, 1.1]))
            self.head.weight.copy_(torch.tensor([3.0, -1.5]).reshape(1, 2, 1, 1))
            self.head.bias.fill_(-0.6)

    def forward(self, images: Tensor) -> Tensor:
        return self.up(self.head(self.relu(self.features(self.pool(images)))))


def by_hand() -> tuple[np.ndarray, np.ndarray]:
    """Activations (2, 6, 4) of `features` and the gradient of the target's score there."""
    means = IMAGE[0].double().numpy().reshape(6, 2, 4, 2).mean(axis=(1, 3))
    before = np.stack([means - 0.2, 1.1 - 2 * means])
    scores = 3 * np.maximum(before[0], 0) - 1.5 * np.maximum(before[1], 0) - 0.6
    predicted = (scores.repeat(2, 0).repeat(2, 1) > 0) & REGION
    assert 0 < predicted.sum() < REGION.sum()
    counts = predicted.reshape(6, 2, 4, 2).sum(axis=(1, 3))
    slope = np.stack([3 * counts * (before[0] > 0), -1.5 * counts * (before[1] > 0)])
    return before, slope


def enlarged(coarse: np.ndarray) -> np.ndarray:
    """Linear interpolation between cell centres, written with `numpy.interp`."""
    for axis, extent in enumerate(SPATIAL):
        places = (np.arange(extent) + 0.5) * coarse.shape[axis] / extent - 0.5
        lines = np.moveaxis(coarse, axis, -1)
        known = np.arange(lines.shape[-1])
        coarse = np.moveaxis(np.array([np.interp(places, known, line) for line in lines]), -1, axis)
    return coarse / coarse.max() if coarse.max() > 0 else coarse


def ask(method: str, model: Any = None, region: Any = REGION, **options: Any) -> np.ndarray:
    return saliency(method, model or Coarse(), IMAGE, region, **options)


def test_cams_by_hand() -> None:
    values, slope = by_hand()
    weighted = slope.mean(axis=(1, 2), keepdims=True) * values
    grad_cam = enlarged(np.maximum(weighted.sum(axis=0), 0))
    np.testing.assert_allclose(ask("seg_grad_cam", layer="features"), grad_cam, atol=1e-5)
    hires = enlarged(np.maximum((slope * values).sum(axis=0), 0))
    np.testing.assert_allclose(ask("seg_hires_grad_cam", layer="features"), hires, atol=1e-5)
    for pool in ("mean", "max"):
        windows = slope.reshape(2, 3, 2, 2, 2)
        pooled = getattr(windows, pool)(axis=(2, 4)).repeat(2, 1).repeat(2, 2)
        expected = enlarged(np.maximum((pooled * values).sum(axis=0), 0))
        found = ask("seg_xres_cam", layer="features", window=2, pool=pool)
        np.testing.assert_allclose(found, expected, atol=1e-5)


@quick
@given(st.integers(0, 2**16))
def test_windows_lead_from_one_cam_to_the_other(seed: int) -> None:
    net = SmallNet(seed=seed)
    asked = {"model": net, "layer": "wide"}
    if not bool((segmenter(net).resolve(IMAGE)(IMAGE[None])[0].numpy() > 0.5)[REGION].any()):
        with pytest.raises(ValueError, match="predicts no target inside the region"):
            ask("seg_grad_cam", **asked)
        return
    one = ask("seg_xres_cam", window=1, **asked)
    np.testing.assert_allclose(one, ask("seg_hires_grad_cam", **asked), atol=1e-5)
    whole = ask("seg_xres_cam", window=12, **asked)
    np.testing.assert_allclose(whole, ask("seg_grad_cam", **asked), atol=1e-5)


def test_cams_and_occlusion_agree_with_captum() -> None:
    attr = pytest.importorskip("captum.attr", reason="compares with Captum")
    net = SmallNet()
    seg = segmenter(net).resolve(IMAGE)
    predicted = torch.from_numpy(REGION) & (seg(IMAGE[None])[0] > 0.5)

    def score(images: Tensor) -> Tensor:
        return net(images)[:, 0][:, predicted].sum(dim=1)

    cam = attr.LayerGradCam(score, net.wide).attribute(IMAGE[None], relu_attributions=True)
    expected = cam[0, 0].detach().numpy()
    np.testing.assert_allclose(
        ask("seg_grad_cam", net, layer="wide"), expected / expected.max(), atol=1e-5
    )
    product = attr.LayerGradientXActivation(score, net.wide).attribute(IMAGE[None])
    expected = np.maximum(product[0].detach().numpy().sum(axis=0), 0)
    np.testing.assert_allclose(
        ask("seg_hires_grad_cam", net, layer="wide"), expected / expected.max(), atol=1e-5
    )

    def outcome(images: Tensor) -> Tensor:
        return 100 * seg(images)[:, torch.from_numpy(REGION)].mean(dim=1)

    occluded = attr.Occlusion(outcome).attribute(IMAGE[None], (1, 4, 4), strides=(1, 4, 4))
    found = ask("occlusion", net, window=4, outcome="mean_probability")
    np.testing.assert_allclose(found, occluded[0, 0].numpy(), atol=1e-4)


def test_the_layer_is_the_bottleneck_unless_it_is_named() -> None:
    demo = pytest.importorskip("pdcr_widgets.demo.unet", reason="the demo's network")
    torch.manual_seed(0)
    net = demo.UNet(base=2, levels=3).eval()
    image = picture(1, 16, 16)
    with torch.no_grad():
        net.head.bias -= net(image[None]).median()
    asked = (net, image, box((16, 16), slice(4, 12), slice(4, 12)))
    by_default = saliency("seg_grad_cam", *asked)
    np.testing.assert_array_equal(by_default, saliency("seg_grad_cam", *asked, layer="encoder.2"))
    with pytest.raises(ValueError, match="names 3 layers"):
        saliency("seg_grad_cam", *asked, layer="encoder.?")
    with pytest.raises(ValueError, match="no layer that ran is called"):
        saliency("seg_grad_cam", *asked, layer="nothing")


def test_rise_finds_the_only_place_that_matters() -> None:
    weight = torch.zeros(1, *SPATIAL)
    weight[0, 0:3, 0:2] = 1 / 6
    image = torch.ones(1, *SPATIAL)
    region = box(SPATIAL, slice(6, 10), slice(4, 8))
    asked = {"outcome": "mean_probability", "masks": 400, "side": 4}
    found = saliency("rise", Linear(weight), image, region, **asked)
    top = np.unravel_index(found.argmax(), SPATIAL)
    assert top[0] < 3
    assert top[1] < 2
    flat = saliency("rise", Linear(torch.zeros(1, *SPATIAL)), image, region, **asked)
    assert not flat.any()
    one = saliency("rise", lambda x: torch.ones_like(x), image, region, **asked)
    assert one.mean() == pytest.approx(100, abs=4)  # E[M] = p, so that E[S] is the outcome


def test_rise_does_not_depend_on_batches_but_on_its_seed() -> None:
    first, again, other = (ask("rise", masks=20, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    with pytest.raises(ValueError, match="keep is a probability"):
        ask("rise", keep=1.0)


def test_misure_keeps_an_object_that_needs_nothing_else() -> None:
    bright = np.hypot(*(np.indices(SPATIAL) - np.array([6, 4]).reshape(2, 1, 1))) < 2.5
    image = torch.from_numpy(np.where(bright, 0.9, 0.2))[None].float()
    found = saliency("misure", Pixelwise(), image, REGION)
    assert (found[~bright] == 0).all()
    assert found[bright].min() > 0.5
    assert found.max() <= 1


def test_misure_reaches_for_what_the_prediction_needs() -> None:
    class Needs(nn.Module):
        """Predicts the middle of the region if a place four pixels beside it is bright."""

        def forward(self, images: Tensor) -> Tensor:
            lit = images[:, :, 6, 1].reshape(-1, 1, 1, 1)
            middle = torch.full(SPATIAL, -9.0)
            middle[5:8, 5:7] = 9.0
            return middle * (2 * lit - 1).clamp(min=0.05) - 2 * (lit < 0.6).float() * 9

    image = torch.full((1, *SPATIAL), 0.9)
    found = saliency("misure", Needs(), image, box(SPATIAL, slice(4, 9), slice(4, 8)), steps=30)
    assert found[6, 1] > 0
    assert found[5:8, 5:7].min() > 0.3
    assert found[0, 0] == 0


def test_the_dilation_is_an_ellipse_of_seven() -> None:
    rows = ["0001000", "0111110", "1111111", "1111111", "1111111", "0111110", "0001000"]
    assert _ellipse(2).astype(int).tolist() == [[int(c) for c in row] for row in rows]
    point = torch.zeros(9, 9, dtype=torch.bool)
    point[4, 4] = True
    np.testing.assert_array_equal(_dilated(point).numpy()[1:8, 1:8], _ellipse(2))


@pytest.mark.parametrize("method", PEERS)
def test_a_volume_gets_a_map_too(method: str) -> None:
    few = {"misure": {"steps": 2}, "rise": {"masks": 4}, "occlusion": {"window": 4}}
    net, image = SmallNet(axes=3), picture(1, 10, 8, 8)
    region = box((10, 8, 8), *[slice(2, 6)] * 3)
    found = saliency(method, net, image, region, **few.get(method, {}))
    assert found.shape == (10, 8, 8)
    assert np.isfinite(found).all()


@pytest.mark.parametrize("method", PEERS)
def test_the_model_is_left_as_found(method: str) -> None:
    net = Coarse().train()
    held = {name: value.clone() for name, value in net.state_dict().items()}
    before = torch.random.get_rng_state()
    few = {"misure": {"steps": 2}, "rise": {"masks": 4}}
    ask(method, net, **few.get(method, {}))
    assert all(module.training for module in net.modules())
    assert all(p.grad is None and p.requires_grad for p in net.parameters())
    assert all(not module._forward_hooks for module in net.modules())
    assert all(torch.equal(held[name], value) for name, value in net.state_dict().items())
    assert torch.equal(before, torch.random.get_rng_state())


def test_hooks_go_even_after_an_error() -> None:
    net = Coarse()
    net.head.register_forward_hook(lambda *_: 1 / 0)
    with pytest.raises(ValueError, match="the model failed"):
        ask("seg_grad_cam", net, layer="features")
    assert not net.features._forward_hooks


def test_what_cannot_be_asked_is_said() -> None:
    with pytest.raises(ValueError, match="method must be one of"):
        ask("gradcam")
    with pytest.raises(TypeError, match=r"layers can be found in a torch.nn.Module only"):
        ask("seg_grad_cam", lambda x: x)
    with pytest.raises(ValueError, match="needs a model that torch can differentiate"):
        ask("misure", lambda x: x.detach() * 2 - 1)
    with pytest.raises(ValueError, match="predicts no target inside the region"):
        ask("misure", lambda x: x * 0)
    with pytest.raises(ValueError, match="pool must be one of"):
        ask("seg_xres_cam", pool="median")
