"""What a session asks about layers: where they are replaced, and what that does elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
import pytest
import tiny
from numpy.testing import assert_allclose

from pdcr_widgets import inside
from pdcr_widgets.causal import ATEUpdate
from pdcr_widgets.causal.components import LayerEffectUpdate, iter_layer_effects, layer_effects
from pdcr_widgets.session import Session


@pytest.fixture
def session() -> Iterator[Session]:
    """A session that computes in the test's own thread."""
    session = Session(tiny.unet_case(), threaded=False, samples=8, layer_samples=2)
    yield session
    session.close()


def test_a_change_of_the_layers_question_keeps_the_map(session: Session) -> None:
    session.run()
    ate, layers = session.ate, session.layers
    session.where = "outside"
    assert (session.generation, session.status) == (2, "done")
    assert session.ate is ate
    assert session.layers is not None
    assert session.layers is not layers
    assert session.layers.recipe["where"] is not None
    session.image = session.image.flip(0)
    assert session.where == "outside"


def test_layers_are_replaced_in_an_area_that_fits_the_image(session: Session) -> None:
    with pytest.raises(ValueError, match="where must be None, one of"):
        session.where = "everywhere"
    session.where = (1, 2, 3, 4)
    assert session.where.sum() == 12
    session.image = session.image[:, 1:]
    assert session.where is None


def test_the_rest_of_the_image_is_measured_beside_the_region(session: Session) -> None:
    session.run()
    assert session.layers is not None
    case = tiny.unet_case()
    expected = layer_effects(
        case.segmenter, case.image, case.region, case.truth, layers=("stages", "skips"),
        intervention=("mean", "zero", "noise"), samples=2, elsewhere=True,
    )  # fmt: skip
    assert_allclose(session.layers.table("elsewhere"), expected.table("elsewhere"), atol=1e-3)
    session.elsewhere = False
    assert np.isnan(session.layers.table("elsewhere")).all()


def test_the_map_does_not_wait_for_the_rest_of_the_image(session: Session, monkeypatch) -> None:
    windowed = partial(iter_layer_effects, engine="incremental")
    monkeypatch.setattr(inside, "iter_layer_effects", windowed)
    events = list(session._request().updates())
    last_of_map = max(n for n, event in enumerate(events) if isinstance(event, ATEUpdate))
    layers = [(n, e) for n, e in enumerate(events) if isinstance(e, LayerEffectUpdate)]
    rest = [n for n, e in layers if np.isfinite(e.effects.table("elsewhere")).any()]
    assert min(rest) > last_of_map
    assert np.isfinite(layers[0][1].effects.table("elsewhere")).sum() == 0
    done = [e.done for _, e in layers]
    assert done == sorted(done)
    assert done[-1] == layers[-1][1].total == layers[0][1].total
