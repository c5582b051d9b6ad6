"""The cell that computes what a session shows: it runs, and gives the same numbers."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent / "causal"))

from toys import SmallNet, box, picture

import pdcr_widgets as pdcr
from pdcr_widgets.demo.case import Case

SPATIAL = (32, 28)
REGION = box(SPATIAL, slice(8, 16), slice(8, 16))
ROUND = np.hypot(*(np.indices(SPATIAL) - 14)) < 6
IMAGE = picture(1, *SPATIAL)
TRUTH = picture(*SPATIAL, seed=4).numpy() > 0.5
BANK = pdcr.PatchBank(picture(9, 1, 4, 4, seed=2))
DONORS = picture(3, 1, *SPATIAL, seed=6)


def made(model: Any = None, **inputs: Any) -> pdcr.Session:
    settings = {"region": REGION, "patch_size": 4, "baseline": "mean", "layer_samples": 2, **inputs}
    session = pdcr.Session(model or SmallNet(), IMAGE, threaded=False, **settings)
    session.run()
    return session


def ran(text: str, **names: Any) -> dict[str, Any]:
    exec(compile(text, "cell", "exec"), names)
    return names


def assert_same(found: dict[str, Any], session: pdcr.Session) -> None:
    np.testing.assert_array_equal(found["ate"].effect, session.ate.effect)
    np.testing.assert_array_equal(found["ate"].stderr, session.ate.stderr)
    assert found["ate"].base == session.ate.base
    if session.with_layers:
        assert repr(found["effects"].rows) == repr(session.layers.rows)


@pytest.mark.parametrize(
    "inputs",
    [
        {},
        {"region": ROUND, "truth": TRUTH, "baseline": "noise", "samples": 5, "seed": 3},
        {"baseline": "constant", "baseline_value": 0.25, "outcome": "soft_dice"},
        {"baseline": "bank", "bank": BANK, "samples": 4, "sampling": "paper", "engine": "full"},
        {"donors": DONORS, "intervention": "donor", "components": ["first", "wide[0:2]"]},
        {"with_layers": False, "target": 0},
    ],
    ids=lambda inputs: "-".join(inputs) or "plain",
)
def test_the_cell_computes_what_the_session_shows(inputs: dict[str, Any]) -> None:
    session = made(**inputs)
    text = pdcr.to_python(session)
    assert max(map(len, text.splitlines())) <= 120
    known = {"truth": TRUTH, "bank": BANK, "donors": DONORS}
    needed = [name for name in known if inputs.get(name) is not None]
    assert f"# needs what this was made with: {', '.join(['model', 'image', *needed])}\n" in text
    given = {name: known[name] for name in needed}
    found = ran(text, model=SmallNet(), image=IMAGE, **given)
    assert_same(found, session)
    np.testing.assert_array_equal(found["ate"].region, session.region)
    assert ("effects" in found) == session.with_layers


def test_a_target_chosen_later_and_an_activation_of_ones_own() -> None:
    session = made(SmallNet(classes=3))
    session.target = 2
    assert session.status == "done"
    assert_same(ran(pdcr.to_python(session), model=SmallNet(classes=3), image=IMAGE), session)
    reading = pdcr.segmenter(SmallNet(), 0, torch.sigmoid)
    session = made(reading)
    assert_same(ran(pdcr.to_python(session), model=reading, image=IMAGE), session)


def test_a_demo_case_is_loaded_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def load() -> Case:
        return Case(
            name="toy", title="", description="", segmenter=pdcr.segmenter(SmallNet()),
            image=IMAGE, truth=TRUTH, region=REGION, bank=BANK, bank_images=DONORS + 0.2,
            spacing=None, orientation="", card={},
        )  # fmt: skip

    monkeypatch.setitem(pdcr.demo.CASES, "toy", load)
    session = pdcr.Session(load(), threaded=False, patch_size=8, samples=4, layer_samples=2)
    session.run()
    text = pdcr.to_python(session)
    assert "case = pdcr.demo.load('toy')" in text
    assert "baseline=case.make_bank(8)" in text
    assert "# needs" not in text
    assert_same(ran(text), session)
    session.image = IMAGE + 0.1
    assert "# needs what this was made with: model, image" in pdcr.to_python(session)


def test_an_explorer_is_taken_and_others_are_not() -> None:
    session = made()
    explorer = pdcr.Explorer(session)
    try:
        session.wait()
        assert pdcr.to_python(explorer) == pdcr.to_python(session)
    finally:
        explorer.close()
    with pytest.raises(TypeError, match="give a Session or an Explorer, got int"):
        pdcr.to_python(3)
    session.region = None
    with pytest.raises(ValueError, match="has no region to ask about"):
        pdcr.to_python(session)
