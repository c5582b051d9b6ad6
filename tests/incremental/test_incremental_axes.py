"""Interval arithmetic against perturbing one input at a time."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from pdcr_widgets.causal.incremental.axes import Dependence, compose, hull, look_through, meet
from pdcr_widgets.causal.incremental.kinds import Resample, Stencil, Transposed

EXTENT = 11
windows = st.tuples(st.integers(0, EXTENT - 1), st.integers(0, EXTENT - 1)).map(sorted)


def influence(operation) -> np.ndarray:
    """(outputs, inputs): whether an input can change an output."""
    inputs = torch.eye(EXTENT, dtype=torch.float64)[:, None]
    return (operation(inputs) != operation(torch.zeros_like(inputs)))[:, 0].T.numpy()


def check(dependence: Dependence, touched: np.ndarray, window) -> None:
    """Hulls hold exactly what brute force finds, and holes inside it."""
    first, last = (np.array([end]) for end in window)
    outputs = np.flatnonzero(touched[:, window[0] : window[1] + 1].any(1))
    start, stop = dependence.forward(first, last)
    assert stop[0] >= start[0] or not len(outputs)
    if len(outputs):
        assert start[0] <= outputs[0]
        assert outputs[-1] <= stop[0]
    if window[1] < len(touched):
        inputs = np.flatnonzero(touched[window[0] : window[1] + 1].any(0))
        start, stop = dependence.backward(first, last)
        if len(inputs):
            assert start[0] <= inputs[0]
            assert inputs[-1] <= stop[0]


def exact(dependence: Dependence, touched: np.ndarray) -> bool:
    """Whether a single input's forward hull is what brute force finds."""
    every = np.arange(EXTENT)
    start, stop = dependence.forward(every, every)
    found = [np.flatnonzero(column) for column in touched.T]
    return all(
        (b < a) if not len(f) else (a == f[0] and b == f[-1])
        for a, b, f in zip(start, stop, found, strict=True)
    )


@settings(deadline=None, max_examples=60)
@given(
    kernel=st.integers(1, 5), stride=st.integers(1, 3), padding=st.integers(0, 4), window=windows
)
def test_convolution(kernel, stride, padding, window):
    conv = nn.Conv1d(1, 1, kernel, stride, padding, bias=False).double()
    nn.init.ones_(conv.weight)
    touched = influence(conv)
    kind = Stencil(conv, (len(touched),), (kernel,), (stride,), (padding,), (1,))
    dependence = compose(*kind.spans(0), None, EXTENT)
    check(dependence, touched, window)
    assert exact(dependence, touched)


@settings(deadline=None, max_examples=60)
@given(dilation=st.integers(1, 4), padding=st.integers(0, 4), window=windows)
def test_dilated_convolution(dilation, padding, window):
    conv = nn.Conv1d(1, 1, 3, 1, padding + dilation, dilation, bias=False).double()
    nn.init.ones_(conv.weight)
    touched = influence(conv)
    kind = Stencil(conv, (len(touched),), (3,), (1,), (padding + dilation,), (dilation,))
    check(compose(*kind.spans(0), None, EXTENT), touched, window)


@settings(deadline=None, max_examples=60)
@given(
    kernel=st.integers(1, 5),
    stride=st.integers(1, 3),
    padding=st.integers(0, 2),
    dilation=st.integers(1, 2),
    window=windows,
)
def test_transposed_convolution(kernel, stride, padding, dilation, window):
    padding = min(padding, dilation * (kernel - 1))
    conv = nn.ConvTranspose1d(
        1, 1, kernel, stride, padding, stride - 1, dilation=dilation, bias=False
    ).double() if stride > 1 else nn.ConvTranspose1d(
        1, 1, kernel, 1, padding, dilation=dilation, bias=False
    ).double()  # fmt: skip
    nn.init.ones_(conv.weight)
    touched = influence(conv)
    kind = Transposed(conv, (len(touched),), (kernel,), (stride,), (padding,), (dilation,))
    check(compose(*kind.spans(0), None, EXTENT), touched, window)


@settings(deadline=None, max_examples=60)
@given(size=st.integers(1, 30), align=st.booleans(), window=windows)
def test_linear_interpolation(size, align, window):
    def resize(x):
        return F.interpolate(x, size=size, mode="linear", align_corners=align)

    matrix = resize(torch.eye(EXTENT, dtype=torch.float64)[None])[0].T
    dependence = compose(*Resample.of((matrix,)).spans(0), None, EXTENT)
    check(dependence, influence(resize), window)


@settings(deadline=None, max_examples=60)
@given(
    before=st.integers(0, 4),
    after=st.integers(0, 4),
    mode=st.sampled_from(["reflect", "circular", "replicate", "constant"]),
    window=windows,
)
def test_padding_then_convolution(before, after, mode, window):
    def padded(x):
        return F.conv1d(F.pad(x, (before, after), mode=mode), torch.ones(1, 1, 3).double())

    numpy_mode = {"circular": "wrap", "replicate": "edge"}.get(mode, mode)
    fill = {"constant_values": -1} if mode == "constant" else {}
    view = np.pad(np.arange(EXTENT), (before, after), mode=numpy_mode, **fill)
    touched = influence(padded)
    outputs = np.arange(len(touched))
    check(compose(outputs, outputs + 2, view, EXTENT), touched, window)


@settings(deadline=None, max_examples=60)
@given(a=windows, b=windows)
def test_hull_and_meet_are_those_of_sets(a, b):
    interval_a, interval_b = (tuple(np.array([end]) for end in ends) for ends in (a, b))
    both = set(range(a[0], a[1] + 1)) & set(range(b[0], b[1] + 1))
    start, stop = meet(interval_a, interval_b)
    assert set(range(start[0], stop[0] + 1)) == both
    start, stop = hull(interval_a, interval_b)
    assert (start[0], stop[0]) == (min(a[0], b[0]), max(a[1], b[1]))


def test_an_empty_interval_adds_nothing_and_meets_nothing():
    empty, some = (np.array([0]), np.array([-1])), (np.array([3]), np.array([5]))
    assert [int(end[0]) for end in hull(empty, some)] == [3, 5]
    assert [int(end[0]) for end in meet(some, empty)] == [0, -1]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(-1, 6), min_size=1, max_size=9), st.permutations(range(7)))
def test_a_view_of_a_view(outer, inner):
    outer, inner = np.array(outer), np.array(inner)
    expected = [inner[i] if i >= 0 else -1 for i in outer]
    assert look_through(outer, inner).tolist() == expected
