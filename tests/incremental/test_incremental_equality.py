"""The engine against plain forward passes, in float64."""

from __future__ import annotations

from copy import deepcopy
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import windowed_nets as nets
import windowed_zoo as zoo
from torch import nn
from torch.testing import assert_close

from pdcr_widgets.causal.boxes import pasted
from pdcr_widgets.causal.incremental import incremental_engine
from pdcr_widgets.causal.incremental.builder import build
from pdcr_widgets.causal.incremental.capture import record
from pdcr_widgets.causal.incremental.flat import flattened
from pdcr_widgets.causal.incremental.operators import is_pointwise
from pdcr_widgets.causal.incremental.pointwise import positionwise
from pdcr_widgets.causal.incremental.rules import RULES
from pdcr_widgets.causal.segmenter import segmenter

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]


def check(net, shape, window, size, count=24):
    for device in DEVICES:
        check_on(device, deepcopy(net).to(device), shape, window, size, count)


def check_on(device, net, shape, window, size, count):
    wrapped = segmenter(net, target=0, activation="identity")
    image = nets.picture(shape).to(device)
    engine = incremental_engine(wrapped, image, window, must_be_faster=False)
    starts = random_starts(shape[1:], size, count)
    content = nets.picture((count, shape[0], *size)).to(device) * 3
    expected = wrapped(pasted(image, starts, content))[(slice(None), *window)]
    original = wrapped(image[None])[(slice(None), *window)]
    assert_close(engine.probabilities(starts, content), expected, atol=1e-10, rtol=0)
    assert (expected != original).any(), "no intervention changed anything: nothing was tested"
    unreached = ~engine.reaches(starts, size)
    assert_close(expected[unreached], original.expand_as(expected)[unreached], atol=1e-13, rtol=0)


def random_starts(spatial, size, count):
    rng = np.random.default_rng(3)
    last = np.array(spatial) - np.array(size)
    starts = rng.integers(0, last + 1, (count, len(spatial)))
    starts[0], starts[1] = 0, last
    return starts


@pytest.mark.filterwarnings("ignore:Using padding:UserWarning")
@pytest.mark.parametrize("name", zoo.ZOO)
def test_every_kind_of_node_agrees_with_the_full_forward_pass(name):
    shape = zoo.SHAPES.get(name, (1, 33, 27))
    window = (slice(9, 17), slice(11, 18))
    check(zoo.model(name), shape, window, (5, 4))


@pytest.mark.filterwarnings("ignore:Using padding:UserWarning")
@pytest.mark.parametrize("name", zoo.ZOO)
def test_every_kind_of_node_behind_a_global_one(name):
    """Every patch changes the whole map that the nodes read; the window is still all they give."""
    shape = zoo.SHAPES.get(name, (1, 33, 27))
    net = nn.Sequential(nn.InstanceNorm2d(1, affine=True).double(), zoo.model(name)).eval()
    check(net, shape, (slice(9, 17), slice(11, 18)), (5, 4), count=6)
    check(net, shape, (slice(4, 6), slice(shape[2] - 6, shape[2])), (5, 4), count=3)


@pytest.mark.filterwarnings("ignore:Using padding:UserWarning")
@pytest.mark.parametrize("name", zoo.ZOO)
def test_only_operations_that_mix_positions_are_computed_whole(name):
    images = nets.picture((1, *zoo.SHAPES.get(name, (1, 33, 27))))
    with torch.no_grad():
        recording = record(zoo.model(name), images, lambda output: output)
    graph = build(recording, RULES, positionwise, flattened)
    kinds = [type(graph[i].kind).__name__ for i in graph.live()]
    assert ("Whole" in kinds) == (name in zoo.WHOLE)


@pytest.mark.parametrize("name", ["conv", "strides", "concatenate", "U-Net, bilinear, corners"])
def test_the_whole_image_may_be_the_window(name):
    shape = zoo.SHAPES.get(name, (1, 33, 27))
    check(zoo.model(name), shape, tuple(slice(0, n) for n in shape[1:]), (6, 6), count=6)


@pytest.mark.parametrize("corner", [0, -1])
def test_a_region_of_one_pixel_in_a_corner(corner):
    net = zoo.model("U-Net, residual, nearest")
    window = (slice(0, 1), slice(0, 1)) if corner == 0 else (slice(95, 96), slice(63, 64))
    check(net, (1, 96, 64), window, (8, 8))


def test_three_dimensions():
    torch.manual_seed(0)
    net = nets.settled(nets.UNet3d())
    check(net, (1, 12, 16, 14), (slice(4, 7), slice(3, 9), slice(5, 8)), (3, 2, 4))


def test_one_dimension():
    torch.manual_seed(0)
    net = nets.settled(
        nn.Sequential(
            nn.Conv1d(2, 4, 5, 2, 2), nn.BatchNorm1d(4), nn.ReLU(), nn.ConvTranspose1d(4, 1, 2, 2)
        )
    )
    check(net, (2, 40), (slice(11, 19),), (4,))


def test_trilinear_upsampling_and_average_pooling():
    torch.manual_seed(0)
    net = nets.settled(
        nn.Sequential(
            nn.Conv3d(1, 3, 3, padding=1),
            nn.AvgPool3d(2),
            nn.SiLU(),
            nn.Upsample(scale_factor=2, mode="trilinear"),
            nn.Conv3d(3, 1, 1),
        )
    )
    check(net, (1, 8, 12, 10), (slice(2, 4), slice(3, 9), slice(5, 8)), (3, 2, 4))


def test_boxes_of_several_sizes_share_an_engine():
    net = zoo.model("U-Net, bilinear")
    wrapped = segmenter(net, target=1, activation="softmax")
    image = nets.picture((1, 32, 32))
    window = (slice(4, 12), slice(20, 28))
    engine = incremental_engine(wrapped, image, window, must_be_faster=False)
    for size in ((1, 1), (16, 16), (32, 32), (8, 3)):
        starts = random_starts((32, 32), size, 5)
        content = nets.picture((5, 1, *size))
        expected = wrapped(pasted(image, starts, content))[(slice(None), *window)]
        assert_close(engine.probabilities(starts, content), expected, atol=1e-12, rtol=0)


@pytest.mark.parametrize("count", [1, 2, 7, 100])
def test_the_number_of_interventions_changes_no_result(count):
    net = zoo.model("residual")
    wrapped = segmenter(net, target=0, activation="sigmoid")
    image = nets.picture((1, 24, 24))
    window = (slice(4, 12), slice(10, 18))
    engine = incremental_engine(wrapped, image, window, must_be_faster=False)
    starts = random_starts((24, 24), (3, 3), 100)
    content = nets.picture((100, 1, 3, 3))
    together = engine.probabilities(starts, content)
    parts = [
        engine.probabilities(starts[i : i + count], content[i : i + count])
        for i in range(0, 100, count)
    ]
    assert_close(torch.cat(parts), together, atol=1e-13, rtol=0)


def test_an_older_torch_that_tags_fewer_operators_changes_nothing():
    """Without any tag, activations are still computed on windows."""
    aten = torch.ops.aten
    untagged = [SimpleNamespace(tags=[], _schema=op._schema) for op in (
        aten.leaky_relu.default, aten.gelu.default, aten.clamp.default, aten.where.self,
    )]  # fmt: skip
    assert all(map(is_pointwise, untagged))
    mixing = (aten.convolution.default, aten.cumsum.default, aten.native_group_norm.default)
    assert not any(map(is_pointwise, mixing))
