"""A small session and its network, computed without a thread."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import tiny

from pdcr_widgets.session import Session
from pdcr_widgets.widgets.network_explorer import NetworkExplorer


@pytest.fixture
def session() -> Iterator[Session]:
    session = Session(tiny.unet_case(), threaded=False, samples=4, layer_samples=2, patch_size=16)
    session.run()
    yield session
    session.close()


@pytest.fixture
def explorer(session: Session) -> Iterator[NetworkExplorer]:
    explorer = NetworkExplorer(session)
    yield explorer
    explorer.close()
