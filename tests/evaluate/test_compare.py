"""Several methods on one question: what is told, shown, kept, and left as found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from toys import SmallNet, Spy, box, picture

import pdcr_widgets as pdcr
from pdcr_widgets.evaluate import METHODS, iter_compare

mpl.use("Agg")
SPATIAL = (20, 16)
REGION = box(SPATIAL, slice(8, 12), slice(4, 8))
IMAGE = picture(1, *SPATIAL)
FEW: dict[str, Any] = {"rise": {"masks": 8}, "misure": {"steps": 3}}
ASKED: dict[str, Any] = {
    "patch_size": 4, "steps": 4, "draws": 6, "options": FEW, "outcome": "soft_dice",
}  # fmt: skip


@pytest.fixture(scope="module")
def compared() -> pdcr.Comparison:
    return pdcr.compare(SmallNet(), IMAGE, REGION, **ASKED)


def test_every_method_is_judged_by_the_same_games(compared: pdcr.Comparison) -> None:
    assert compared.methods == tuple(METHODS)
    ends = {tuple(c["deletion"].outcomes[[0, -1]]) for c in compared.curves.values()}
    assert len(ends) == 1
    for row in compared.rows:
        assert row.note == ""
        assert row.deletion == compared.curves[row.method]["deletion"].auc
        assert np.isnan(row.harming) == (row.method not in ("pdcr", "occlusion"))
    frame = compared.to_dataframe()
    assert frame.method.tolist() == list(METHODS)
    assert frame.deletion.tolist() == [row.deletion for row in compared.rows]


def test_our_map_is_the_same_as_alone(compared: pdcr.Comparison) -> None:
    ate = pdcr.ate_map(
        SmallNet(), IMAGE, REGION, patch_size=4, baseline="mean", outcome="soft_dice",
        engine=compared.recipe["engine"],
    )  # fmt: skip
    np.testing.assert_array_equal(compared.maps["pdcr"], -ate.to_image())
    alone = pdcr.deletion_curve(SmallNet(), IMAGE, REGION, ate, steps=4, outcome="soft_dice")
    assert compared.get("pdcr").deletion == pytest.approx(alone.auc)
    reused = pdcr.compare(SmallNet(), IMAGE, REGION, ate=ate, methods=["pdcr"], **ASKED)
    assert reused.get("pdcr") == compared.get("pdcr")
    other = pdcr.ate_map(SmallNet(), IMAGE, (0, 0, 4, 4), patch_size=4)
    with pytest.raises(ValueError, match="made for another region"):
        pdcr.compare(SmallNet(), IMAGE, REGION, ate=other, **ASKED)


def test_a_method_that_cannot_be_used_says_why() -> None:
    found = pdcr.compare(lambda x: x, IMAGE, REGION, methods=["seg_grad_cam", "random"], **ASKED)
    row = found.get("seg_grad_cam")
    assert "layers can be found in a torch.nn.Module only" in row.note
    assert np.isnan(row.deletion)
    assert list(found.maps) == ["random"]
    assert "layers can be found" in repr(found)


def test_progress_grows_and_stopping_leaves_the_model_as_found() -> None:
    spy = Spy(SmallNet()).train()
    seen = []
    for update in iter_compare(spy, IMAGE, REGION, **ASKED):
        seen.append((update.done, update.total))
        assert all(module.training for module in spy.modules())
        assert all(not module._forward_hooks for module in spy.modules())
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1][0] == seen[-1][1] == 900
    assert update.stage == "done"
    running = iter_compare(spy, IMAGE, REGION, **ASKED)
    for _ in range(5):
        next(running)
    calls = len(spy.batches)
    running.close()
    assert len(spy.batches) == calls
    assert all(p.grad is None for p in spy.parameters())


def test_it_comes_back_from_a_file(compared: pdcr.Comparison, tmp_path: Path) -> None:
    compared.save(tmp_path / "comparison.npz")
    found = pdcr.Comparison.load(tmp_path / "comparison.npz")
    assert repr(found.rows) == repr(compared.rows)
    assert found.recipe == compared.recipe
    np.testing.assert_array_equal(found.region, compared.region)
    for name, values in compared.maps.items():
        np.testing.assert_array_equal(found.maps[name], values)
    for name, games in compared.curves.items():
        for game, curve in games.items():
            read = found.curves[name][game]
            assert (read.kind, read.rank, read.auc) == (curve.kind, curve.rank, curve.auc)
            np.testing.assert_array_equal(read.order, curve.order)
    pdcr.ate_map(SmallNet(), IMAGE, REGION, patch_size=4).save(tmp_path / "map.npz")
    with pytest.raises(ValueError, match="holds another kind of result"):
        pdcr.Comparison.load(tmp_path / "map.npz")


def test_the_same_numbers_come_from_the_recipe() -> None:
    bank = pdcr.PatchBank(picture(9, 1, 4, 4, seed=2))
    asked = {**ASKED, "methods": ["pdcr", "rise", "misure", "random"], "baseline": bank}
    ate = pdcr.ate_map(
        SmallNet(), IMAGE, REGION, patch_size=4, baseline=bank, outcome="soft_dice", samples=4
    )
    for known in (None, ate):
        found = pdcr.compare(SmallNet(), IMAGE, REGION, ate=known, **asked)
        recipe = json.loads(json.dumps(found.recipe))
        again = pdcr.recompute(recipe, SmallNet(), IMAGE, baseline=bank)
        assert repr(again.rows) == repr(found.rows)
        for name, values in found.maps.items():
            np.testing.assert_array_equal(again.maps[name], values)
    with pytest.raises(ValueError, match="made from something else: the image"):
        pdcr.recompute(recipe, SmallNet(), IMAGE + 0.1, baseline=bank)
    with pytest.raises(ValueError, match="the baseline was a patch bank"):
        pdcr.recompute(recipe, SmallNet(), IMAGE)


def test_one_scale_for_all_maps(compared: pdcr.Comparison) -> None:
    figure = compared.plot(image=IMAGE.numpy(), spacing=(2.0, 1.0))
    figure.canvas.draw()
    axes = [ax for sub in figure.subfigs for ax in sub.axes]
    shown = [ax.images[-1] for ax in axes if ax.images]
    assert len(shown) == len(METHODS)
    assert {image.get_clim() for image in shown} == {(-1.0, 1.0)}
    for image, name in zip(shown, compared.maps, strict=True):
        drawn = np.ma.filled(image.get_array(), np.nan)
        assert np.isnan(drawn[REGION]).all()
        finite = drawn[np.isfinite(drawn)]
        assert np.abs(finite).max() == pytest.approx(1) or not compared.maps[name][~REGION].any()
    titles = [ax.get_title() for ax in axes]
    assert "PdCR" in titles
    assert "Deletion: low is faithful" in titles
    assert figure.get_size_inches()[0] == pytest.approx(7.2)
    plt.close("all")


def test_it_shows_itself_as_picture_and_text(compared: pdcr.Comparison) -> None:
    png = compared._repr_png_()
    assert png is not None
    assert png.startswith(b"\x89PNG")
    assert repr(compared).splitlines()[1].split() == [
        "method", "deletion", "insertion", "harming", "correlation", "tdd", "odd",
    ]  # fmt: skip
    assert not plt.get_fignums()


def test_unknown_methods_are_refused() -> None:
    with pytest.raises(ValueError, match=r"methods must be one or more of .*\['lime'\]"):
        pdcr.compare(SmallNet(), IMAGE, REGION, methods=["pdcr", "lime"])
    with pytest.raises(ValueError, match="methods must be one or more"):
        pdcr.compare(SmallNet(), IMAGE, REGION, methods=[])


def test_the_random_state_stays() -> None:
    net = SmallNet()
    before = torch.random.get_rng_state()
    pdcr.compare(net, IMAGE, REGION, methods=["rise", "misure"], **ASKED)
    assert torch.equal(before, torch.random.get_rng_state())
