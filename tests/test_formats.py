"""Files of every released version are read: sweeps, comparisons, banks, explorers' sessions."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent / "causal"))

from toys import Pixelwise

import pdcr_widgets as pdcr
from pdcr_widgets import saved
from pdcr_widgets.causal import bank, results, sweep
from pdcr_widgets.causal.components import layer_results
from pdcr_widgets.evaluate import comparison
from pdcr_widgets.export import document

DATA = Path(__file__).parent / "data"
FIRST = DATA / "format-1"
KINDS = {
    "map.npz": results, "map.json": document, "layers.npz": layer_results, "sweep.npz": sweep,
    "comparison.npz": comparison, "bank.npz": bank, "session.npz": saved,
}  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_there_is_a_file_of_every_version(name: str) -> None:
    for version in range(1, KINDS[name].FORMAT + 1):
        assert (DATA / f"format-{version}" / name).is_file()


def test_a_sweep_of_format_1() -> None:
    found = pdcr.load(FIRST / "sweep.npz")
    assert isinstance(found, pdcr.Sweep)
    assert (found.threshold, found.patch_size, found.spatial) == (0.5, 3, (4, 6))
    assert found.cells.tolist() == [0, 1, 3]
    assert found.offsets.tolist() == [0, 2, 2, 3]
    assert found.pixels.tolist() == [7, 8, 20]
    assert found.change.tolist() == [5, -4, 9]
    np.testing.assert_array_equal(found.probability, np.float32(np.arange(24).reshape(4, 6) / 24))


def test_a_comparison_of_format_1() -> None:
    found = pdcr.load(FIRST / "comparison.npz")
    assert isinstance(found, pdcr.Comparison)
    row = found.get("pdcr")
    assert (row.deletion, row.insertion, row.harming, row.correlation) == (42.5, 60, 70, 0.5)
    assert found.get("misure").note == "cannot be used"
    curve = found.curves["pdcr"]["deletion"]
    assert (curve.kind, curve.rank, curve.auc) == ("deletion", "supporting", 42.5)
    assert curve.order.tolist() == [3, 1]
    assert np.isnan(found.maps["pdcr"][found.region]).all()
    assert (found.base, found.outcome, found.recipe["seed"]) == (80, "dice", 3)


def test_a_bank_of_format_1() -> None:
    found = pdcr.PatchBank.load(FIRST / "bank.npz")
    assert found.patches.flatten().tolist() == list(range(8))
    assert found.nearest == 1
    assert found.positions is not None
    assert found.positions.tolist() == [[0.25, 0.5], [0.75, 0.5]]


def test_a_session_of_format_1() -> None:
    found = pdcr.ExplorerSession.load(FIRST / "session.npz")
    assert found.settings["baseline_value"] == 0.25
    assert found.layers is not None
    assert found.layers.layers == ("enc", "dec")
    with pytest.raises(ValueError, match="the model has other weights"):
        found.explorer(Pixelwise())
    explorer = found.explorer(Pixelwise(), strict=False)
    try:
        session = explorer.session
        assert session.wait(30)
        asked = (session.baseline, session.outcome, session.samples, session.spacing)
        assert asked == ("constant", "iou", 9, (1.0, 2.0))
        assert np.argwhere(session.region).tolist() == [[4, 4], [4, 5]]
        image = np.float32(np.linspace(0, 1, 80).reshape(1, 8, 10))
        np.testing.assert_array_equal(session.image, image)
        canvas = explorer.canvas
        assert (canvas.opacity, canvas.limit, canvas.tool) == (0.3, 2.5, "ellipse")
        assert [(r.name, r.color, r.visible) for r in canvas.regions] == [("one", "#00ff00", False)]
    finally:
        explorer.close()
