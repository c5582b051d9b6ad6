"""One image and region for the closed-form tests."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor


@pytest.fixture
def image() -> Tensor:
    """One channel, 16 x 12, values in 0..1 that differ everywhere."""
    return torch.rand(1, 16, 12, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def region() -> np.ndarray:
    """An L-shaped region, so that it differs from its bounding box."""
    mask = np.zeros((16, 12), dtype=bool)
    mask[4:9, 3:5] = True
    mask[7:9, 3:9] = True
    return mask


@pytest.fixture
def donors() -> Tensor:
    """Three other images of the same shape."""
    return torch.rand(3, 1, 16, 12, generator=torch.Generator().manual_seed(2))


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Tiny networks gain nothing from threads and wait long for them on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
