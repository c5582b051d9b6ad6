"""Order of the suite and what every test may use."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest
import torch
from hypothesis import settings
from torchvision_here import import_torchvision

# Small tensors gain nothing from more threads, and lose much when browsers and kernels need them.
torch.set_num_threads(1)
# Every run tries the same cases; others are tried with --hypothesis-profile=default.
settings.register_profile("same", derandomize=True)
settings.load_profile("same")
ROOT = Path(__file__).resolve().parent.parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run browser tests last: Playwright keeps an event loop running in the main thread."""
    browser = ROOT / "tests" / "browser"
    for item in items:
        if item.path.is_relative_to(browser):
            item.add_marker(pytest.mark.browser)
    items.sort(key=lambda item: item.path.is_relative_to(browser))


@pytest.fixture(scope="session")
def repository() -> Path:
    """Folder that holds pyproject.toml."""
    return ROOT


@pytest.fixture(scope="session")
def torchvision() -> ModuleType:
    """Import torchvision, also beside a torch without CUDA."""
    return import_torchvision()
